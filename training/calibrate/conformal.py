"""Limits for `ecgkt.verdict` from validation patients, and what they do on test patients.

One ECG a patient, drawn at random: several of one patient are not exchangeable with those of another. Real patients
where enough of them are known to have the label and not to have it, simulated ones otherwise, never both together.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from ecgkt.results.intervals import Interval, Kind
from ecgkt.results.trust_metrics import HeadVerdicts, LabelVerdicts, VerdictFigures
from ecgkt.verdict import Guarantee
from training.metrics import Array, estimate

Flags = npt.NDArray[np.bool_]
ALPHA = 0.1
FEWEST = int(np.ceil(1 / ALPHA)) - 1  # patients of a class below which no limit keeps the promise
DIGITS = 1e6  # limits are rounded outwards


def one_ecg_per_patient(patients: npt.NDArray[np.str_], seed: int) -> npt.NDArray[np.int64]:
    """One row of each patient, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(patients))
    return np.asarray(np.sort(order[np.unique(patients[order], return_index=True)[1]]), np.int64)


def lower_limit(values: Array, alpha: float = ALPHA) -> float | None:
    """What a further exchangeable value lies below with a probability of at most alpha; None with too few values.

    The k-th smallest of n, k = floor(alpha (n + 1)): the new value is below it in at most k of n + 1 equally likely
    ranks.
    """
    k = int(np.floor(alpha * (len(values) + 1) + 1e-9))
    return float(np.sort(values)[k - 1]) if k >= 1 else None


def guarantee(probabilities: Array, truth: Array, simulated: Flags, threshold: float) -> Guarantee:
    """The limits of one label: probabilities [N], one ECG a patient; truth [N], NaN unknown; simulated [N].

    They are moved apart to take in the threshold: what is called present is above it then, what is called absent below,
    and the promise holds all the more.
    """
    counts = {}
    for population, here in (("real", ~simulated), ("simulated", simulated)):
        has, lacks = probabilities[here & (truth == 1)], probabilities[here & (truth == 0)]
        counts[population] = (len(has), len(lacks))
        if min(len(has), len(lacks)) >= FEWEST:
            low, high = lower_limit(has), lower_limit(-lacks)
            assert low is not None
            assert high is not None
            low, high = min(low, threshold), max(-high, threshold)
            low, high = float(np.floor(low * DIGITS) / DIGITS), float(np.ceil(high * DIGITS) / DIGITS)
            return Guarantee(ALPHA, low, high, population, len(has), len(lacks))
    population = max(counts, key=lambda name: min(counts[name]))
    return Guarantee(ALPHA, None, None, population, *counts[population])


def guarantees(
    codes: list[str], probabilities: Array, targets: Array, simulated: Flags, thresholds: Array
) -> dict[str, Guarantee]:
    """Code -> guarantee of a head: probabilities, targets [N, L], NaN: no such output, not known; thresholds [L]."""
    return {
        code: guarantee(probabilities[:, column], targets[:, column], simulated, float(thresholds[column]))
        for column, code in enumerate(codes)
        if not np.isnan(probabilities[:, column]).all()
    }


def coverage(
    fitted: dict[str, Guarantee], codes: list[str], probabilities: Array, targets: Array, simulated: Flags, seed: int
) -> HeadVerdicts:
    """How often the promise was kept on test patients: by label with exact intervals, and the mean over labels.

    probabilities, targets: [N, L], one ECG a patient. Shares are of the patients with the label whose set holds
    "present" (kept_present), of those without whose set holds "absent" (kept_absent), and of all by verdict.
    """
    resamples = np.random.default_rng(seed).multinomial(len(targets), np.full(len(targets), 1 / len(targets)), size=200)
    labels: dict[str, LabelVerdicts] = {}
    means: dict[str, list[Array]] = {}
    for code, promise in fitted.items():
        if promise.low is None or promise.high is None:
            continue
        column = codes.index(code)
        here = simulated if promise.population == "simulated" else ~simulated
        p, truth = probabilities[here, column], targets[here, column]
        present, absent = p >= promise.low, p <= promise.high
        known = ~np.isnan(truth)
        weights = np.concatenate([np.ones((1, here.sum())), resamples[:, here]])
        shares: dict[str, Interval] = {}
        for name, kept, of in (
            ("kept_present", present, truth == 1),
            ("kept_absent", absent, truth == 0),
            ("says_present", present & ~absent, known),
            ("says_absent", absent & ~present, known),
        ):
            total = int(of.sum())
            if total < FEWEST:
                continue
            exact = binomtest(int((kept & of).sum()), total).proportion_ci(method="exact")
            shares[name] = (float((kept & of).sum() / total), float(exact.low), float(exact.high))
            with np.errstate(invalid="ignore", divide="ignore"):
                means.setdefault(name, []).append((weights[:, of] @ kept[of]) / weights[:, of].sum(axis=1))
        population = cast(Kind, promise.population)
        labels[code] = LabelVerdicts(population=population, patients=int(known.sum()), **shares)
    mean = {name: estimate(np.nanmean(np.stack(values), axis=0)) for name, values in means.items()}
    without = [code for code, promise in fitted.items() if promise.low is None]
    return HeadVerdicts(labels=labels, without=without, mean=VerdictFigures(**mean))
