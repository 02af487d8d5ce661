"""What the record says of an ECG: stated findings and diagnoses, measured labs; and how a line stands to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ecgkt import vocabulary
from ecgkt.interpretation.groups import grouped, groups, within
from ecgkt.interpretation.line import Line, Standing
from ecgkt.prediction import AGGREGATES, HEADS, Prediction, Score
from ecgkt.results import numbers

NORMAL = "NORM"
LAB = "lab:"  # beginning of a lab's key in a clinical table
# Groups of which a record that states one, and none of the line's own, contradicts the line.
EXCLUDING = ("sinus", "fibrillation")


@dataclass(frozen=True)
class Record:
    """findings: SCP-ECG statements; diagnoses: ICD-10-CM with their ancestors; both empty where none are known. labs:
    code -> measured value in the unit of labs.csv."""

    findings: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    labs: Mapping[str, float] = field(default_factory=dict)

    @property
    def stated(self) -> frozenset[str]:
        return self.findings | self.diagnoses


def measured_labs(clinical: Mapping[str, float] | None) -> dict[str, float]:
    """Lab code -> measured value of a clinical table; without NaN and without labs that the vocabulary lacks."""
    pairs = {key.removeprefix(LAB): value for key, value in (clinical or {}).items() if key.startswith(LAB)}
    return {code: value for code, value in pairs.items() if code in vocabulary.labs() and value == value}


def lab_words(code: str, value: float) -> str:
    """ "measured 6.2 mmol/L, high", "measured 24.9%, low"."""
    lab = vocabulary.labs()[code]
    return f"measured {numbers.measured(value)}{numbers.unit(lab.unit)}, {lab.flag(value) or 'normal'}"


def is_stated(code: str, record: Record) -> bool:
    """Does the record state the label, or of a superclass (AGGREGATES) one of its statements?"""
    names = vocabulary.findings()
    of_class = code in AGGREGATES and any(names[c].superclass == code for c in record.findings if c in names)
    return of_class or code in record.stated


def beside(line: Line, record: Record) -> Line:
    """The line with what the record says of it."""
    scores = ([line.score] if line.score else []) + [*line.others]
    labs = {score.label.lab: score for score in scores if score.label.lab in record.labs}
    measured = [f"{_within(code)} {lab_words(code, record.labs[code])}" for code in labs]
    agrees = [_agrees(score, record) for score in labs.values()]
    contradicting = _contradicting(line, record)
    standing: Standing | None = None
    if (set(line.codes) | {score.label.code for score in scores}) & record.stated:
        standing, words = "stated", ["in the record", *measured]
    elif contradicting:
        standing, words = "contradicted", [f"the record states {contradicting}", *measured]
    elif agrees:
        standing = "stated" if any(agrees) else "contradicted"
        words = measured if any(agrees) else [f"contradicted: {'; '.join(measured)}"]
    else:
        standing = "not stated" if _is_known(scores, record) else None
        words = ["not in the record"] if standing else []
    return replace(line, standing=standing, record="; ".join(words))


def _agrees(score: Score, record: Record) -> bool:
    return vocabulary.labs()[score.label.lab].flag(record.labs[score.label.lab]) == score.label.direction


def _within(code: str) -> str:
    """A lab's name within a sentence: "potassium", but "INR" and "NT-proBNP"."""
    return within(vocabulary.labs()[code].name)


def _is_known(scores: Sequence[Score], record: Record) -> bool:
    """Does the record know anything of the kind of what is said?"""
    known = {"findings": bool(record.findings), "diagnoses": bool(record.diagnoses), "labs": False}
    return any(known[score.label.head] for score in scores)


def _contradicting(line: Line, record: Record) -> str:
    """What the record states that cannot be beside the line, in words; empty where there is nothing."""
    names = vocabulary.findings()
    if line.codes == (NORMAL,):
        return next((names[c].name for c in sorted(record.findings - {NORMAL}) if _is_diagnostic(c)), "")
    code = line.score.label.code if line.score else ""
    if NORMAL in record.findings and line.is_likely and _is_diagnostic(code):
        return names[NORMAL].name
    own = next((key for key in EXCLUDING if line.section == "rhythm" and line.codes == groups()[key].codes), None)
    others = [key for key in EXCLUDING if own and key != own and set(groups()[key].codes) & record.findings]
    return groups()[others[0]].name if others else ""


def _is_diagnostic(code: str) -> bool:
    return code in vocabulary.findings() and vocabulary.findings()[code].kind == "diagnostic"


def missed(lines: Sequence[Line], prediction: Prediction, record: Record) -> tuple[Score, ...]:
    """Scores below threshold of what the record states or a lab measured beyond its limit, and no line says."""
    said = {code for line in lines for code in line.codes}
    said |= {s.label.code for line in lines for s in ([line.score] if line.score else []) + [*line.others]}
    diagnoses = {s.label.code for s in prediction.diagnoses} & record.stated
    out: list[Score] = []
    for score in (score for head in HEADS for score in prediction.scores(head) if not score.positive):
        label = score.label
        value = record.labs.get(label.lab) if label.head == "labs" else None
        is_abnormal = value is not None and vocabulary.labs()[label.lab].flag(value) == label.direction
        is_parent = label.head == "diagnoses" and any(c != label.code and c.startswith(label.code) for c in diagnoses)
        if (label.code in record.stated or is_abnormal) and label.code not in said and not is_parent:
            out.append(score)
    return tuple(members[0] for _, members in grouped(out).values())
