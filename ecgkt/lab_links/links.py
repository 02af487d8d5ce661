"""How much of a diagnosis's score each lab score carries: lab_links.json of a bundle, and what it says of one ECG.

Heads are linear on one embedding, so a diagnosis's log odds, as far as they differ from their mean over a reference
cohort, are a sum over labs of slope x (the lab's log odds less their mean), plus a rest. Slopes are a sparse regression
without negative coefficients (`training.calibrate.lab_links`) on the labs that an ECG carries and that make sense for
the diagnosis (`ecgkt.lab_links.physiology`). How far it holds when a cause is taken away: benchmarks/lab_links.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Annotated

from msgspec import Meta

from ecgkt.json_records import Record, RecordError, decode
from ecgkt.lab_links.physiology import Sense, senses
from ecgkt.prediction import Prediction, Score
from ecgkt.results.intervals import Count
from ecgkt.vocabulary import Lab, labs

FILE, VERSION = "lab_links.json", 1
LEAST_R2 = 0.5  # below which labs tell too little of how a score varies
LEAST_SHARE = 0.08  # of the distance from the mean, below which a lab is not told
LEAST_DISTANCE = 0.5  # log odds above the mean from which there is something to explain
MOST_REST = 0.5  # of the distance: what no lab carries, above which labs do not explain it
EDGE = 1e-6  # of probabilities, beyond which their log odds are noise
LogOdds = Annotated[float, Meta(ge=-100, le=100)]
R2 = Annotated[float, Meta(ge=-1e9, le=1)]
Slope = Annotated[float, Meta(ge=0, le=100)]


class DiagnosisLinks(Record, frozen=True):
    """mean: log odds over the reference cohort. r2: of a third of the cohort that the slopes were not fitted to.
    slopes: lab label -> log odds of the diagnosis a unit of the lab's. free_r2, senseless: of the same regression
    without the table of physiology, and the labs that it would use and the table does not know."""

    mean: LogOdds
    r2: R2
    slopes: dict[str, Slope]
    free_r2: R2
    senseless: list[str]


class LabLinks(Record, frozen=True):
    """reference: what the cohort was, in words. labs: lab label -> mean log odds."""

    version: int
    reference: str
    ecgs: Count
    labs: dict[str, LogOdds]
    diagnoses: dict[str, DiagnosisLinks]


@dataclass(frozen=True)
class Carried:
    """What one lab carries of a score: share of its distance from the mean, 0 to 1."""

    score: Score
    share: float
    sense: Sense

    @property
    def name(self) -> str:
        """ "Potassium high", which tells the lab from the diagnosis of the same name."""
        return f"{labs()[self.score.label.lab].name} {self.score.label.direction}"


@dataclass(frozen=True)
class LabExplanation:
    """carried: the labs that lift the score, the largest first; rest: the share that they do not carry. refusal: why
    the score is not explained by labs, else "". senseless: names of labs that the model ties to it besides, without
    sense. unseen: names of lab abnormalities that define it and that no score of this model tells."""

    score: Score
    r2: float
    carried: tuple[Carried, ...]
    rest: float
    refusal: str = ""
    senseless: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def read_links(content: bytes) -> LabLinks:
    """Raises RecordError for what is no lab_links.json of this version."""
    links = decode(content, LabLinks, VERSION, FILE)
    if not all(each.slopes.keys() <= links.labs.keys() for each in links.diagnoses.values()):
        raise RecordError(f"{FILE} ties a diagnosis to a lab that it says nothing of.")
    return links


def log_odds(probability: float) -> float:
    p = min(max(probability, EDGE), 1 - EDGE)
    return log(p / (1 - p))


def explain(code: str, prediction: Prediction, links: LabLinks) -> LabExplanation | None:
    """Of the diagnosis `code`; None where it has no score or the bundle has no links for it."""
    score = next((each for each in prediction.diagnoses if each.label.code == code), None)
    known = links.diagnoses.get(code)
    if score is None or known is None:
        return None
    scores = {each.label.code: each for each in prediction.labs}
    senseless = tuple(scores[lab].label.name for lab in known.senseless if lab in scores)
    if known.r2 < LEAST_R2 or not known.slopes:
        told = f"labs that an ECG carries tell {100 * max(0.0, known.r2):.0f}% of how this score varies"
        return LabExplanation(score, known.r2, (), 1.0, told, senseless, _unseen(code, links))
    distance = log_odds(score.probability) - known.mean
    if distance < LEAST_DISTANCE:
        told = "the score is not above that of the average simulated patient"
        return LabExplanation(score, known.r2, (), 1.0, told)
    makes_sense = senses(code)
    parts = [
        Carried(scores[lab], slope * (log_odds(scores[lab].probability) - links.labs[lab]) / distance, makes_sense[lab])
        for lab, slope in known.slopes.items()
        if lab in scores and lab in makes_sense
    ]
    rest = 1 - sum(part.share for part in parts)
    carried = tuple(sorted((p for p in parts if p.share >= LEAST_SHARE), key=lambda part: -part.share))
    refusal = ""
    if rest > MOST_REST or not carried:
        refusal = f"in this ECG labs carry {100 * max(0.0, 1 - rest):.0f}% of what lifts the score above the average"
    return LabExplanation(score, known.r2, carried, rest, refusal, senseless)


def _unseen(code: str, links: LabLinks) -> tuple[str, ...]:
    names = {f"{lab.code}_{side}": name for lab in labs().values() for side, name in _sides(lab)}
    defining = [lab for lab, sense in senses(code).items() if sense.role == "defines" and lab not in links.labs]
    return tuple(names[lab] for lab in defining if lab in names)


def _sides(lab: Lab) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("low", lab.low_name), ("high", lab.high_name)
