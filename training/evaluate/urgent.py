"""How many of the urgent are found: sensitivity at 95% specificity, and at the threshold that ships, on test ECGs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt import vocabulary
from ecgkt.prediction import HEADS
from ecgkt.results import names
from ecgkt.results.intervals import Kind
from ecgkt.results.trust_metrics import Urgent
from training.calibrate.fitted import fitted
from training.config import Config
from training.data.pool import Pool
from training.metrics import MIN_POSITIVES, Array, estimate
from training.train.outputs import run_outputs

SPECIFICITY = 0.95


def urgent_figures(config: Config, pool: Pool, simulated: npt.NDArray[np.bool_], resamples: Array) -> list[Urgent]:
    """Of every urgent label of the shipped model on each kind of test ECG that has enough positives.

    simulated: [test ECGs]; resamples: [R, test ECGs] how often each is in each resample.
    """
    rows, codes = pool.rows("test"), pool.codes()
    made, tested = fitted(config, pool, names.TRANSFER), run_outputs(config, names.TRANSFER, pool, "test").logits
    kinds: dict[Kind, npt.NDArray[np.bool_]] = {"real": ~simulated, "simulated": simulated}
    found = []
    for head in (head for head in HEADS if head in tested):
        probabilities = made.probabilities(head, codes[head], tested[head])
        limits = made.limits(head, codes[head])
        for column, code in enumerate(codes[head]):
            if code not in vocabulary.urgent():
                continue
            truth, score = pool.targets[head][rows, column], probabilities[:, column]
            for kind, mask in kinds.items():
                use = mask & ~np.isnan(truth) & ~np.isnan(score)
                positive = use & (truth == 1)
                negative = use & (truth == 0)
                if min(positive.sum(), negative.sum()) < MIN_POSITIVES:
                    continue
                weights = np.concatenate([np.ones((1, len(rows))), resamples])
                found.append(
                    Urgent(
                        code=code,
                        kind=kind,
                        positives=int(positive.sum()),
                        negatives=int(negative.sum()),
                        sensitivity=estimate(at_specificity(score, positive, negative, weights, SPECIFICITY)),
                        found=estimate(_share(weights[:, positive], score[positive] >= limits[column])),
                        spared=estimate(_share(weights[:, negative], score[negative] < limits[column])),
                    )
                )
    return sorted(found, key=lambda one: (vocabulary.urgent()[one.code], one.code, one.kind))


def at_specificity(
    score: Array, positive: npt.NDArray[np.bool_], negative: npt.NDArray[np.bool_], weights: Array, specificity: float
) -> Array:
    """[R] the share of the positive above the lowest threshold that calls no more than 1 - specificity of the negative
    positive. score, positive, negative: [N]; weights: [R, N], how often each is in each resample."""
    # Called positive is what lies above a cut. Resamples move it by little: three times the allowed share is ample.
    cuts = np.unique(score[negative])[::-1]
    cuts = cuts[: int(3 * (1 - specificity) * negative.sum()) + 20]
    above = score[None, :] > cuts[:, None]  # [cuts, N]
    false_alarms = weights[:, negative] @ above[:, negative].T  # [R, cuts], rising
    allowed = (1 - specificity) * weights[:, negative].sum(axis=1) + 1e-9
    last = np.maximum((false_alarms <= allowed[:, None]).sum(axis=1) - 1, 0)
    hits = weights[:, positive] @ above[:, positive].T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hits[np.arange(len(weights)), last] / weights[:, positive].sum(axis=1))


def _share(weights: Array, yes: npt.NDArray[np.bool_]) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights * yes).sum(axis=1) / weights.sum(axis=1))
