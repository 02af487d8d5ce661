"""From which calibrated probability on a label is called positive, by what validation patients show.

The threshold with the best F1 at a bounded share of false alarms; of what is urgent one that misses few instead, or as
few as is to be had without flagging everybody. Never so low that a row says "positive" where nothing is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt import vocabulary
from ecgkt.prediction import Head
from training.data.pool import Pool
from training.metrics import Array, best_f1_threshold

Flags = npt.NDArray[np.bool_]
Threshold = tuple[float, str]  # on the calibrated probability, and how it was chosen

SPECIFICITY = 0.9  # at least, on validation: a label that cannot be predicted must not flag everybody
SENSITIVITY = 0.9  # of what is urgent, on validation, where the specificity allows it; where not,
URGENT_SPECIFICITY = 0.95  # as many are found as leave so many of the others unflagged
ENOUGH_REAL_POSITIVES = 8  # for a threshold of its own; below, simulated validation ECGs join
LEAST = 0.10  # nothing less is called positive, unless it is urgent
TIMES_PREVALENCE = 2.0  # a positive label is at least so many times as likely as in everybody


def choose(pool: Pool, head: Head, probabilities: Array, truth: Array, simulated: Flags) -> list[Threshold]:
    """Of each label of a head: probabilities, truth [N, L] of validation ECGs, truth NaN where unknown; simulated [N].

    A label that the model does not have (NaN) gets one all the same, of which nothing is made.
    """
    with np.errstate(invalid="ignore"):
        targets = pool.targets[head][pool.rows("train")]
        known = ~np.isnan(targets)
        prevalence = np.where(known, targets, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return [
        threshold(probabilities[:, column], truth[:, column], simulated, code, float(prevalence[column]))
        for column, code in enumerate(pool.codes()[head])
    ]


def threshold(probabilities: Array, truth: Array, simulated: Flags, code: str, prevalence: float) -> Threshold:
    """A label's threshold and how it was chosen; from real ECGs if enough of them are positive. truth: NaN unknown."""
    known = ~np.isnan(truth)
    real = known & ~simulated
    use, kind = known, "simulated and real" if real.any() else "simulated"
    if truth[real].sum() >= ENOUGH_REAL_POSITIVES or not (known & simulated).any():
        use, kind = real, "real"
    urgent = code in vocabulary.urgent()
    if truth[use].sum() == 0:
        found, source = 0.5, "0.5 (no positive validation ECGs)"
    else:
        found = best_f1_threshold(probabilities[use], truth[use], SPECIFICITY)
        how = f"highest F1 at {SPECIFICITY:.0%} specificity or more"
        if urgent:
            sensitive, by = sensitive_threshold(probabilities[use], truth[use])
            if sensitive < found:
                found, how = sensitive, f"urgent: {by}"
        source = f"{how} on {int(use.sum())} {kind} validation ECGs ({int(truth[use].sum())} positive)"
    lowest, why = floor(prevalence, urgent)
    return (lowest, f"{source}, raised to {why}") if found < lowest else (found, source)


def sensitive_threshold(probabilities: Array, truth: Array) -> tuple[float, str]:
    """The highest threshold that misses no more than 1 - `SENSITIVITY` of the positive, and what it is; where its
    specificity is below `SPECIFICITY`, the lowest that has `URGENT_SPECIFICITY`."""
    positive, negative = np.sort(probabilities[truth == 1]), np.sort(probabilities[truth == 0])
    found = float(positive[int(np.floor((1 - SENSITIVITY) * len(positive) + 1e-9))])
    if len(negative) == 0 or (negative < found).mean() >= SPECIFICITY:
        return found, f"{SENSITIVITY:.0%} sensitivity at {SPECIFICITY:.0%} specificity or more"
    spared = negative[min(int(np.ceil(URGENT_SPECIFICITY * len(negative))), len(negative) - 1)]
    return float(np.nextafter(spared, np.inf)), f"the most sensitive at {URGENT_SPECIFICITY:.0%} specificity"


def floor(prevalence: float, urgent: bool) -> tuple[float, str]:
    """The lowest threshold that a label may have, and why.

    Twice its prevalence; of what more than a third have, for whom twice were close to certainty or beyond, midway
    between prevalence and certainty (the two are one at a third).
    """
    common = prevalence > 1 / 3
    by_prevalence = (1 + prevalence) / 2 if common else TIMES_PREVALENCE * prevalence
    why = "midway between its prevalence and certainty" if common else "twice its prevalence"
    if not urgent and by_prevalence < LEAST:
        return LEAST, f"{LEAST:.0%}, below which nothing that is not urgent is called positive"
    return by_prevalence, why
