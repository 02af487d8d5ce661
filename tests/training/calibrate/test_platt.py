"""Calibration against known truths, an independent optimizer, and what shrinkage and cross-fitting must do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from ecgkt.model.bundle import probability
from training.calibrate.platt import calibrated, cross_fitted, fit_head, shrunken_platt


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _drawn(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(logits.shape) < expit(logits)).astype(float)


def test_a_miscalibrated_logit_is_put_right(rng: np.random.Generator) -> None:
    truth = rng.normal(-1, 1.5, (20_000, 3))
    fitted = shrunken_platt((truth - [0.7, 0.0, -0.5]) / [2, 1, 0.6], _drawn(truth, rng))
    assert fitted[:, 0] == pytest.approx([2, 1, 0.6], rel=0.08)
    assert fitted[:, 1] == pytest.approx([0.7, 0.0, -0.5], abs=0.1)


def test_with_much_data_it_agrees_with_logistic_regression(rng: np.random.Generator) -> None:
    from sklearn.linear_model import LogisticRegression

    logits = rng.normal(-1, 2, (30_000, 4))
    targets = _drawn(0.8 * logits + [0.1, -0.4, 0.9, 0.0], rng)
    fitted = shrunken_platt(logits, targets)
    for label in range(4):
        own = LogisticRegression(C=1e9).fit(logits[:, [label]], targets[:, label])
        assert fitted[label] == pytest.approx([own.coef_[0, 0], own.intercept_[0]], abs=0.03)


def test_a_label_without_data_gets_what_the_others_have_in_common(rng: np.random.Generator) -> None:
    logits = rng.normal(-1, 2, (4000, 12))
    targets = _drawn(0.6 * logits + 0.6 * -1 * (1 - 0.6) + 0.5, rng)  # every label off in about the same way
    targets[:, -1] = np.nan
    fitted = shrunken_platt(logits, targets)
    assert fitted[-1, 0] == pytest.approx(fitted[:-1, 0].mean(), abs=0.01)
    center = logits.mean(axis=0)
    offsets = fitted[:, 1] - center + fitted[:, 0] * center  # at each label's own mean logit
    assert offsets[-1] == pytest.approx(offsets[:-1].mean(), abs=0.01)


def test_fewer_positives_are_drawn_further_toward_the_others(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 1.5, (4000, 10))
    truth = logits.copy()
    truth[:, 0] = 2 * logits[:, 0]  # one label that differs
    targets = _drawn(truth, rng)
    slopes = []
    for known in (4000, 100, 10):
        some = targets.copy()
        some[known:, 0] = np.nan
        slopes.append(shrunken_platt(logits, some)[0, 0])
    assert slopes[0] == pytest.approx(2, abs=0.15)
    assert slopes[0] > slopes[1] > slopes[2] > 0.9
    assert slopes[2] < 1.4


def test_a_perfectly_separated_or_never_positive_label_stays_finite(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 2, (60, 2))
    targets = np.stack([logits[:, 0] > 0, np.zeros(60)], axis=1).astype(float)
    fitted = shrunken_platt(logits, targets)
    assert np.isfinite(fitted).all()
    assert (np.abs(fitted) < 10).all()
    assert calibrated(logits, fitted)[:, 1].mean() < 0.2


def test_real_ecgs_alone_speak_for_a_label_that_they_know(rng: np.random.Generator) -> None:
    logits = rng.normal(-1, 1, (3000, 3))
    simulated = np.arange(3000) >= 1000
    targets = _drawn(logits, rng)
    targets[simulated, 0] = 1  # as common as can be among the simulated, which must not matter
    targets[~simulated, 1] = np.nan
    without = logits.copy()
    without[:, 2] = np.nan
    fitted = fit_head(without, targets, simulated)
    assert calibrated(without, fitted)[~simulated, 0].mean() == pytest.approx(targets[~simulated, 0].mean(), abs=0.01)
    assert calibrated(without, fitted)[simulated, 1].mean() == pytest.approx(targets[simulated, 1].mean(), abs=0.01)
    assert np.isnan(fitted[2]).all()


def test_nobody_is_judged_by_a_calibration_that_saw_them(rng: np.random.Generator) -> None:
    patients = np.repeat([f"p{i}" for i in range(40)], 2)
    logits = rng.normal(0, 1, (80, 2))
    targets = _drawn(logits, rng)
    simulated = np.zeros(80, bool)
    before = cross_fitted(logits, targets, simulated, patients, seed=3)
    changed = targets.copy()
    own = patients == "p7"
    changed[own] = 1 - changed[own]
    after = cross_fitted(logits, changed, simulated, patients, seed=3)
    assert (after[own] == before[own]).all()
    assert (after != before).any(), "the changed patient should matter to others"
    assert np.isfinite(before).all()


def test_the_bundle_computes_the_same_probability(rng: np.random.Generator) -> None:
    import torch

    logits, parameters = rng.normal(0, 3, (5, 2)), np.array([[0.7, -0.2], [1.3, 0.4]])
    expected = probability(torch.from_numpy(logits), [(0.7, -0.2), (1.3, 0.4)]).numpy()
    assert calibrated(logits, parameters) == pytest.approx(expected)
