"""The label-efficiency curve in words: numbers worked out by hand, and nothing said that was not measured."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from ecgkt import label_curve


def _point(patients: int, signal: float, transfer: float, **more: Any) -> dict[str, Any]:
    whole = {"signal_only": signal, "distilled": transfer, "multimodal": 0.85}
    return {"patients": patients, **{name: [v, v - 0.01, v + 0.01] for name, v in whole.items()}, **more}


@pytest.fixture
def metrics() -> dict[str, Any]:
    curve = [
        _point(20_000, 0.78, 0.79, gap_closed=[0.14, 0.01, 0.27], gain=[0.01, 0.001, 0.02]),
        _point(500, 0.66, 0.70),
        _point(2000, 0.72, 0.75, gap_closed=[0.23, 0.1, 0.3], attainable_gap_closed=[0.5, 0.4, 0.6]),
        _point(8000, 0.76, 0.775, infonce=[0.76, 0.75, 0.77]),
    ]
    groups = {
        "Helped": [_point(2000, 0.7, 0.75, gain=[0.05, 0.01, 0.09]), _point(20_000, 0.78, 0.79)],
        "Harmed": [_point(2000, 0.7, 0.65, gain=[-0.05, -0.09, -0.01]), _point(20_000, 0.78, 0.79)],
        "Level": [_point(2000, 0.7, 0.71, gain=[0.01, -0.01, 0.03]), _point(20_000, 0.78, 0.79)],
    }
    return {
        "label_curve": curve,
        "label_curve_groups": groups,
        "label_curve_about": {"best": "distilled", "tenth": 2000},
    }


def test_what_signal_only_needs_is_read_off_between_the_points(metrics: dict[str, Any]) -> None:
    curve = label_curve.points(metrics)
    assert [point["patients"] for point in curve] == [500, 2000, 8000, 20_000]
    # Halfway from .72 to .76 is the geometric mean of 2,000 and 8,000.
    assert label_curve.needed(curve, "signal_only", 0.74) == pytest.approx(sqrt(2000 * 8000))
    assert label_curve.needed(curve, "signal_only", 0.66) == 0
    assert label_curve.needed(curve, "signal_only", 0.79) is None
    assert label_curve.needed(curve, "infonce", 0.5) == 0, "the points where it was not measured are passed over"


def test_sentences_say_what_was_measured(metrics: dict[str, Any]) -> None:
    said = " ".join(label_curve.sentences(metrics))
    assert "With 2,000 labelled patients knowledge transfer (Distilled) reaches a macro AUROC of 0.750" in said
    assert "signal-only needs about 5,700" in said  # 2000 * 4 ** .75
    assert "With 10% of the labels it does not reach what signal-only has with all of them, 0.780" in said
    assert "closed with 2,000 labelled patients: 23 % (10 to 30 %), 50 % (40 to 60 %) of what an ECG alone" in said
    assert "closed with all labels: 14 % (1 to 27 %)." in said


def test_a_paired_difference_decides_whether_it_is_level(metrics: dict[str, Any]) -> None:
    conclusions = {"best_at_tenth_minus_signal_only_with_all": [-0.03, -0.07, 0.01]}
    metrics["label_curve_about"]["conclusions"] = conclusions
    assert "it is level with what signal-only has" in " ".join(label_curve.sentences(metrics))
    assert "difference −0.030 (−0.070 to +0.010)" in " ".join(label_curve.sentences(metrics))
    conclusions["best_at_tenth_minus_signal_only_with_all"] = [-0.03, -0.05, -0.01]
    assert "it does not reach what" in " ".join(label_curve.sentences(metrics))


def test_groups_are_told_apart_by_their_interval(metrics: dict[str, Any]) -> None:
    assert list(label_curve.gains(metrics)) == ["Helped", "Level", "Harmed"]
    first, second, third = label_curve.verdicts(metrics)
    assert first.endswith("in 1 of 3 groups of diagnoses: Helped.")
    assert second == "It costs in Harmed."
    assert third == "In the other 1 no difference is shown."
    assert not label_curve.gains_are_shares(metrics)


def test_without_a_curve_nothing_is_said() -> None:
    assert label_curve.points({}) == []
    assert label_curve.sentences({}) == []
    assert label_curve.verdicts({}) == []
    alone = {"label_curve": [{"patients": 500, "signal_only": [0.7, 0.6, 0.8]}]}
    assert label_curve.sentences(alone) == []
