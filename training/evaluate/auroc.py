"""AUROC per label and their means, by model and head, and how two models compare on the same patients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt.prediction import AGGREGATES, SUPERCLASSES
from ecgkt.results.intervals import KINDS, Interval, Kind
from ecgkt.results.metrics import (
    FindingsOnSome,
    HeadFigures,
    KindFigures,
    LabelFigures,
    ListedFindings,
    ListedLabel,
    RealFindings,
)
from training.metrics import MIN_POSITIVES, Array, estimate, label_aurocs, share_closed

Flags = npt.NDArray[np.bool_]
# Twelve statements with a meaning at the bedside and enough examples in PTB-XL: what real ECGs are judged by.
STATEMENTS = (
    "AFIB", "CLBBB", "CRBBB", "1AVB", "LAFB", "LVH", "IMI", "ASMI", "STACH", "SBRAD", "PVC", "IRBBB",
)  # fmt: skip


def head_figures(
    codes: list[str], scores: Array, targets: Array, simulated: Flags, resamples: Array
) -> tuple[HeadFigures, Array | None]:
    """One model's figures on one head, and the macro AUROC [1 + R] over the labels measured on the first kind.

    scores, targets: [N, labels], NaN where the model does not have the label or nobody knows. Real ECGs come before
    simulated ones: each label is measured on the first kind with enough positives, and says on which.
    """
    targets = np.where(np.isnan(scores), np.nan, targets)
    measured: dict[Kind, dict[int, Array]] = {}
    masks: dict[Kind, Flags] = {"real": ~simulated, "simulated": simulated}
    for kind, mask in masks.items():
        if mask.any():
            measured[kind] = label_aurocs(scores[mask], targets[mask], resamples[:, mask])
    labels: dict[str, LabelFigures] = {}
    for column, code in enumerate(codes):
        for kind in KINDS:
            values = measured.get(kind, {}).get(column)
            if values is not None:
                positives = int(np.nansum(targets[masks[kind], column]))
                labels[code] = LabelFigures(auroc=estimate(values), positives=positives, measured_on=kind)
                break
    by_kind: dict[Kind, KindFigures] = {}
    macros: list[Array] = []
    for kind in KINDS:
        columns = [c for c in measured.get(kind, {}) if codes[c] not in AGGREGATES]
        if columns:
            macros.append(np.nanmean(np.stack([measured[kind][c] for c in columns]), axis=0))
            by_kind[kind] = KindFigures(macro_auroc=estimate(macros[-1]), labels=len(columns))
    first = next(iter(by_kind), None)
    macro_auroc = by_kind[first].macro_auroc if first else None
    figures = HeadFigures(macro_auroc=macro_auroc, labels=labels, by_kind=by_kind, measured_on=first)
    return figures, macros[0] if macros else None


def real_findings(
    codes: list[str], scores: Array, targets: Array, resamples: Array, groups: dict[str, dict[str, Flags]]
) -> RealFindings:
    """Macro AUROC over the superclasses and over `STATEMENTS`, on real ECGs [N] alone.

    groups: "by_amplitudes" and "by_source" -> name -> [N] which ECGs; the same is measured on each by itself.
    """

    def on(here: Flags) -> FindingsOnSome:
        some = scores[here], targets[here], resamples[:, here]
        superclasses, statements = (_listed(codes, listed, *some) for listed in (SUPERCLASSES, STATEMENTS))
        return FindingsOnSome(ecgs=int(here.sum()), superclasses=superclasses, statements=statements)

    pooled = on(np.ones(len(targets), dtype=bool))
    parts = {by: {name: on(here) for name, here in those.items() if here.any()} for by, those in groups.items()}
    return RealFindings(
        ecgs=pooled.ecgs, superclasses=pooled.superclasses, statements=pooled.statements, **parts
    )  # fmt: skip


def _listed(
    codes: list[str], listed: tuple[str, ...], scores: Array, targets: Array, resamples: Array
) -> ListedFindings:
    """Here one positive is enough: a mean over a fixed list must not depend on how many each label happens to have.
    `few` names those below the usual smallest number."""
    here = [code for code in listed if code in codes]
    columns = [codes.index(code) for code in here]
    measured = label_aurocs(scores[:, columns], targets[:, columns], resamples, minimum=1)
    values = {here[column]: value for column, value in measured.items()}
    positives = {code: int(np.nansum(targets[:, codes.index(code)])) for code in here}
    return ListedFindings(
        auroc=estimate(np.nanmean(np.stack(list(values.values())), axis=0)) if values else None,
        labels={code: ListedLabel(auroc=estimate(v), positives=positives[code]) for code, v in values.items()},
        few=[code for code in values if positives[code] < MIN_POSITIVES],
        missing=[code for code in listed if code not in values],
    )


def gap_closed(macros: dict[str, Array]) -> Interval | None:
    """[value, low, high] of (transfer - signal-only) / (multimodal - signal-only), resample by resample."""
    if not {"knowledge_transfer", "signal_only", "multimodal"} <= set(macros):
        return None
    transfer, signal, both = (macros[name] for name in ("knowledge_transfer", "signal_only", "multimodal"))
    return share_closed(transfer, signal, both)


def difference(macros: dict[str, Array], first: str, second: str) -> Interval | None:
    """[value, low, high] of the paired difference in macro AUROC of diagnoses."""
    if not {first, second} <= set(macros):
        return None
    return estimate(macros[first] - macros[second])
