"""Figures against scikit-learn, and what a bootstrap interval must do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from training.evaluate.auroc import gap_closed
from training.metrics import auroc, best_f1_threshold, label_aurocs, patient_resamples, share_closed


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_auroc_equals_scikit_learn_with_ties_and_weights(rng: np.random.Generator) -> None:
    scores = rng.integers(0, 20, 300).astype(float)
    targets = (rng.random(300) < 0.3).astype(float)
    weights = rng.integers(0, 4, (5, 300)).astype(float)
    assert auroc(scores, targets)[0] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
    for row in range(5):
        expected = roc_auc_score(targets, scores, sample_weight=weights[row])
        assert auroc(scores, targets, weights)[row] == pytest.approx(expected, abs=1e-9)


def test_all_ecgs_of_a_patient_are_drawn_together(rng: np.random.Generator) -> None:
    patients = rng.integers(0, 30, 100).astype(str)
    drawn = patient_resamples(patients, 50, 1)
    for patient in np.unique(patients):
        own = drawn[:, patients == patient]
        assert (own == own[:, :1]).all()
    assert drawn.std() > 0


def test_unknown_labels_and_rare_ones_are_left_out(rng: np.random.Generator) -> None:
    scores, targets = rng.random((100, 3)), np.zeros((100, 3))
    targets[:4, 0] = 1  # too few positives
    targets[:50, 1] = 1
    targets[:, 2] = np.nan
    assert set(label_aurocs(scores, targets, np.ones((3, 100)))) == {1}


def test_best_f1_threshold_is_best(rng: np.random.Generator) -> None:
    probabilities = rng.random(200)
    targets = (rng.random(200) < probabilities).astype(float)
    best = f1_score(targets, probabilities >= best_f1_threshold(probabilities, targets))
    assert best >= max(f1_score(targets, probabilities >= t) for t in np.linspace(0, 0.99, 100)) - 1e-9


def test_a_label_that_cannot_be_predicted_does_not_flag_everybody(rng: np.random.Generator) -> None:
    probabilities, targets = rng.random(2000), (rng.random(2000) < 0.3).astype(float)
    free = probabilities >= best_f1_threshold(probabilities, targets)
    bound = probabilities >= best_f1_threshold(probabilities, targets, specificity=0.9)
    assert free.mean() > 0.8
    assert bound[targets == 0].mean() <= 0.1
    assert best_f1_threshold(np.array([0.9, 0.1, 0.2]), np.array([0.0, 1.0, 0.0]), specificity=1.0) > 0.9


def test_gap_closed_is_the_share_between_the_two_baselines() -> None:
    macros = {
        "signal_only": np.array([0.70, 0.70, 0.72]),
        "knowledge_transfer": np.array([0.73, 0.72, 0.74]),
        "multimodal": np.array([0.80, 0.80, 0.80]),
    }
    value = gap_closed(macros)
    assert value is not None
    assert value[0] == pytest.approx(0.3)
    assert gap_closed({"signal_only": macros["signal_only"]}) is None


def test_baselines_that_are_alike_in_a_resample_leave_the_share_without_an_end() -> None:
    alike = np.array([0.7, 0.7, 0.8])
    reached = np.array([0.75, 0.75, 0.75])
    assert share_closed(reached, alike, alike) is None
    assert share_closed(alike, alike, alike) is None
    low, high = np.full(1001, 0.7), np.full(1001, 0.8)
    high[1] = 0.7  # one in a thousand does not move a 95% interval
    assert share_closed(np.full(1001, 0.75), low, high) == pytest.approx((0.5, 0.5, 0.5))
