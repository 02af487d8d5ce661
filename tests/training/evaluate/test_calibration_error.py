"""Calibration error against values worked out by hand and an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import calibration_curve

from training.evaluate.calibration_error import calibration_figures
from training.metrics import patient_resamples


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _ones(ecgs: int) -> np.ndarray:
    return patient_resamples(np.arange(ecgs).astype(str), 50, 1)


def test_by_hand() -> None:
    # Bin 0.2-0.3: predicted .25 and .25, one of two positive; bin 0.8-0.9: predicted .8 and .9, both positive.
    probabilities = np.array([[0.25, 0.8], [0.25, 0.9], [0.5, 0.5]])
    targets = np.array([[1.0, 1.0], [0.0, 1.0], [np.nan, np.nan]])
    figures = calibration_figures(probabilities, targets, _ones(3))
    assert figures is not None
    # 0.8 opens its bin and 0.9 the next: |.25 - .5| * 2/4 + |.8 - 1| / 4 + |.9 - 1| / 4
    assert figures.ece[0] == pytest.approx(0.25 / 2 + 0.2 / 4 + 0.1 / 4)
    assert figures.in_the_large[0] == pytest.approx(3 / 4 - (0.25 + 0.25 + 0.8 + 0.9) / 4)
    assert (figures.pairs, figures.positives) == (4, 3)
    assert [(row.predicted, row.observed) for row in figures.bins] == [(0.25, 0.5), (0.8, 1.0), (0.9, 1.0)]
    assert sum(row.pairs for row in figures.bins) == 4


def test_bins_equal_scikit_learns_reliability_diagram(rng: np.random.Generator) -> None:
    probabilities = rng.random((300, 4))
    targets = (rng.random((300, 4)) < probabilities**2).astype(float)
    figures = calibration_figures(probabilities, targets, _ones(300))
    assert figures is not None
    for name, strategy in (("ece", "uniform"), ("ece_equal_mass", "quantile")):
        observed, predicted = calibration_curve(targets.ravel(), probabilities.ravel(), n_bins=10, strategy=strategy)
        if strategy == "uniform":
            assert [row.predicted for row in figures.bins] == pytest.approx(list(predicted))
            assert [row.observed for row in figures.bins] == pytest.approx(list(observed))
            weights = np.array([row.pairs for row in figures.bins])
        else:
            weights = np.full(10, 120)  # 1200 pairs, no ties
        assert getattr(figures, name)[0] == pytest.approx(
            np.average(np.abs(observed - predicted), weights=weights), abs=1e-3
        )


def test_classwise_sees_errors_that_cancel_between_labels(rng: np.random.Generator) -> None:
    targets = (rng.random((4000, 2)) < [0.2, 0.4]).astype(float)
    figures = calibration_figures(np.full((4000, 2), 0.3), targets, _ones(4000))
    assert figures is not None
    assert figures.ece[0] < 0.02
    assert figures.classwise[0] == pytest.approx(0.1, abs=0.01)


def test_debiasing_takes_off_what_chance_adds_and_keeps_what_is_wrong(rng: np.random.Generator) -> None:
    logits = rng.normal(-1, 1.5, (150, 20))
    right, wrong = [], []
    for _ in range(20):
        targets = (rng.random(logits.shape) < expit(logits)).astype(float)
        right.append(calibration_figures(expit(logits), targets, _ones(150)))
        wrong.append(calibration_figures(expit(logits + 1), targets, _ones(150)))
    plain, debiased = (np.mean([getattr(f, "classwise" + end)[0] for f in right]) for end in ("", "_debiased"))
    assert plain > 0.04  # ten bins of 15 ECGs: chance alone
    assert debiased < 0.65 * plain
    off = (expit(logits + 1) - expit(logits)).mean()
    assert np.mean([f.ece_debiased[0] for f in wrong]) == pytest.approx(off, rel=0.1)
    for figures in (*right, *wrong):
        for name in ("ece", "ece_debiased", "ece_equal_mass", "classwise", "in_the_large"):
            value, low, high = getattr(figures, name)
            assert low <= value <= high, name


def test_patients_with_many_ecgs_widen_the_interval(rng: np.random.Generator) -> None:
    p = rng.random((100, 3))
    targets = (rng.random((100, 3)) < p).astype(float)
    many = [np.repeat(part, 8, axis=0) for part in (p, targets)]
    together = calibration_figures(*many, patient_resamples(np.repeat(np.arange(100), 8).astype(str), 200, 1))
    apart = calibration_figures(*many, _ones(800))
    assert together is not None
    assert apart is not None
    widths = [figures.in_the_large[2] - figures.in_the_large[1] for figures in (together, apart)]
    assert widths[0] > 2 * widths[1]


def test_nothing_known_is_nothing_measured() -> None:
    assert calibration_figures(np.full((3, 2), 0.5), np.full((3, 2), np.nan), _ones(3)) is None


def test_the_interval_of_a_bin_with_one_pair_does_not_vanish() -> None:
    figures = calibration_figures(np.array([[0.95]]), np.array([[0.0]]), _ones(1))
    assert figures is not None
    (row,) = figures.bins
    assert row.low == 0.0
    assert row.high > 0.7
