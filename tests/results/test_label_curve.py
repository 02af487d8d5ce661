"""What is said of the label-efficiency curve follows from its points."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from ecgkt.prediction import Label
from ecgkt.results import label_curve, label_curve_tables
from ecgkt.results.curve_metrics import Conclusions, CurveAbout, CurvePoint
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics
from tests import made_up_metrics, stand_in


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


def test_groups_of_negative_controls_alone_are_no_gain() -> None:
    def in_group(code: str, group: str) -> Label:
        return dataclasses.replace(stand_in.label("diagnoses", code, code), group=group)

    listed = {"I50": "Heart", "R07": "Symptoms", "M54": "Back", "R05": "Heart"}
    diagnoses = [in_group(code, group) for code, group in listed.items()]
    controls = label_curve.controls(diagnoses)
    assert controls == {"Symptoms", "Back"}, "one result is enough for a group to be one"
    metrics = curve(0.6, 0.7, 0.8, transfer=0.75)
    gains = {"Heart": 0.02, "Symptoms": 0.03, "Back": 0.005, "Kidney": 0.01, "Lung": -0.03}
    groups = {group: [CurvePoint(patients=1000, models={}, gain=around(gain))] for group, gain in gains.items()}
    metrics = msgspec.structs.replace(metrics, label_curve_groups=groups)
    assert list(label_curve.gains(metrics, controls)) == ["Heart", "Kidney", "Lung"]
    helps, worse, apart = label_curve.verdicts(metrics, controls)
    assert "in 1 of 3 groups of diagnoses (95% interval above zero): Heart." in helps
    assert worse == "It is worse in Lung; in the other 1, no difference is shown."
    assert apart == "Not counted: 2 groups of negative controls alone, 1 of them with an interval above zero."
    marked = [row[0] for row in label_curve_tables.gains(metrics, controls).rows]
    assert marked[0] == "Symptoms (negative controls)"
    assert "(" not in marked[1]


def test_where_there_is_little_room_the_groups_with_the_largest_gain_are_named() -> None:
    gains = {"Kidney": 0.02, "Heart": 0.04, "Lung": 0.03}
    groups = {group: [CurvePoint(patients=1000, models={}, gain=around(gain))] for group, gain in gains.items()}
    metrics = msgspec.structs.replace(curve(0.6, 0.7, 0.8), label_curve_groups=groups)
    assert label_curve.verdicts(metrics, most=2)[0].endswith("in 3 of 3 groups of diagnoses (95% interval above zero), "
                                                             "most in Heart, Lung.")  # fmt: skip
    assert label_curve.verdicts(metrics, most=3)[0].endswith(": Heart, Lung, Kidney.")


def test_the_shown_models_of_the_curve_are_those_that_the_sentences_are_about() -> None:
    metrics = curve(0.6, 0.7, 0.8)
    rows = [row[0] for row in label_curve_tables.curve(metrics, only=["distilled"]).rows]
    assert rows == ["Distilled (the transfer)"]
    assert {"distilled", "signal_only", "multimodal", "vicreg", "oracle"} <= set(label_curve.foremost(metrics))


def test_what_does_not_hang_on_the_number_of_labels_is_given_once() -> None:
    rows = {row[0]: row[1:] for row in label_curve_tables.curve(curve(0.6, 0.7, 0.8, transfer=0.72)).rows}
    assert list(rows["Distilled (the transfer)"]) == ["0.720 (0.710 to 0.730)", "the same", "the same"]
    assert len(set(rows["Signal only"])) == 3
