"""Risk against coverage: how much better the answers get when the doubtful ECGs are left unanswered.

ECGs are ordered by how sure the head is of its labels (mean binary entropy of the calibrated probabilities), or by
novelty; of the share that is kept, the risk is the Brier score or the share of labels on the wrong side of their
threshold. AURC, the area under the curve (Geifman and El-Yaniv 2017), is its mean over all coverages; without any order
it is the risk of all ECGs. A Brier score falls too when ECGs with few positive labels are kept, so the macro AUROC of
what is kept stands beside it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt.results.trust_metrics import Order, RiskCoverage, RiskCurve
from training.metrics import Array, estimate, label_aurocs

COVERAGES = np.arange(0.1, 1.01, 0.1)


def entropy(probabilities: Array) -> Array:
    """[N] mean binary entropy (nats) over the labels of [N, L], NaN left out."""
    p = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return np.asarray(np.nanmean(-p * np.log(p) - (1 - p) * np.log(1 - p), axis=1))


def losses(probabilities: Array, targets: Array, thresholds: Array) -> dict[str, Array]:
    """[N] each: mean over an ECG's known labels of the squared error; of being on the threshold's wrong side."""
    known = ~np.isnan(targets) & ~np.isnan(probabilities)
    count = known.sum(axis=1)
    squared = np.where(known, (probabilities - targets) ** 2, 0.0)
    wrong = np.where(known, (probabilities >= thresholds) != (targets == 1), 0.0)
    return {name: values.sum(axis=1) / np.maximum(count, 1) for name, values in (("brier", squared), ("error", wrong))}


def curve(loss: Array, doubt: Array, weights: Array) -> tuple[Array, Array]:
    """[R, len(COVERAGES)] risk of the least doubtful share, and [R] area under the whole curve.

    loss, doubt: [N]; weights: [R, N], how often each ECG is in each resample.
    """
    order = np.argsort(doubt, kind="stable")
    mass = np.cumsum(weights[:, order], axis=1)
    risk = np.cumsum(weights[:, order] * loss[order], axis=1) / np.maximum(mass, 1)
    share = mass / mass[:, -1:]
    at = [np.argmax(share >= coverage - 1e-9, axis=1) for coverage in COVERAGES]
    rows = np.arange(len(weights))
    area = (risk * weights[:, order]).sum(axis=1) / mass[:, -1]
    return np.stack([risk[rows, columns] for columns in at], axis=1), area


def figures(
    codes: list[str],
    probabilities: Array,
    targets: Array,
    thresholds: Array,
    doubts: dict[Order, Array],
    resamples: Array,
) -> RiskCoverage:
    """A curve for each order in `doubts` (name -> [N], large is doubtful), with 95% intervals over patients.

    ECGs of which no label is known are left out. resamples: [R, N].
    """
    known = (~np.isnan(targets) & ~np.isnan(probabilities)).any(axis=1)
    p, truth = probabilities[known], targets[known]
    weights = np.concatenate([np.ones((1, int(known.sum()))), resamples[:, known]])
    loss = losses(p, truth, thresholds)
    orders: dict[Order, RiskCurve] = {}
    for order, doubt in doubts.items():
        aurocs, measured = _aurocs(p, truth, doubt[known])
        brier, brier_area = curve(loss["brier"], doubt[known], weights)
        error, error_area = curve(loss["error"], doubt[known], weights)
        orders[order] = RiskCurve(
            auroc=aurocs,
            auroc_labels=measured,
            brier=[estimate(risk) for risk in brier.T],
            brier_area=estimate(brier_area),
            # What the order gains on no order at all, whose area is the risk of all ECGs.
            brier_gain=estimate(brier[:, -1] - brier_area),
            error=[estimate(risk) for risk in error.T],
            error_area=estimate(error_area),
            error_gain=estimate(error[:, -1] - error_area),
        )
    coverage = [round(float(share), 2) for share in COVERAGES]
    return RiskCoverage(ecgs=int(known.sum()), labels=len(codes), coverage=coverage, orders=orders)


def _aurocs(probabilities: Array, targets: Array, doubt: Array) -> tuple[list[float | None], int]:
    """Macro AUROC of what is kept at each coverage, and over how many labels: those measurable at every coverage."""
    order = np.argsort(doubt, kind="stable")
    by_coverage: list[dict[int, npt.NDArray[np.float64]]] = []
    for coverage in COVERAGES:
        kept = order[: round(coverage * len(order))]
        by_coverage.append(label_aurocs(probabilities[kept], targets[kept], np.empty((0, len(kept)))))
    common = set.intersection(*(set(measured) for measured in by_coverage))
    return [float(np.mean([m[c][0] for c in common])) if common else None for m in by_coverage], len(common)
