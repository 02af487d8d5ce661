"""Tracing -> lab -> diagnosis in one sentence, composed of figures."""

from __future__ import annotations

from dataclasses import dataclass

from ecgkt.criteria.check import Checked
from ecgkt.lab_links.links import Carried, LabExplanation
from ecgkt.lab_links.physiology import Role
from ecgkt.relevance.summary import RelevanceSummary
from ecgkt.results import numbers

ROLES: dict[Role, str] = {"defines": "defines it", "cause": "a cause", "marker": "a marker, not a cause"}
REGIONS = 2


@dataclass(frozen=True)
class Seen:
    """What the tracing shows for the lab that carries most. measured: the figures of its criterion, "" where it is not
    met. where: what raises its score most, by relevance."""

    measured: str
    where: str

    @property
    def words(self) -> str:
        return "; ".join(part for part in (self.measured, self.where) if part)


def seen(summary: RelevanceSummary, checked: Checked | None) -> Seen:
    """summary, checked: of the lab's score."""
    measured = checked.measured if checked is not None and checked.verdict == "met" else ""
    raising = [region for region in summary.regions if (region.share.net or 0.0) > 0]
    raising.sort(key=lambda region: -region.share.raises)
    return Seen(measured, ", ".join(region.where for region in raising[:REGIONS]))


def sentence(explained: LabExplanation, shown: Seen) -> str:
    """ "Tallest T in a chest lead 12.1 mm (V3) → Hyperkalemia 71% → ...", and what each lab carries."""
    if explained.refusal:
        return f"Not explained by labs: {explained.refusal}."
    first, *others = explained.carried
    label = explained.score.label
    lab = f"{first.name} {numbers.percent(first.score.probability)}"
    chain = f"{_capital(shown.words)} → {lab} → {label.name} {numbers.percent(explained.score.probability)}."
    told = [f"{first.name} ({ROLES[first.sense.role]}) carries {numbers.percent(first.share)} of "
            "what lifts the score above the average"]  # fmt: skip
    told += [f"{each.name} ({ROLES[each.sense.role]}) adds {numbers.percent(each.share)}" for each in others]
    beyond = 1 - sum(each.share for each in explained.carried)
    if beyond >= 0.005:
        told.append(f"{numbers.percent(beyond)} is carried by no lab that is told here")
    elif beyond <= -0.005:
        told.append(f"other labs and the rest take {numbers.percent(-beyond)} off")
    return f"{chain} {'; '.join(told)}."


def disagreement(explained: LabExplanation) -> str:
    """Where the model and the table of physiology disagree, in a sentence; empty where they do not."""
    told = []
    if explained.senseless:
        names = " and ".join(explained.senseless)
        told.append(f"The model ties this score to {names}, which physiology does not explain.")
    if explained.unseen:
        told.append(f"Physiology names {' and '.join(explained.unseen)}, which no score of this model tells.")
    return " ".join(told)


def provenance(carried: Carried) -> tuple[str, str, str]:
    """(lab, what the model learned of it, what the table of physiology says of it)."""
    label = carried.score.label
    auroc = f"; test AUROC {label.auroc[0]:.2f} ({label.auroc[1]:.2f} to {label.auroc[2]:.2f})" if label.auroc else ""
    model = f"carries {numbers.percent(carried.share)}; learned from {label.learned_from} patients{auroc}"
    return carried.name, model, f"{ROLES[carried.sense.role]}: {carried.sense.why} ({carried.sense.source})"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:] or "The tracing"
