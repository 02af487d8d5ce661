"""AUROC per label and their means, by model and head, and how two models compare on the same patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ecgkt.prediction import AGGREGATES, SUPERCLASSES
from training.metrics import MIN_POSITIVES, Array, interval, label_aurocs

Flags = npt.NDArray[np.bool_]
Figure = list[float]  # [value, low, high]
# Twelve statements with a meaning at the bedside and enough examples in PTB-XL: what real ECGs are judged by.
STATEMENTS = (
    "AFIB", "CLBBB", "CRBBB", "1AVB", "LAFB", "LVH", "IMI", "ASMI", "STACH", "SBRAD", "PVC", "IRBBB",
)  # fmt: skip


def head_figures(
    codes: list[str], scores: Array, targets: Array, simulated: Flags, resamples: Array
) -> tuple[dict[str, Any], Array | None]:
    """One model's figures on one head, and the macro AUROC [1 + R] over the labels measured on the first kind.

    scores, targets: [N, labels], NaN where the model does not have the label or nobody knows. Real ECGs come before
    simulated ones: each label is measured on the first kind with enough positives, and says on which.
    """
    targets = np.where(np.isnan(scores), np.nan, targets)
    measured: dict[str, dict[int, Array]] = {}
    for kind, mask in (("real", ~simulated), ("simulated", simulated)):
        if mask.any():
            measured[kind] = label_aurocs(scores[mask], targets[mask], resamples[:, mask])
    labels: dict[str, Any] = {}
    for column, code in enumerate(codes):
        for kind in ("real", "simulated"):
            values = measured.get(kind, {}).get(column)
            if values is not None:
                mask = simulated if kind == "simulated" else ~simulated
                labels[code] = {
                    "auroc": figure(values),
                    "positives": int(np.nansum(targets[mask, column])),
                    "measured_on": kind,
                }
                break
    figures: dict[str, Any] = {"macro_auroc": None, "labels": labels}
    macro = None
    for kind in ("real", "simulated"):
        columns = [c for c in measured.get(kind, {}) if codes[c] not in AGGREGATES]
        if columns:
            mean = np.nanmean(np.stack([measured[kind][c] for c in columns]), axis=0)
            summary = {"macro_auroc": figure(mean), "labels": len(columns)}
            figures.setdefault("by_kind", {})[kind] = summary
            if macro is None:
                macro = mean
                figures["macro_auroc"], figures["measured_on"] = summary["macro_auroc"], kind
    return figures, macro


def real_findings(codes: list[str], scores: Array, targets: Array, resamples: Array) -> dict[str, Any]:
    """Macro AUROC over the superclasses and over `STATEMENTS`, on real ECGs [N] alone.

    "superclasses" and "statements": {"auroc", "labels": {code: {"auroc", "positives"}}, "missing": codes without a
    positive}. Here one positive is enough: a mean over a fixed list must not depend on how many each label happens to
    have. `few` names those below the usual smallest number.
    """
    result: dict[str, Any] = {"ecgs": len(targets)}
    for name, listed in (("superclasses", SUPERCLASSES), ("statements", STATEMENTS)):
        columns = {codes.index(code): code for code in listed if code in codes}
        values = {columns[c]: v for c, v in label_aurocs(scores, targets, resamples, minimum=1).items() if c in columns}
        positives = {columns[c]: int(np.nansum(targets[:, c])) for c in columns}
        result[name] = {
            "auroc": figure(np.nanmean(np.stack(list(values.values())), axis=0)) if values else None,
            "labels": {code: {"auroc": figure(v), "positives": positives[code]} for code, v in values.items()},
            "few": [code for code in values if positives[code] < MIN_POSITIVES],
            "missing": [code for code in listed if code not in values],
        }
    return result


def gap_closed(macros: dict[str, Array]) -> Figure | None:
    """[value, low, high] of (transfer - signal-only) / (multimodal - signal-only), resample by resample."""
    if not {"knowledge_transfer", "signal_only", "multimodal"} <= set(macros):
        return None
    transfer, signal, both = (macros[name] for name in ("knowledge_transfer", "signal_only", "multimodal"))
    return figure((transfer - signal) / (both - signal))


def difference(macros: dict[str, Array], first: str, second: str) -> Figure | None:
    """[value, low, high] of the paired difference in macro AUROC of diagnoses."""
    if not {first, second} <= set(macros):
        return None
    return figure(macros[first] - macros[second])


def figure(values: Array) -> Figure:
    """[value, low, high] of a value followed by its resamples."""
    return [float(values[0]), *interval(values[1:])]
