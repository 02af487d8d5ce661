"""Measured intervals: the strip over the tracing, their tab, and the errors it states."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecgkt.measurements.intervals import ERROR_SD
from tests.ui.pages import linked, open_page, words_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.usefixtures("stand_in")
def test_the_strip_of_numbers_says_what_is_measured_what_is_off_and_what_is_not() -> None:
    strip = next(str(part.proto.body) for part in open_page("browse").get("html") if 'class="strip"' in part.proto.body)
    words = " ".join(re.sub(r"<[^>]*>", " ", strip).split())
    assert words.startswith("Rate 75 /min PR not measurable QRS ")
    assert "QT not measurable QTcF not measurable" in words  # spikes alone: no T wave


@pytest.mark.usefixtures("stand_in")
def test_every_interval_stands_in_its_tab_with_limit_flag_and_reason() -> None:
    app = linked(ecg="one", tab="Intervals")
    words = words_of(app).replace("\N{NO-BREAK SPACE}", " ")
    for part in ("50 to 100", "not measurable: no P wave found", "up to 110", "benchmarks/delineation.md"):
        assert part in words
    assert "Contribution to the score by" not in words  # the tabs that are folded away are not made


def test_the_errors_shown_are_those_of_the_benchmark() -> None:
    found = json.loads((ROOT / "benchmarks" / "delineation.json").read_text())
    errors = found["sets"]["ludb, the 75 records not fitted to"]["ecgkt.measurements.delineation"]["errors_ms"]
    names = {"p_duration": "P duration", "pr": "PR", "qrs": "QRS", "qt": "QT"}
    assert {key: errors[name]["sd"] for key, name in names.items()} == ERROR_SD
