"""From logits to probabilities, by what validation patients show.

Calibration is Platt's (1999), sigmoid(slope * logit + intercept) per label, with the parameters of a head's labels
drawn toward their common mean: a label with few positives says little of its own slope, and the others say how far a
label of this head is off as a rule. Which form to take was chosen by cross-validation (docs/LOG.md). Whatever is
reported of validation patients comes from `cross_fitted`, in which nobody is judged by a fit that saw them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ecgkt.prediction import HEADS
from training.calibrate.thresholds import Threshold, choose
from training.data.pool import Pool
from training.metrics import Array

Flags = npt.NDArray[np.bool_]
Parameters = dict[str, tuple[float, float]]  # code -> (slope, intercept)
Thresholds = dict[str, Threshold]  # by code

FOLDS = 10  # of patients, in cross-fitting
SLOPES = (0.05, 5.0)  # the slope of a label that cannot be predicted, or that is separated altogether, ends here
# Before any data: no correction at all (slope 1, offset 0), give or take this much; and labels differ about so much.
COMMON_MEAN, COMMON_SD, LABEL_SD = np.array([1.0, 0.0]), np.array([0.5, 1.0]), np.array([0.2, 0.5])
ROUNDS, SETTLED = 60, 1e-3


def shrunken_platt(logits: Array, targets: Array) -> Array:
    """[L, 2] slope and intercept of every label of a head: logits, targets [N, L], targets NaN where unknown.

    Label l has z = slope (x - c) + c + offset, c the mean of its logits, with slope and offset drawn from normal
    distributions common to the head, whose means and variances are found as well (empirical Bayes: expectation
    maximization with Laplace's approximation, Gelman, Bayesian Data Analysis, 3rd ed., 13.4-13.6). So a label without
    known targets gets the head's common parameters, and one with many positives its own.
    """
    known = ~np.isnan(targets)
    truth = np.where(known, targets, 0.0)
    center = logits.mean(axis=0)
    x = logits - center
    mean, variance = COMMON_MEAN.copy(), LABEL_SD**2
    fitted = np.tile(mean, (logits.shape[1], 1))
    informed = known.any(axis=0)
    for _ in range(ROUNDS):
        before = fitted
        for _ in range(2):
            fitted, spread = _newton(fitted, x, center, truth, known, mean, variance)
        own, count = fitted[informed], informed.sum()
        mean = (own.sum(axis=0) / variance + COMMON_MEAN / COMMON_SD**2) / (count / variance + 1 / COMMON_SD**2)
        squares = (spread[informed] + (own - mean) ** 2).sum(axis=0)
        variance = (squares + LABEL_SD**2) / (count + 1)
        if np.abs(fitted - before).max() < SETTLED:
            break
    fitted[~informed] = mean
    slope = fitted[:, 0].clip(*SLOPES)
    return np.stack([slope, center + fitted[:, 1] - slope * center], axis=1)


def _newton(
    fitted: Array, x: Array, center: Array, truth: Array, known: Flags, mean: Array, variance: Array
) -> tuple[Array, Array]:
    """One damped Newton step of every label's (slope, offset) [L, 2], and the variances [L, 2] of both there."""
    p = expit(fitted[:, 0] * x + center + fitted[:, 1])
    residual, weight = np.where(known, p - truth, 0.0), np.where(known, p * (1 - p), 0.0)
    gradient = np.stack([(residual * x).sum(axis=0), residual.sum(axis=0)], axis=1) + (fitted - mean) / variance
    hessian = np.empty((len(fitted), 2, 2))
    hessian[:, 0, 0] = (weight * x * x).sum(axis=0) + 1 / variance[0]
    hessian[:, 1, 1] = weight.sum(axis=0) + 1 / variance[1]
    hessian[:, 0, 1] = hessian[:, 1, 0] = (weight * x).sum(axis=0)
    covariance = np.linalg.inv(hessian)
    step = np.einsum("lij,lj->li", covariance, gradient).clip(-1, 1)
    return fitted - step, np.stack([covariance[:, 0, 0], covariance[:, 1, 1]], axis=1)


def fit_head(logits: Array, targets: Array, simulated: Flags) -> Array:
    """[L, 2] slope and intercept of a head's labels, NaN for labels that the model does not have.

    A label that is known of any real ECG is fitted on real ECGs alone: how common it is among simulated patients says
    nothing of real ones. The others are fitted on all.
    """
    result = np.full((logits.shape[1], 2), np.nan)
    there = ~np.isnan(logits).any(axis=0)
    on_real = there & (~np.isnan(targets[~simulated])).any(axis=0)
    for columns, rows in ((on_real, ~simulated), (there & ~on_real, np.ones_like(simulated))):
        if columns.any():
            chosen = np.flatnonzero(columns)
            result[chosen] = shrunken_platt(logits[rows][:, chosen], targets[rows][:, chosen])
    return result


def calibrated(logits: Array, parameters: Array) -> Array:
    """[N, L] probabilities, as `ecgkt.model.bundle.probability` gives them; NaN for labels that the model does not
    have."""
    return np.asarray(expit(parameters[:, 0] * logits + parameters[:, 1]))


def cross_fitted(logits: Array, targets: Array, simulated: Flags, patients: npt.NDArray[np.str_], seed: int) -> Array:
    """[N, L] probabilities of ECGs by calibrations fitted on other patients (`FOLDS` folds)."""
    _, which = np.unique(patients, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(which.max() + 1)[which] % FOLDS
    result = np.full(logits.shape, np.nan)
    for held_out in np.unique(fold):
        out = fold == held_out
        result[out] = calibrated(logits[out], fit_head(logits[~out], targets[~out], simulated[~out]))
    return result


def calibrate(
    pool: Pool, logits: dict[str, Array], rows: npt.NDArray[np.int64], simulated: Flags
) -> tuple[dict[str, Parameters], dict[str, Thresholds]]:
    """Calibration and thresholds of every label of one model, by head.

    logits: head -> [rows, labels of `pool`], NaN for labels that the model does not have. simulated: [rows].
    """
    fitted: dict[str, Parameters] = {}
    thresholds: dict[str, Thresholds] = {}
    for head in (head for head in HEADS if head in logits):
        values, targets = logits[head], pool.targets[head][rows].astype(float)
        parameters = fit_head(values, targets, simulated)
        probabilities = calibrated(values, parameters)
        chosen = choose(pool, head, probabilities, targets, simulated)
        fitted[head], thresholds[head] = {}, {}
        for code, (slope, intercept), limit in zip(pool.codes()[head], parameters, chosen, strict=True):
            if not np.isnan(slope):
                fitted[head][code], thresholds[head][code] = (float(slope), float(intercept)), limit
    return fitted, thresholds
