"""From logits to probabilities and thresholds, by what validation patients show.

Calibration is Platt's (1999): sigmoid(slope * logit + intercept) per label, fitted on real ECGs where a finding has
enough positives there, otherwise on all validation ECGs. Thresholds give the best F1 at a bounded share of false
alarms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from training.data import Pool
from training.metrics import Array, best_f1_threshold

SPECIFICITY = 0.9  # at least, on validation: a label that cannot be predicted must not flag everybody
ENOUGH_REAL_POSITIVES = 8  # for a calibration and threshold of its own; below, simulated validation ECGs join

Parameters = dict[str, tuple[float, float]]  # code -> (slope, intercept)
Thresholds = dict[str, tuple[float, str]]  # code -> (threshold, how it was chosen)


def platt(logits: Array, targets: Array) -> tuple[float, float]:
    """(slope, intercept) of Platt's calibration on known labels, slope kept in 0.05..5.

    Targets are softened by Platt's own rule ((N+ + 1) / (N+ + 2), 1 / (N- + 2)), which keeps rare labels from
    extreme fits. Without positives the slope is 1 and the intercept puts the mean at half a case.
    """
    positives, negatives = targets.sum(), (1 - targets).sum()
    soft = np.where(targets > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Array) -> float:
        z = parameters[0] * logits + parameters[1]
        return float(np.mean(np.logaddexp(0, z) - soft * z))

    found = minimize(loss, x0=np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 5.0), (-15.0, 15.0)])
    return float(found.x[0]), float(found.x[1])


def calibrate(
    pool: Pool, logits: dict[str, Array], rows: npt.NDArray[np.int64], simulated: npt.NDArray[np.bool_]
) -> tuple[dict[str, Parameters], dict[str, Thresholds]]:
    """Calibration and thresholds of every label of one model, by head.

    logits: head -> [rows, labels of `pool`], NaN for labels that the model does not have. simulated: [rows].
    """
    fitted: dict[str, Parameters] = {}
    thresholds: dict[str, Thresholds] = {}
    for head, values in logits.items():
        fitted[head], thresholds[head] = {}, {}
        for column, entry in enumerate(pool.labels[head]):
            scores, truth = values[:, column], pool.targets[head][rows, column].astype(float)
            if np.isnan(scores).all():
                continue
            use, kind = rows_to_use(truth, simulated)
            code = str(entry["code"])
            fitted[head][code] = platt(scores[use], truth[use])
            thresholds[head][code] = _threshold(calibrated(scores[use], fitted[head][code]), truth[use], kind)
    return fitted, thresholds


def calibrated(logits: Array, parameters: tuple[float, float]) -> Array:
    """Probabilities, as `ecgkt.bundle.probability` gives them."""
    return np.asarray(expit(parameters[0] * logits + parameters[1]))


def rows_to_use(truth: Array, simulated: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], str]:
    """Which validation ECGs a label is calibrated on, and of what kind they are. truth: NaN unknown."""
    known = ~np.isnan(truth)
    real = known & ~simulated
    if np.nansum(truth[real]) >= ENOUGH_REAL_POSITIVES or not (known & simulated).any():
        return real, "real"
    return known, "simulated and real" if real.any() else "simulated"


def _threshold(probabilities: Array, truth: Array, kind: str) -> tuple[float, str]:
    if truth.sum() == 0:
        return 0.5, "0.5, for want of positive validation ECGs"
    source = (
        f"highest F1 at {SPECIFICITY:.0%} specificity or more on {len(truth)} {kind} validation ECGs "
        f"({int(truth.sum())} positive)"
    )
    return best_f1_threshold(probabilities, truth, SPECIFICITY), source
