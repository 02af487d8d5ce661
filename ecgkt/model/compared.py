"""The networks that are compared on one ECG: which there are, whose labels they were taught with, how good they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ecgkt.results import label_curve, names, numbers
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table

if TYPE_CHECKING:
    from ecgkt.model.card import Card

ALL = "All labels"
SEES = {
    names.TRANSFER: "trained with labs and vitals; here it sees the ECG alone",
    names.SIGNAL: "never saw labs or vitals",
    names.MULTIMODAL: "sees the ECG and this patient's labs and vitals",
    names.PAPER: "pretrained against labs and vitals, then trained with labs; here it sees the ECG alone",
}
EVERY = {few: every for every, few in names.FEW_LABELS.items()}  # name of a network with few labels -> with all


def groups(card: Card) -> dict[str, list[str]]:
    """What they were taught with, in words -> names of the networks; one group in a bundle without few labels."""
    found = {ALL: [name for name in names.COMPARED if name in card.architectures]}
    few = [name for name in names.FEW_LABELS.values() if name in card.architectures]
    if few:
        patients = next((card.stages[name].labeled_patients for name in few if name in card.stages), None)
        found[f"{numbers.count(patients)} labeled patients"] = few
    return found


def short(name: str) -> str:
    """The title of a network among others taught with as many labels."""
    return names.title(EVERY.get(name, name))


def auroc(card: Card, metrics: Metrics, name: str) -> Interval | None:
    """Macro AUROC of diagnoses: by the bundle's own test, with few labels by the label-efficiency curve."""
    if name not in EVERY:
        figures = metrics.head(name, "diagnoses")
        return figures.macro_auroc if figures else None
    stage = card.stages.get(name)
    at = [point for point in label_curve.points(metrics) if stage and point.patients == stage.labeled_patients]
    return at[0].models.get(stage.recipe) if stage and at else None


def table(card: Card, metrics: Metrics, listed: Sequence[str], there: Collection[str]) -> Table:
    """What each network sees, was taught with and is worth; there: those that say something of this ECG."""
    rows = []
    for name in listed:
        stage, sees = card.stages.get(name), SEES[EVERY.get(name, name)]
        title = short(name)
        if name == names.FEW_LABELS[names.TRANSFER] and stage and stage.recipe:
            title = f"{title}: {names.title(stage.recipe)}"
        rows.append(
            [
                title,
                sees if name in there else f"{sees}: not shown, this ECG has no clinical table",
                numbers.count(stage.labeled_patients if stage else None),
                numbers.interval(auroc(card, metrics, name)),
            ]
        )
    about = metrics.label_curve_about
    caption = "Macro AUROC over diagnoses, test patients (95% confidence interval)"
    if about and any(name in EVERY for name in listed):
        caption += f": mean of {about.seeds} draws of labeled patients, of which these networks had the first"
    header = ("Model", "What it sees", "Labeled patients", "Macro AUROC, diagnoses")
    return Table(header, rows, caption, numbers=(2,), marked=range(len(rows)))
