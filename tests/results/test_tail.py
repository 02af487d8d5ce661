"""What is said of rare diagnoses follows from the figures of their bands."""

from __future__ import annotations

import msgspec
import pytest

from ecgkt.results import tail
from ecgkt.results.curve_metrics import TailPoint
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics
from tests import made_up_metrics

BANDS = ((300, None), (20, 50), (50, 100))


def bands(*gains: Interval | None) -> Metrics:
    """The gains of the commonest, the rarest and those between."""
    points = [
        TailPoint(positives=positives, labels=7, signal_only=None, knowledge_transfer=None, gain=gain)
        for positives, gain in zip(BANDS, gains, strict=True)
    ]
    return msgspec.structs.replace(made_up_metrics.bare({"findings": (), "diagnoses": (), "labs": ()}), tail=points)


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        ((0.02, 0.01, 0.03), "transfer helps the rarest"),
        ((-0.02, -0.03, -0.01), "transfer hurts the rarest"),
        ((0.02, -0.01, 0.03), "transfer is not shown to change the rarest"),
    ],
)
def test_the_rarest_band_is_told_with_its_interval_and_the_others_are_counted(gain: Interval, words: str) -> None:
    said = tail.sentence(bands((-0.02, -0.03, -0.01), gain, (0.001, -0.01, 0.02)))
    assert words in said
    assert "(7 with 20 to 49 positive training ECGs)" in said
    assert said.endswith("Of the 2 bands with more, a gain is shown in 0, a loss in 1.")


def test_bands_stand_by_rising_number_and_those_not_measured_are_left_out() -> None:
    table = tail.table(bands((0.001, 0.0, 0.002), None, (0.01, 0.0, 0.02)))
    assert [row[0] for row in table.rows] == ["50 to 99", "300 or more"]
    assert table.rows[0][-1] == "+0.010 (0.000 to +0.020)"


def test_nothing_is_said_without_figures() -> None:
    assert tail.sentence(bands(None, None, None)) == ""
    assert "bands with more" not in tail.sentence(bands(None, (0.02, 0.01, 0.03), None))
