"""The regression that is a second teacher."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from training.train.regression import _scaled, ridge_logits

RNG = np.random.default_rng(3)
FEATURES = RNG.normal(size=(400, 5)) / np.sqrt(5)
TRUTH = (RNG.random(400) < 1 / (1 + np.exp(-4 * FEATURES[:, 0]))).astype(np.float32)
LABELLED = np.arange(0, 400, 2)


def test_log_odds_are_those_of_the_penalised_likelihood_s_maximum() -> None:
    def loss(weights: np.ndarray) -> float:
        z = FEATURES[LABELLED] @ weights[1:] + weights[0]
        return float(np.logaddexp(0, z).sum() - TRUTH[LABELLED] @ z + weights[1:] @ weights[1:] / 2)

    best = minimize(loss, np.zeros(6)).x
    found = ridge_logits(FEATURES, TRUTH[:, None], LABELLED)
    np.testing.assert_allclose(found[:, 0], FEATURES @ best[1:] + best[0], atol=0.01)


def test_targets_beyond_the_labeled_and_unknown_ones_are_not_looked_at() -> None:
    targets = TRUTH[:, None].copy()
    before = ridge_logits(FEATURES, targets, LABELLED)
    targets[1::2] = 1 - targets[1::2]
    np.testing.assert_array_equal(ridge_logits(FEATURES, targets, LABELLED), before)
    targets[LABELLED[:50]] = np.nan
    np.testing.assert_array_equal(
        ridge_logits(FEATURES, targets, LABELLED), ridge_logits(FEATURES, targets, LABELLED[50:])
    )


def test_a_label_that_no_labeled_ecg_has_is_as_rare_as_that_for_everyone() -> None:
    found = ridge_logits(FEATURES, np.zeros((400, 1), dtype=np.float32), LABELLED)
    assert np.ptp(found) == 0
    assert 1 / (1 + np.exp(-found[0, 0])) == pytest.approx(0.5 / 201)


def test_each_side_has_one_variance_in_all_and_no_constant_feature() -> None:
    side = np.column_stack([RNG.normal(3, 100, 400), RNG.normal(0, 0.01, 400), np.ones(400)])
    scaled = _scaled(side, LABELLED)
    assert scaled.shape == (400, 2)
    np.testing.assert_allclose(scaled[LABELLED].var(axis=0).sum(), 1)
    np.testing.assert_allclose(scaled[LABELLED].mean(axis=0), 0, atol=1e-12)
