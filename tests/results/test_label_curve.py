"""What is said of the label-efficiency curve follows from its points."""

from __future__ import annotations

import msgspec
import pytest

from ecgkt.results import label_curve
from ecgkt.results.curve_metrics import Conclusions, CurveAbout, CurvePoint
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics
from tests import made_up_metrics


def around(value: float) -> Interval:
    return value, value - 0.01, value + 0.01


def curve(*signal_only: float, transfer: float = 0.72) -> Metrics:
    """Signal-only's AUROCs at 100, 1,000 and 10,000 patients; a transfer that is the same at each."""
    points = [
        CurvePoint(patients=10**n, models={"signal_only": around(value), "distilled": around(transfer)})
        for n, value in enumerate(signal_only, start=2)
    ]
    about = CurveAbout(best="distilled", tenth=1000, conclusions=Conclusions(), models={}, seeds=1, runs=[], note="")
    bare = made_up_metrics.bare({"findings": (), "diagnoses": (), "labs": ()})
    return msgspec.structs.replace(bare, label_curve=points[::-1], label_curve_about=about)


def test_what_signal_only_needs_is_interpolated_on_the_log_scale() -> None:
    points = label_curve.points(curve(0.6, 0.7, 0.8))
    assert [point.patients for point in points] == [100, 1000, 10000]
    assert label_curve.needed(points, 0.75) == pytest.approx(1000 * 10**0.5)
    assert label_curve.needed(points, 0.5) == 0
    assert label_curve.needed(points, 0.9) is None


@pytest.mark.parametrize(
    ("transfer", "words"),
    [
        (0.75, "needs about 3,200 for that"),
        (0.85, "does not reach that even with all 10,000"),
        (0.55, "gets there with 100 or fewer"),
    ],
)
def test_the_sentence_says_what_signal_only_needs(transfer: float, words: str) -> None:
    assert words in label_curve.sentences(curve(0.6, 0.7, 0.8, transfer=transfer))[0]


def test_a_tenth_of_the_labels_is_held_against_all_of_them() -> None:
    assert "falls short of" in label_curve.sentences(curve(0.6, 0.7, 0.8, transfer=0.75))[1]
    assert "matches or exceeds" in label_curve.sentences(curve(0.6, 0.7, 0.8, transfer=0.85))[1]
    metrics = curve(0.6, 0.7, 0.8, transfer=0.79)
    assert metrics.label_curve_about is not None
    level = Conclusions(best_at_tenth_minus_signal_only_with_all=(-0.01, -0.03, 0.01))
    about = msgspec.structs.replace(metrics.label_curve_about, conclusions=level)
    metrics = msgspec.structs.replace(metrics, label_curve_about=about)
    assert "is not shown to differ from" in label_curve.sentences(metrics)[1]


def test_the_transfer_is_held_against_the_better_of_signal_onlys_budgets() -> None:
    models = {"signal_only": around(0.6), "signal_only_long": around(0.65)}
    assert label_curve.signal_only(CurvePoint(patients=1, models=models)) == around(0.65)
    assert label_curve.signal_only(CurvePoint(patients=1, models={"signal_only": None})) is None
