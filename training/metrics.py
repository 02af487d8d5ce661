"""AUROC with patient-level bootstrap intervals, and thresholds. Plain numpy, no networks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
MIN_POSITIVES = 5  # an AUROC on fewer positives (or negatives) says nothing and is not reported


def auroc(scores: Array, targets: Array, weights: Array | None = None) -> Array:
    """Weighted area under the ROC curve (Mann-Whitney, ties count half).

    scores, targets: [N] (targets 0 or 1); weights: [R, N], one row a resample (default: one row of ones).
    Returns [R]; NaN where a resample has no positive or no negative.
    """
    if weights is None:
        weights = np.ones((1, len(scores)))
    order = np.argsort(scores, kind="stable")
    ties = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    positive = np.add.reduceat(weights[:, order] * targets[order], ties, axis=1)
    negative = np.add.reduceat(weights[:, order] * (1 - targets[order]), ties, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (positive * (below + negative / 2)).sum(axis=1) / pairs, np.nan)


def patient_resamples(patients: npt.NDArray[np.str_], count: int, seed: int) -> Array:
    """[count, N] how often each ECG is in each resample: patients are drawn with replacement, with all their ECGs."""
    _, which = np.unique(patients, return_inverse=True)
    number = int(which.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), size=count)
    return drawn[:, which].astype(np.float64)


def interval(values: Array) -> tuple[float, float]:
    """Percentile 95% interval of resampled values, NaN left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def label_aurocs(scores: Array, targets: Array, resamples: Array, minimum: int = MIN_POSITIVES) -> dict[int, Array]:
    """AUROC of every column that can be measured: column -> [1 + R], the value itself first.

    scores, targets: [N, L], NaN targets unknown. resamples: [R, N].
    """
    result = {}
    for column in range(targets.shape[1]):
        known = ~np.isnan(targets[:, column])
        truth = targets[known, column]
        if truth.sum() < minimum or (1 - truth).sum() < minimum:
            continue
        chosen = scores[known, column]
        result[column] = np.concatenate([auroc(chosen, truth), auroc(chosen, truth, resamples[:, known])])
    return result


def best_f1_threshold(probabilities: Array, targets: Array, specificity: float = 0.0) -> float:
    """The threshold with the highest F1 on these known labels among those of at least that specificity.

    Without such a bound the best F1 of a label that cannot be predicted flags nearly everybody. The threshold lies
    midway between the last probability that it admits and the next one.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order], np.cumsum(targets[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + targets.sum())
    last_of_tie = np.r_[np.diff(ranked) < 0, True]
    false_positives = np.arange(1, len(hits) + 1) - hits
    allowed = last_of_tie & (false_positives <= (1 - specificity) * (1 - targets).sum())
    if not allowed.any():
        return float((1 + ranked[0]) / 2)
    best = int(np.argmax(np.where(allowed, f1, -1.0)))
    following = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + following) / 2)
