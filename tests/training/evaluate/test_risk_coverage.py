"""Risk-coverage curves on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluate.risk_coverage import COVERAGES, curve, entropy, figures, losses


def test_a_perfect_order_and_a_random_one() -> None:
    loss = np.repeat([0.0, 1.0], 500)
    ones = np.ones((1, 1000))
    risk, area = curve(loss, loss, ones)
    expected = np.maximum(0, COVERAGES - 0.5) / COVERAGES
    np.testing.assert_allclose(risk[0], expected, atol=0.01)
    # Mean over coverage c of max(0, c - 1/2) / c is (1 - ln 2) / 2.
    assert area[0] == pytest.approx((1 - np.log(2)) / 2, abs=0.005)
    shuffled = np.random.default_rng(0).permutation(1000).astype(float)
    _, flat = curve(loss, shuffled, ones)
    assert flat[0] == pytest.approx(0.5, abs=0.05)


def test_a_resample_that_repeats_every_ecg_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    loss, doubt = rng.random(200), rng.random(200)
    once, twice = (curve(loss, doubt, np.full((1, 200), times))[1][0] for times in (1.0, 2.0))
    assert once == pytest.approx(twice)


def test_losses_leave_unknown_labels_out() -> None:
    p = np.array([[0.8, 0.4], [0.1, np.nan]])
    truth = np.array([[1.0, np.nan], [1.0, 0.0]])
    found = losses(p, truth, np.array([0.5, 0.5]))
    np.testing.assert_allclose(found["brier"], [0.04, 0.81])
    np.testing.assert_allclose(found["error"], [0, 1])
    assert entropy(np.array([[0.5, np.nan]]))[0] == pytest.approx(np.log(2))


def test_confidence_that_means_something_gains_and_noise_does_not() -> None:
    rng = np.random.default_rng(2)
    sharpness = rng.uniform(0, 6, (600, 1))
    logits = rng.choice([-1, 1], (600, 5)) * sharpness
    p = 1 / (1 + np.exp(-logits))
    truth = (rng.random((600, 5)) < p).astype(float)
    resamples = rng.multinomial(600, np.full(600, 1 / 600), size=100).astype(float)
    doubts = {"confidence": entropy(p), "novelty": rng.random(600)}  # noise
    found = figures(list("abcde"), p, truth, np.full(5, 0.5), doubts, resamples)
    assert found.orders["confidence"].brier_gain[1] > 0
    assert found.orders["novelty"].brier_gain[1] < 0 < found.orders["novelty"].brier_gain[2] + 0.02
    all_kept = [found.orders[name].brier[-1] for name in doubts]
    assert all_kept[0] == pytest.approx(all_kept[1])
    assert found.orders["confidence"].auroc[0] > found.orders["confidence"].auroc[-1]
