"""All lines of one ECG, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ecgkt.criteria.rule import Quantity
from ecgkt.ecg import ECG
from ecgkt.interpretation.line import Line, Section
from ecgkt.interpretation.record import Record, beside, missed
from ecgkt.interpretation.rhythm import Seen, rhythm_line
from ecgkt.interpretation.statements import NORMAL, RARE, axis_line, conduction_lines, group_lines, normal_line
from ecgkt.measurements.intervals import Intervals
from ecgkt.prediction import HEADS, LIKELY, Label, Prediction, Score

Order = Literal["Urgent", "Likely"]
ORDERS: tuple[Order, ...] = get_args(Order)
SECTIONS: tuple[Section, ...] = get_args(Section)
USUAL = ("SR", "NORM")  # not worth explaining where there is anything else
# They give way to another likely finding: told by counting, so what their scores rest on is no news; or of the atria.
MINOR = ("STACH", "SBRAD", "SARRH", "PVC", "PAC", "PRC(S)", "LAO/LAE", "RAO/RAE")


@dataclass(frozen=True)
class Interpretation:
    """lines: in a cart's order, by section; none where the model abstains. missed: scores below threshold of what the
    record states, or a lab was measured to be, and no line says."""

    lines: tuple[Line, ...] = ()
    missed: tuple[Score, ...] = ()

    def ordered(self, order: Order = "Urgent") -> list[Line]:
        """The lines that say something, without those that are normal.

        Urgent: what is urgent and likely first, then what is likely in a cart's order, then what is urgent and less
        likely, then the rest. Likely: rhythm first, then by probability, what was measured before all.
        """
        said = [line for line in self.lines if line.certainty != "normal"]
        return sorted(said, key=_by_urgency if order == "Urgent" else _by_likelihood)

    @property
    def normal(self) -> list[Line]:
        """What was measured and is within its limits."""
        return [line for line in self.lines if line.certainty == "normal"]


def interpret(
    ecg: ECG,
    found: Intervals,
    known: Mapping[str, Quantity],
    prediction: Prediction,
    record: Record | None = None,
) -> Interpretation:
    """found, known: measured on `ecg` (`measurements.intervals.measure`, `criteria.quantities.quantities`)."""
    if prediction.abstained:
        return Interpretation()
    seen = Seen(ecg, found, known, {s.label.code: s for head in HEADS for s in prediction.scores(head)})
    first = rhythm_line(seen)
    lines = group_lines(seen, prediction, first)
    lines += [*conduction_lines(seen, lines), axis_line(seen)]
    normal = normal_line(seen, lines)
    lines += [normal] if normal else []
    lines.sort(key=lambda line: SECTIONS.index(line.section))
    if record is None:
        return Interpretation(tuple(lines))
    return Interpretation(tuple(beside(line, record) for line in lines), missed(lines, prediction, record))


def opening(prediction: Prediction, told: Interpretation) -> Label | None:
    """What is explained first: the label of the first line, which is the most urgent; sinus rhythm gives way to any
    other, its rate, premature beats and the atria to another likely finding. Where nothing else is likely: that the ECG
    is normal, or else `Prediction.striking`'s label, unless that is only not excluded. None where the model abstained.
    """
    lines = [line for line in told.ordered() if line.is_open]
    scores = [s for line in lines if (s := line.score) and s.positive and s.label.code not in USUAL]
    first = scores[0].label if scores else None
    if first is not None and first.code in MINOR:
        others = (s.label for s in scores if s.label.head == "findings" and s.probability >= LIKELY)
        first = next((label for label in others if label.code not in MINOR), first)
    first = first or next((line.score.label for line in lines if line.codes == (NORMAL,) and line.score), None)
    striking = prediction.striking()
    if first is None and striking and striking.label.urgency and striking.probability < RARE:
        first = _likeliest(told)
    return first or (striking.label if striking else None)


def _likeliest(told: Interpretation) -> Label | None:
    """Of what is possible a finding before a diagnosis, the most probable; nothing that is only not excluded."""
    lines = [
        line
        for line in told.ordered()
        if line.certainty == "possible" and (_probability(line) >= RARE or not line.urgency)
    ]
    scores = [line.score for line in lines if line.score and line.score.label.code not in USUAL]
    best = max(scores, key=lambda score: (score.label.head == "findings", score.probability), default=None)
    return best.label if best else None


def _probability(line: Line) -> float:
    return line.score.probability if line.score else 1.0


def _by_urgency(line: Line) -> tuple[float, ...]:
    place = SECTIONS.index(line.section)
    probability = 1.0 if line.certainty == "measured" else _probability(line)  # what is measured is sure
    doubted = line.certainty in ("doubted", "open") and line.section != "rhythm"
    if line.urgency and line.is_open and line.section != "rhythm":
        return (0, not line.is_likely, line.urgency, -_probability(line))
    if line.section == "rhythm" and line.is_open:
        return (1, 0, place)
    if line.is_likely:
        return (2, place, -probability)
    if line.urgency and (not doubted or _probability(line) >= LIKELY):
        return (3, line.urgency, -_probability(line))
    return (5 if doubted else 4, place, -_probability(line))


def _by_likelihood(line: Line) -> tuple[float, ...]:
    if line.section == "rhythm" and line.is_open:
        return (0, 0)
    sure = {"confirmed": 1, "measured": 1, "likely": 2, "possible": 3, "doubted": 4, "open": 5}
    return (sure[line.certainty], -_probability(line))
