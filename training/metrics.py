"""AUROC with patient-level bootstrap intervals, and thresholds. Plain numpy, no networks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt.results.intervals import Interval

Array = npt.NDArray[np.float64]
MIN_POSITIVES = 5  # an AUROC on fewer positives (or negatives) says nothing and is not reported


def auroc(scores: Array, targets: Array, weights: Array | None = None) -> Array:
    """Weighted area under the ROC curve (Mann-Whitney, ties count half).

    scores, targets: [N] (targets 0 or 1); weights: [R, N], one row a resample (default: one row of ones).
    Returns [R]; NaN where a resample has no positive or no negative.
    """
    if weights is None:
        weights = np.ones((1, len(scores)))
    positive, negative = np.flatnonzero(targets > 0), np.flatnonzero(targets <= 0)
    if len(positive) == 0 or len(negative) == 0:
        return np.full(len(weights), np.nan)
    negative = negative[np.argsort(scores[negative], kind="stable")]
    first, last = (np.searchsorted(scores[negative], scores[positive], side) for side in ("left", "right"))
    # A positive needs no more than the weight of the negatives below it (and of those that tie): sum up the negatives
    # between the places where positives fall, which is a few sums for a rare label, and add those up.
    places = np.unique(np.concatenate([[0], first, last, [len(negative)]]))
    between = np.add.reduceat(weights[:, negative], places[:-1], axis=1)
    below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(between, axis=1)], axis=1)
    halves = below[:, np.searchsorted(places, first)] + below[:, np.searchsorted(places, last)]
    own = weights[:, positive]
    pairs = own.sum(axis=1) * below[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (own * halves).sum(axis=1) / 2 / pairs, np.nan)


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


def estimate(values: Array) -> Interval | None:
    """A value with its 95% interval, from the value followed by its resamples; None where either is not a number."""
    if np.isnan(values[1:]).all():
        return None
    found = (float(values[0]), *interval(values[1:]))
    return found if np.isfinite(found).all() else None


def share_closed(reached: Array, low: Array, high: Array) -> Interval | None:
    """Which share of the way from `low` to `high` was closed, with its 95% interval, resample by resample.

    A resample in which `low` and `high` are the same counts as infinitely much, or is left out where nothing was
    reached either; None where patients are so few that the interval has no end.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return estimate((reached - low) / (high - low))


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
