"""One label's criterion held against what was measured on an ECG: met, not met, or not measurable, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

from ecgkt.criteria.contiguous import joined
from ecgkt.criteria.rule import Quantity, decisive, judge, quantities
from ecgkt.criteria.table import Criterion, Weight, criteria, rules
from ecgkt.measurements.normal_limits import ADULT

Verdict = Literal["met", "not met", "not measurable"]
HARDER = 1  # errors by which a value must lie beyond its limit for a contradiction to be told
SUPPORTS = {"met": "Met, which does not prove it", "not met": "Not met, which does not rule it out"}
CHILD = f"adult limits, and the patient is under {ADULT:.0f}"


@dataclass(frozen=True)
class Checked:
    """measured: the values that decide, and those told besides, in words; "" where there are none. reason: why it is
    not measurable, else "". plain: the verdict would stand if every value were off by its error."""

    criterion: Criterion
    verdict: Verdict
    measured: str
    reason: str = ""
    plain: bool = False

    @property
    def words(self) -> str:
        """ "Criterion: PR above 200 ms. Measured: PR 236 ms. Met."."""
        text = f"Criterion: {self.criterion.words}."
        if self.measured:
            text += f" Measured: {self.measured}."
        if self.verdict == "not measurable":
            return f"{text} Not measurable: {self.reason}."
        if self.criterion.weight == "defines":
            return f"{text} {self.verdict.capitalize()}."
        return f"{text} {SUPPORTS[self.verdict]}."

    def disagreement(self, positive: bool | None) -> str:
        """One sentence where a score and the definition of its finding contradict each other, else "".

        positive: None without a score.
        """
        if positive is None or self.criterion.weight != "defines" or not self.plain:
            return ""
        if (self.verdict == "met") == positive:
            return ""
        meets = "meets the criterion, but the score is below its threshold"
        misses = "does not meet the criterion, but the score is above its threshold"
        return f"The measurement disagrees: this ECG {misses if positive else meets} ({self.measured})."


class CriterionJSON(TypedDict):
    """As in the JSON report (docs/report.md). reason, disagreement: None where there is none."""

    definition: str
    weight: Weight
    source: str
    verdict: Verdict
    measured: str
    reason: str | None
    disagreement: str | None
    words: str


def criterion_json(checked: Checked, positive: bool | None) -> CriterionJSON:
    return {
        "definition": checked.criterion.words,
        "weight": checked.criterion.weight,
        "source": checked.criterion.source,
        "verdict": checked.verdict,
        "measured": checked.measured,
        "reason": checked.reason or None,
        "disagreement": checked.disagreement(positive) or None,
        "words": checked.words,
    }


def check(code: str, known: Mapping[str, Quantity], age: float | None = None) -> Checked | None:
    """The criterion of the label `code`, None where the table has none.

    known: from `ecgkt.criteria.quantities.quantities`. age: years.
    """
    criterion = criteria().get(code)
    if criterion is None:
        return None
    if age is not None and age < ADULT:
        return Checked(criterion, "not measurable", "", CHILD)
    met = judge(criterion.rule, known, rules())
    names = decisive(criterion.rule, known, rules())
    if met is None:
        reasons = dict.fromkeys(known[name].reason for name in names if known[name].reason)
        seen = [n for n in quantities(criterion.rule, rules()) if n not in names]
        return Checked(criterion, "not measurable", _told([*seen, *criterion.told], known), "; ".join(reasons))
    plain = judge(criterion.rule, known, rules(), HARDER if met else -HARDER) is met
    return Checked(criterion, "met" if met else "not met", _told([*names, *criterion.told], known), "", plain)


def _told(names: list[str], known: Mapping[str, Quantity]) -> str:
    return "; ".join(joined(known[name].words for name in names if known[name].words))
