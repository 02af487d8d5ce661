"""Do the probabilities mean what they say? Expected calibration error, reliability diagram, calibration in the large.

Every known pair of an ECG and a label counts once. The expected calibration error (Naeini 2015, Guo 2017) is the mean
distance of the observed share from the predicted one over bins of the predicted probability, weighed by their pairs:

    ece             ten bins of equal width over all labels together; the reliability diagram shows these bins
    ece_equal_mass  ten bins of equally many pairs over all labels together
    classwise       ten bins of equally many pairs for each label by itself, then the mean over labels (Kull 2019)

Each is biased upwards, the more so the fewer ECGs: chance alone puts a bin's observed share beside its prediction. The
debiased values (`*_debiased`) take off what resampling patients adds on top (the bootstrap's estimate of bias, Efron
1993), and the intervals are percentiles of the resampled values moved by the same amount.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest

from ecgkt.results.intervals import Interval
from ecgkt.results.trust_metrics import Bin, Calibration
from training.metrics import MIN_POSITIVES, Array, estimate, interval

BINS = 10


def calibration_figures(
    probabilities: Array, targets: Array, resamples: Array, by_label: bool = True
) -> Calibration | None:
    """All figures of this module for probabilities and targets [N, L] (NaN unknown); resamples [R, N] by patient.

    by_label: with those of each label by itself. `bins` has each bin that holds any pair. None without a known pair.
    """
    known = ~np.isnan(targets) & ~np.isnan(probabilities)
    if not known.any():
        return None
    weights = np.concatenate([np.ones((1, resamples.shape[1])), resamples])  # every ECG once, then the resamples
    sums = bin_sums(probabilities, targets, np.linspace(0, 1, BINS + 1)[1:-1])
    mass = bin_sums(probabilities, targets, equal_mass(probabilities[known]))
    ece, ece_debiased = _with_interval(resampled_ece(sums, weights))
    pairs, predicted, observed = (weights @ part.sum(axis=1) for part in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        large = (observed - predicted) / pairs
    values = _each_label(probabilities, targets, weights) if by_label else []
    classwise, classwise_debiased = _with_interval(np.nanmean(values, axis=0)) if values else (None, None)
    return Calibration(
        ece=ece,
        ece_debiased=ece_debiased,
        ece_equal_mass=_with_interval(resampled_ece(mass, weights))[0],
        in_the_large=estimate(large),
        pairs=int(known.sum()),
        positives=int(targets[known].sum()),
        bins=_bins(sums, resamples),
        classwise=classwise,
        classwise_debiased=classwise_debiased,
        classwise_labels=len(values) or None,
    )


def _each_label(probabilities: Array, targets: Array, weights: Array) -> list[Array]:
    """[1 + R] calibration error of each label with enough positives and negatives."""
    values = []
    for p, y in zip(probabilities.T, targets.T, strict=True):
        known = ~np.isnan(y) & ~np.isnan(p)
        if MIN_POSITIVES <= y[known].sum() <= known.sum() - MIN_POSITIVES:
            sums = bin_sums(p[:, None], y[:, None], equal_mass(p[known]))
            values.append(resampled_ece(sums, weights))
    return values


def equal_mass(probabilities: Array) -> Array:
    """The inner edges of `BINS` bins of equally many of these probabilities (as far as ties allow)."""
    return np.quantile(probabilities, np.linspace(0, 1, BINS + 1)[1:-1])


def bin_sums(probabilities: Array, targets: Array, edges: Array) -> tuple[Array, Array, Array]:
    """Number of known pairs, sum of their probabilities and of their targets, each [N, bins]: by ECG and bin."""
    known = ~np.isnan(targets) & ~np.isnan(probabilities)
    rows, columns = np.nonzero(known)
    p, y = probabilities[rows, columns], targets[rows, columns]
    place = rows * (len(edges) + 1) + np.searchsorted(edges, p, side="right")
    size = len(targets) * (len(edges) + 1)
    parts = [np.bincount(place, weights, size).astype(float) for weights in (None, p, y)]
    return tuple(part.reshape(len(targets), -1) for part in parts)  # type: ignore[return-value]


def resampled_ece(sums: tuple[Array, Array, Array], weights: Array) -> Array:
    """[W] expected calibration error for each row of weights [W, N]."""
    pairs, predicted, observed = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(weights @ (observed - predicted)).sum(axis=1) / (weights @ pairs).sum(axis=1)


def _with_interval(values: Array) -> tuple[Interval | None, Interval | None]:
    """The value with its interval as it stands and debiased, from a value followed by its resamples."""
    bias = float(np.nanmean(values[1:]) - values[0])
    low, high = interval(values[1:])

    def moved(by: float) -> Interval | None:
        value, least, most = (float(edge) - by for edge in (values[0] + bias, low, high))
        return (max(value, 0.0), max(least, 0.0), max(most, 0.0)) if np.isfinite((value, least, most)).all() else None

    return moved(bias), moved(2 * bias)


def _bins(sums: tuple[Array, Array, Array], resamples: Array) -> list[Bin]:
    """The interval is the wider of the bootstrap's and Wilson's (1927), which does not shrink to nothing where all or
    none of a few are positive."""
    pairs, predicted, observed = sums
    rows: list[Bin] = []
    for column in np.flatnonzero(pairs.sum(axis=0)):
        total = float(pairs[:, column].sum())
        drawn = resamples @ pairs[:, column]
        shares = (resamples @ observed[:, column])[drawn > 0] / drawn[drawn > 0]
        mean, share = float(predicted[:, column].sum()) / total, float(observed[:, column].sum()) / total
        drawn_low, drawn_high = interval(shares)
        wilson = binomtest(round(share * total), int(total)).proportion_ci(method="wilson")
        low, high = min(drawn_low, float(wilson.low)), max(drawn_high, float(wilson.high))
        rows.append(Bin(mean, share, low, high, int(total)))
    return rows
