"""Sensitivity at a specificity, against scikit-learn's ROC curve and by hand."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_curve

from training.evaluate.urgent import at_specificity


def test_it_is_the_point_of_the_roc_curve() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(3000) < 0.1
    score = rng.normal(size=3000) + 2 * truth
    false_positive, sensitivity, _ = roc_curve(truth, score, drop_intermediate=False)
    for specificity in (0.9, 0.95):
        here = at_specificity(score, truth, ~truth, np.ones((1, 3000)), specificity)
        assert here[0] == sensitivity[false_positive <= 1 - specificity + 1e-9].max()


def test_patients_that_are_drawn_twice_count_twice() -> None:
    score = np.array([0.9, 0.8, 0.7, *np.linspace(0, 0.6, 19), 0.85])
    positive = np.array([True] * 3 + [False] * 20)
    weights = np.ones((3, 23))
    weights[1, 0] = 3  # the highest positive three times: 3 of 5 lie above 0.85
    weights[2, -1] = 0  # the false alarm is not drawn: the cut falls below all positives
    found = at_specificity(score, positive, ~positive, weights, 0.951)  # no false alarm is allowed
    np.testing.assert_allclose(found, [1 / 3, 3 / 5, 1])


def test_ties_are_never_called_apart() -> None:
    score = np.array([0.5] * 10)
    positive = np.array([True] * 5 + [False] * 5)
    assert at_specificity(score, positive, ~positive, np.ones((1, 10)), 0.95)[0] == 0
