"""The label-efficiency curve in metrics.json: macro AUROC of diagnoses against the number of labeled patients."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from ecgkt.json_records import Record
from ecgkt.results.intervals import SOME, Count, Interval, Number, Seed, Shares, Title

Patients = Annotated[int, Meta(ge=1, le=10**12)]


class CurvePoint(Record, frozen=True):
    """All models trained with the diagnoses of so many patients.

    models: model -> macro AUROC. gain: transfer minus signal-only, paired. gap_closed, attainable_gap_closed: the share
    of the distance from signal-only to the multimodal model, or to the ECG-only oracle, that the transfer covers.
    """

    patients: Patients
    models: Annotated[dict[Title, Shares | None], SOME]
    gap_closed: Interval | None = None
    attainable_gap_closed: Interval | None = None
    gain: Interval | None = None


class TailPoint(Record, frozen=True):
    """Diagnoses with positives[0] up to positives[1] (None: no limit) positive ECGs in the training split, with the
    labels of all patients.

    labels: how many there are. signal_only, knowledge_transfer: macro AUROC over them; gain: the paired difference.
    Intervals resample patients and seeds.
    """

    positives: tuple[Count, Count | None]
    labels: Count
    signal_only: Shares | None
    knowledge_transfer: Shares | None
    gain: Interval | None


class Conclusions(Record, frozen=True):
    """Paired differences in macro AUROC of the transfer at a tenth of the labels, and with all of them."""

    best_at_tenth_minus_signal_only_with_all: Interval | None = None
    best_minus_signal_only_with_all: Interval | None = None
    best_minus_signal_only_at_tenth: Interval | None = None
    best_minus_others_at_tenth: Annotated[dict[Title, Interval | None], SOME] = field(default_factory=dict)


class CurveRun(Record, frozen=True):
    """One training run: recipe, labeled patients (0: all), seed, and where early stopping took it."""

    recipe: str
    size: Count
    seed: Seed
    labeled_ecgs: Count
    validation: Number
    stopped_at: str
    seconds: Count


class CurveAbout(Record, frozen=True):
    """What holds for the whole curve.

    best: the model that is called the transfer. tenth: labeled patients that stand for a tenth of them. models: model
    -> what it is. seeds: training runs behind each point, each with its own draw of labeled patients.
    """

    best: Title
    tenth: Patients
    conclusions: Conclusions
    models: Annotated[dict[Title, str], SOME]
    seeds: Count
    runs: list[CurveRun]
    note: str
