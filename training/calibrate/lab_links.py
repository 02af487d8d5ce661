"""Fits how diagnoses hang on labs: a sparse regression without negative coefficients of a diagnosis's log odds on those
of the labs that an ECG carries (`ecgkt.lab_links.links`).

The lasso (Tibshirani 1996) chooses among labs that make sense by the table of physiology; what it keeps is fitted again
without the penalty. R2 is that of a third of the cohort that was not fitted to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import Lasso

from ecgkt.lab_links.links import EDGE, VERSION, DiagnosisLinks, LabLinks
from ecgkt.lab_links.physiology import senses
from ecgkt.prediction import Label

Array = npt.NDArray[np.float64]
PENALTY = 0.02  # of the lasso, on standardized log odds
FREE = 1e-6  # of the second fit, which is to have none
LEAST = 0.05  # standardized coefficient that is kept
SENSELESS = 0.3  # standardized coefficient of a lab without sense, above which it is told
HELD_OUT = 3  # every third ECG
FEWEST = 100  # ECGs


def log_odds(probabilities: Array) -> Array:
    p = np.clip(np.asarray(probabilities, dtype=float), EDGE, 1 - EDGE)
    return np.asarray(np.log(p / (1 - p)))


def fit_links(
    probabilities: Mapping[str, Array], labs: Iterable[Label], diagnoses: Iterable[Label], reference: str
) -> LabLinks | None:
    """probabilities: code -> [ECGs] of the reference cohort, calibrated. Labels that are `silent` are left out, so no
    explanation rests on a lab that an ECG is not seen to carry; None where all labs are. reference: what the cohort
    is, in words."""
    carried = [label.code for label in labs if not label.silent]
    if not carried or len(probabilities[carried[0]]) < FEWEST:
        return None
    x = np.stack([log_odds(probabilities[code]) for code in carried], axis=1)
    middle, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - middle) / np.where(spread > 0, spread, 1.0)
    found = {}
    for label in diagnoses:
        if label.silent:
            continue
        y = log_odds(probabilities[label.code])
        known = senses(label.code)
        sensible = [k for k, code in enumerate(carried) if code in known]
        scale = float(y.std()) or 1.0
        standardized = (y - y.mean()) / scale
        chosen, weights, r2 = _sparse(z, standardized, sensible)
        free, free_weights, free_r2 = _sparse(z, standardized, list(range(len(carried))))
        found[label.code] = DiagnosisLinks(
            mean=float(y.mean()),
            r2=round(r2, 4),
            slopes={carried[k]: float(w * scale / spread[k]) for k, w in zip(chosen, weights, strict=True)},
            free_r2=round(free_r2, 4),
            senseless=[
                carried[k]
                for k, w in zip(free, free_weights, strict=True)
                if w >= SENSELESS and carried[k] not in known
            ],
        )
    means = dict(zip(carried, middle.tolist(), strict=True))
    return LabLinks(version=VERSION, reference=reference, ecgs=len(x), labs=means, diagnoses=found)


def _sparse(z: Array, y: Array, columns: list[int]) -> tuple[list[int], Array, float]:
    """(columns kept, their coefficients on all ECGs, R2 on those held out); the largest first."""
    held_out = np.arange(len(y)) % HELD_OUT == 0
    fitted, weights = _fit(z[~held_out], y[~held_out], columns)
    left = y[held_out] - z[held_out][:, fitted] @ weights
    whole = float(y[held_out].var())
    r2 = 1 - float((left**2).mean()) / whole if fitted and whole else 0.0
    kept, weights = _fit(z, y, columns)
    order = np.argsort(-weights)
    return [kept[k] for k in order], weights[order], r2


def _fit(z: Array, y: Array, columns: list[int]) -> tuple[list[int], Array]:
    if not columns:
        return [], np.zeros(0)
    first = Lasso(alpha=PENALTY, positive=True, fit_intercept=False).fit(z[:, columns], y)
    kept = [k for k, weight in zip(columns, first.coef_, strict=True) if weight >= LEAST]
    if not kept:
        return [], np.zeros(0)
    again = Lasso(alpha=FREE, positive=True, fit_intercept=False).fit(z[:, kept], y)
    return kept, np.asarray(again.coef_, dtype=float)
