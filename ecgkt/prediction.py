"""What the model says of an ECG: plain data, shared by the command line, the pages and the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ecgkt import vocabulary
from ecgkt.verdict import Guarantee, Verdict

Head = Literal["findings", "diagnoses", "labs"]
HEADS: tuple[Head, ...] = ("findings", "diagnoses", "labs")
# What a head is called, and what it is about.
TITLES: dict[Head, tuple[str, str]] = {
    "findings": ("Findings", "ECG statements, predicted"),
    "diagnoses": ("Diagnoses", "ICD-10 codes of the stay, predicted"),
    "labs": ("Labs", "predicted from the ECG, not measured"),
}
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")  # PTB-XL's diagnostic superclasses (Wagner 2020)
CODE = r"\A[A-Za-z0-9_/.+-]{1,40}\Z"  # of a label: part of columns' names, FHIR and DICOM codes, keys of a page
NAME = r"\A[^\n\t\\]{1,64}\Z"  # of a model: what DICOM has room for, where it is a device's
WORDS, LONGEST_WORDS = r"\A\S+(?: \S+)*\Z", 500  # of a label: one line, of no other spaces than FHIR knows
LEAST_AUROC = 0.60  # lower limit of the interval below which a label is nothing that an ECG is seen to carry
LIKELY = 0.5
AGGREGATES = ("MI", "STTC", "CD", "HYP")  # those that are not SCP statements themselves; outputs of the findings head


@dataclass(frozen=True)
class Label:
    """One thing a head can say, with all that a reader needs to judge it. Comes from the bundle, not from code.

    code: SCP-ECG statement, ICD-10-CM code without dot, or "LAB_low" / "LAB_high".
    group: SCP superclass, ICD chapter block, or lab group, for filters and colors.
    prevalence: share of positives among the *known* labels of the training split.
    threshold: on the calibrated probability; threshold_source says how it was chosen.
    auroc: (value, low, high) on the test split with a patient-level 95% interval, None where not measurable.
    learned_from: "simulated", "real" or "simulated and real" patients.
    measured_on: the test ECGs behind `auroc`, "real" or "simulated"; "" if neither.
    guarantee: what bounds the errors of a verdict; None in a bundle from before there were any.
    lab, direction, unit, limit: labs only; `limit` is the reference limit beyond which the label is positive.
    """

    head: Head
    code: str
    name: str
    group: str
    prevalence: float
    threshold: float
    threshold_source: str
    auroc: tuple[float, float, float] | None
    test_positives: int
    learned_from: str
    lab: str = ""
    direction: str = ""
    unit: str = ""
    limit: float | None = None
    measured_on: str = ""
    guarantee: Guarantee | None = None

    @property
    def silent(self) -> str:
        """Why this label is never a result, only a negative control on the Model page and in the card; "" if it is one.

        A label whose test AUROC was not measurable, for want of positives, is not silent for that.
        """
        why = vocabulary.not_offered(self.code) if self.head == "diagnoses" else ""
        if why:
            return why
        if self.auroc is not None and self.auroc[1] < LEAST_AUROC:
            return f"test AUROC's lower limit {self.auroc[1]:.2f}"
        return ""

    @property
    def urgency(self) -> int | None:
        """1 the most urgent; None for what is not urgent."""
        return vocabulary.urgent().get(self.code)


@dataclass(frozen=True)
class Score:
    """A label with what the model says of it for one ECG; `probability` is calibrated."""

    label: Label
    probability: float

    @property
    def positive(self) -> bool:
        return self.probability >= self.label.threshold

    @property
    def verdict(self) -> Verdict | None:
        """Present, absent or uncertain, with a bounded share of errors; None where nothing can be promised."""
        return self.label.guarantee.verdict(self.probability) if self.label.guarantee else None


@dataclass(frozen=True)
class Quality:
    """Is this a usable tracing? Sentences for the user: `reasons` why it is not, which makes the model abstain, and
    `warnings`, what makes a usable tracing doubtful."""

    ok: bool
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """Everything said of one ECG. Lists are ranked by falling probability; labels that are `silent` are in none.

    superclasses: NORM, MI, STTC, CD, HYP -> calibrated probability.
    embedding: [dimension] float32. When the model abstains, lists are empty and embedding is None.
    milliseconds: time spent in "predict".
    """

    quality: Quality
    findings: tuple[Score, ...] = ()
    superclasses: dict[str, float] = field(default_factory=dict)
    diagnoses: tuple[Score, ...] = ()
    labs: tuple[Score, ...] = ()
    embedding: npt.NDArray[np.float32] | None = None
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def abstained(self) -> bool:
        return not self.quality.ok

    def scores(self, head: Head) -> tuple[Score, ...]:
        return {"findings": self.findings, "diagnoses": self.diagnoses, "labs": self.labs}[head]

    def is_positive(self, label: Label) -> bool | None:
        """Is the score of `label` at its threshold or above? Superclasses included; None for a label that is silent."""
        probability = self.superclasses.get(label.code) if label.head == "findings" else None
        if probability is None:
            probability = next((s.probability for s in self.scores(label.head) if s.label.code == label.code), None)
        return None if probability is None else probability >= label.threshold

    def striking(self) -> Score | None:
        """What to read first; None when the model abstains.

        The most urgent of the positive if any is urgent, the likely (50% and more) of them before others. Else a
        finding, which is what a tracing shows: of those positive the one that stands out most against its prevalence;
        where none is, what else is positive and likely, or the finding nearest to its threshold.
        """
        every = [score for head in HEADS for score in self.scores(head)]
        positive = [score for score in every if score.positive]
        urgent = [(s.probability < LIKELY, s.label.urgency, -s.probability, s) for s in positive if s.label.urgency]
        if urgent:
            return min(urgent, key=lambda entry: entry[:3])[-1]
        shown = [score for score in positive if score.label.head == "findings"]
        shown = shown or [score for score in positive if score.probability >= LIKELY]
        if shown:
            return max(shown, key=lambda score: score.probability / max(score.label.prevalence, 0.01))
        return max(self.findings or every, key=lambda score: score.probability / score.label.threshold, default=None)


@dataclass(frozen=True)
class Attribution:
    """What one score rests on.

    relevance: [12, samples] at `rate` Hz, aligned with the ECG's start, signed (positive raised the score).
    method: "effects", "integrated_gradients" or "saliency" (saliency is unsigned).
    rhythm: what rests on when beats come (RR intervals) and so on no sample of a lead; signed, in the unit of the sum
    of `relevance`.
    """

    label: Label
    method: str
    rate: float
    relevance: npt.NDArray[np.float32]
    rhythm: float = 0.0

    @property
    def signed(self) -> bool:
        return self.method != "saliency"
