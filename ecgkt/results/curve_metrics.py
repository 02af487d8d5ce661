"""The label-efficiency curve in metrics.json: macro AUROC of diagnoses against the number of labeled patients."""

from __future__ import annotations

from msgspec import field

from ecgkt.json_records import Record
from ecgkt.results.intervals import Interval


class CurvePoint(Record, frozen=True):
    """All models trained with the diagnoses of so many patients.

    models: model -> macro AUROC. gain: transfer minus signal-only, paired. gap_closed, attainable_gap_closed: the share
    of the distance from signal-only to the multimodal model, or to the ECG-only oracle, that the transfer covers.
    """

    patients: int
    models: dict[str, Interval | None]
    gap_closed: Interval | None = None
    attainable_gap_closed: Interval | None = None
    gain: Interval | None = None


class TailPoint(Record, frozen=True):
    """Diagnoses with positives[0] up to positives[1] (None: no limit) positive ECGs in the training split, with the
    labels of all patients.

    labels: how many there are. signal_only, knowledge_transfer: macro AUROC over them; gain: the paired difference.
    Intervals resample patients and seeds.
    """

    positives: tuple[int, int | None]
    labels: int
    signal_only: Interval | None
    knowledge_transfer: Interval | None
    gain: Interval | None


class Conclusions(Record, frozen=True):
    """Paired differences in macro AUROC of the transfer at a tenth of the labels, and with all of them."""

    best_at_tenth_minus_signal_only_with_all: Interval | None = None
    best_minus_signal_only_with_all: Interval | None = None
    best_minus_signal_only_at_tenth: Interval | None = None
    best_minus_others_at_tenth: dict[str, Interval | None] = field(default_factory=dict)


class CurveRun(Record, frozen=True):
    """One training run: recipe, labeled patients (0: all), seed, and where early stopping took it."""

    recipe: str
    size: int
    seed: int
    labeled_ecgs: int
    validation: float
    stopped_at: str
    seconds: int


class CurveAbout(Record, frozen=True):
    """What holds for the whole curve.

    best: the model that is called the transfer. tenth: labeled patients that stand for a tenth of them. models: model
    -> what it is. seeds: training runs behind each point, each with its own draw of labeled patients.
    """

    best: str
    tenth: int
    conclusions: Conclusions
    models: dict[str, str]
    seeds: int
    runs: list[CurveRun]
    note: str
