"""One line of an interpretation: what is said, how sure, and the figures that it is composed of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from ecgkt.criteria.check import Checked, CriterionJSON, criterion_json
from ecgkt.prediction import Score
from ecgkt.results import numbers
from ecgkt.verdict import Verdict

Section = Literal["rhythm", "conduction", "axis", "hypertrophy", "ischemia", "st-t", "electrolytes", "beyond"]
TITLES: dict[Section, str] = {
    "rhythm": "Rhythm and rate",
    "conduction": "Conduction",
    "axis": "Axis",
    "hypertrophy": "Hypertrophy and voltage",
    "ischemia": "Ischemia and infarction",
    "st-t": "ST-T and QT",
    "electrolytes": "Electrolytes and drugs",
    "beyond": "Beyond the tracing",
}
# How a line was come by. confirmed: above threshold, and its criterion is met. measured: its definition is met,
# whatever the score. likely, possible: above threshold, at 50% or more and below. doubted: above threshold, but its
# definition is missed by more than the error of the measurement. normal: within normal limits. open: cannot be told.
Certainty = Literal["confirmed", "measured", "likely", "possible", "doubted", "normal", "open"]
Standing = Literal["stated", "not stated", "contradicted"]


@dataclass(frozen=True)
class Line:
    """statement: what is said, without figures. figures: those that it rests on, in words, "" without any.

    score: that of the label it is led by, None where nothing but measurement speaks. others: labels that say the same,
    above their thresholds too. checked: the criterion of the leading label. contradiction: a sentence where score and
    measurement disagree, else "". standing, record: what the record says of it, and in words; None without a record.
    """

    section: Section
    statement: str
    certainty: Certainty
    figures: str = ""
    score: Score | None = None
    others: tuple[Score, ...] = ()
    checked: Checked | None = None
    contradiction: str = ""
    standing: Standing | None = None
    record: str = ""
    codes: tuple[str, ...] = ()  # all labels of the group, whatever their scores
    is_pressing: bool = True  # False where its label is urgent, but what was measured is not

    @property
    def urgency(self) -> int | None:
        """1 the most urgent, of all labels in the line; None for what is not urgent."""
        if not self.is_pressing:
            return None
        scores = ([self.score] if self.score else []) + [*self.others]
        return min((score.label.urgency for score in scores if score.label.urgency), default=None)

    @property
    def is_likely(self) -> bool:
        return self.certainty in ("confirmed", "measured", "likely")

    @property
    def is_open(self) -> bool:
        """Is it to be read at once: likely, urgent with its criterion met, or the rhythm, whatever is known of it?"""
        pressing = bool(self.urgency) and self.checked is not None and self.checked.verdict == "met"
        return self.is_likely or pressing or (self.section == "rhythm" and self.certainty == "open")

    @property
    def text(self) -> str:
        """The whole line: "Atrial fibrillation, 88/min (52 to 131); score 97%, present"."""
        parts = [self.statement + (f", {self.figures}" if self.figures else "")]
        if self.score is not None:
            verdict = self.score.verdict
            told = f" (verdict: {verdict})" if verdict else ""
            parts.append(f"score {numbers.percent(self.score.probability)}{told}")
        return "; ".join([*parts, *([self.record] if self.record else [])])


class LineJSON(TypedDict):
    """As in the JSON report (docs/report.md). code, probability, threshold, verdict: of the leading label, None where
    nothing but measurement speaks. also: codes of other labels above threshold that say the same."""

    section: Section
    statement: str
    certainty: Certainty
    figures: str
    urgency: int | None
    code: str | None
    probability: float | None
    threshold: float | None
    verdict: Verdict | None
    also: list[str]
    criterion: CriterionJSON | None
    contradiction: str | None
    record: str | None
    text: str


def line_json(line: Line) -> LineJSON:
    score = line.score
    return {
        "section": line.section,
        "statement": line.statement,
        "certainty": line.certainty,
        "figures": line.figures,
        "urgency": line.urgency,
        "code": score.label.code if score else None,
        "probability": score.probability if score else None,
        "threshold": score.label.threshold if score else None,
        "verdict": score.verdict if score else None,
        "also": [other.label.code for other in line.others],
        "criterion": criterion_json(line.checked, score.positive if score else None) if line.checked else None,
        "contradiction": line.contradiction or None,
        "record": line.record or None,
        "text": line.text,
    }
