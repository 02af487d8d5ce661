"""The Model page: what the bundle says of itself, and every test figure that it has."""

from __future__ import annotations

import html
import json

import pytest

from ecgkt.results import explained, urgent_pictures
from tests.stand_in import StandIn
from tests.ui.pages import open_page, titles, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_model_page_comes_from_the_bundle() -> None:
    words = words_of(open_page("model"))
    for fact in ("Clinical decisions of any kind.", "Research on a stand-in.", "Knows nothing.", "1,200", "simulated"):
        assert fact in words
    assert "0.712 (0.600 to 0.800)" in words
    assert StandIn.sha256 in words
    for setting in ("encoder.kind", "beat", "32, 48"):
        assert f"<td>{setting}</td>" in words, "the architecture in full"


NEW_ON_MODEL = (
    "Calibration", "Performance by age and sex", "Labs on real ECGs", "Findings on real ECGs", "indirect evidence",
    "Expected calibration error", "Refused",
)  # fmt: skip


def test_model_page_shows_every_figure_that_the_bundle_has(more: None) -> None:
    app = open_page("model")
    words = titles(app) + words_of(app)
    for part in NEW_ON_MODEL:
        assert part in words, part
    for fact in ("0.011 (0.005 to 0.020)", "1,234", "age not known", "0% (0% to 16%)", "flat lead", "17",
                 "0.940 (0.920 to 0.960)", "SBRAD", "Hyperkalemia on Electrolyte disturbance",
                 "1,360 normal training ECGs", "40.0%",
                 "Labs were learned from simulated patients", "0.550 (0.450 to 0.650)"):  # fmt: skip
        assert fact in words, fact
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert all(chart.proto.alt for chart in app.get("plotly_chart"))
    diagram = next(c for c in charts if c["layout"]["yaxis"]["title"]["text"] == "Observed share")
    assert diagram["data"][0]["x"] == [0.05, 0.25], "a bin of three pairs is in the table only"


def test_nothing_is_shown_of_figures_that_the_bundle_lacks() -> None:
    words = titles(open_page("model")) + titles(open_page("compare"))
    for part in (*NEW_ON_MODEL[:4], "Label efficiency"):
        assert part not in words


def test_the_truth_of_explanations_is_shown_for_the_bundle_that_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "How true explanations are" not in titles(open_page("model"))
    measured = explained.decode(
        explained.FILE.read_bytes(), explained.Explained, explained.VERSION, "explanations.json"
    )
    monkeypatch.setattr(StandIn, "sha256", measured.model)
    app = open_page("model")
    assert "How true explanations are" in titles(app) + words_of(app)
    assert explained.in_words(measured) in html.unescape(words_of(app))


def test_what_is_found_of_urgent_pictures_is_shown_for_the_bundle_that_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Said by a line" not in words_of(open_page("model"))
    measured = explained.decode(
        urgent_pictures.FILE.read_bytes(), urgent_pictures.UrgentPictures, urgent_pictures.VERSION, "urgent.json"
    )
    monkeypatch.setattr(StandIn, "sha256", measured.model)
    words = html.unescape(words_of(open_page("model")))
    assert urgent_pictures.in_words(measured) in words
    assert all(one.picture in words for one in measured.pictures)
