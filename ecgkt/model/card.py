"""bundle.json: what a bundle says of itself, everything that is neither a weight nor a test figure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from ecgkt import vocabulary
from ecgkt.ecg import LEADS
from ecgkt.json_records import Record, RecordError, decode
from ecgkt.model.networks.network import CLIP_MV, Architecture
from ecgkt.model.preprocessing import BAND, MODEL_RATE, MODEL_SAMPLES
from ecgkt.prediction import CODE, LONGEST_WORDS, NAME, WORDS, Head, Label
from ecgkt.results.intervals import SOME, Count, Kind, Number, Seed, Share, Shares, Title
from ecgkt.verdict import Guarantee

VERSION = 1
LONGEST_SHOWN = 100  # characters of what a message quotes
MOST = 10**12  # patients
Settings = dict[str, Any]  # a run's YAML as it was; `training.config.Config` knows its keys
Code = Annotated[str, Meta(pattern=CODE)]
Name = Annotated[str, Meta(pattern=NAME)]
Words = Annotated[str, Meta(pattern=WORDS, max_length=LONGEST_WORDS)]
Calibrations = dict[str, dict[str, dict[str, tuple[float, float]]]]


class Normalization(Record, frozen=True):
    """What a signal has behind it when it enters a network.

    band_hz: band-pass of the preprocessing; clip_mv: beyond which values are cut off; lead_scale_mv: [12] what each
    lead is divided by.
    """

    unit: str
    band_hz: tuple[float, float]
    clip_mv: float
    lead_scale_mv: list[float]


class LabelEntry(Record, frozen=True):
    """One label of a head, with all that `ecgkt.prediction.Label` needs, and its positives in training."""

    code: Code
    name: Words
    group: Words
    prevalence: Share
    training_positives: Count
    threshold: Share
    threshold_source: Words
    guarantee: Guarantee | None
    auroc: Shares | None
    test_positives: Count
    measured_on: Kind | None
    learned_from: Words
    lab: str = ""
    direction: Literal["", "low", "high"] = ""
    unit: str = ""
    limit: Number | None = None

    def label(self, head: Head) -> Label:
        return Label(
            head=head,
            code=self.code,
            name=self.name,
            group=self.group,
            prevalence=self.prevalence,
            threshold=self.threshold,
            threshold_source=self.threshold_source,
            auroc=self.auroc,
            test_positives=self.test_positives,
            learned_from=self.learned_from,
            lab=self.lab,
            direction=self.direction,
            unit=self.unit,
            limit=self.limit,
            measured_on=self.measured_on or "",
            guarantee=self.guarantee,
        )


class Split(Record, frozen=True):
    """Patients and ECGs of one split of a data set."""

    patients: Count
    ecgs: Count


class DataSet(Record, frozen=True):
    """A data set that the networks were trained on; fingerprint: SHA-256 of its prepared arrays."""

    name: str
    source: str
    simulated: bool
    patients: Count
    ecgs: Count
    splits: dict[str, Split]
    license: str | None
    note: str | None
    fingerprint: str
    used_in_stage_1: bool


class TrainingStage(Record, frozen=True):
    """What training one network took.

    source_erased_on: normal ECGs that the real-or-simulated direction was found on, where it was erased from the lab
    heads. labeled_patients: whose diagnoses were used. recipe: its name on the label-efficiency curve, of networks that
    come from there. Both are absent in bundles from before networks with few labels.
    """

    parameters: Count
    seconds_this_run: Count
    source_erased_on: Count | None = None
    labeled_patients: Count | None = None
    recipe: str = ""


class Card(Record, frozen=True):
    """All of bundle.json.

    rate: Hz; samples: of one model window. labels: in the order of the outputs. calibration: model -> head -> code ->
    (slope, intercept) on the logit. seeds: of the run and of its simulated data sets. architectures, stages: by model.
    files: name -> SHA-256 of every other file of the bundle.
    """

    version: int
    name: Name
    created: Words
    leads: list[str]
    rate: Count
    samples: Count
    normalization: Normalization
    labels: dict[Head, list[LabelEntry]]
    calibration: Calibrations
    training_data: Annotated[list[DataSet], SOME]
    seeds: Annotated[dict[Title, Seed], SOME]
    config: Settings
    stages: Annotated[dict[Title, TrainingStage], SOME]
    intended_use: str
    not_for: Annotated[list[str], SOME]
    limits: Annotated[list[str], SOME]
    architectures: dict[str, Architecture]
    files: dict[str, str]


def read_card(content: bytes) -> Card:
    """The content of a bundle.json, whose signals this code can make.

    Raises RecordError where the bundle was made for other leads, another sampling rate, window, band or clipping, and
    for labels that are none.
    """
    card = decode(content, Card, VERSION, "bundle.json")
    made_for = card.normalization
    for what, stated, here in (
        ("leads", card.leads, list(LEADS)),
        ("sampling rate (Hz)", card.rate, MODEL_RATE),
        ("number of samples", card.samples, MODEL_SAMPLES),
        ("unit", made_for.unit, "mV"),
        ("band (Hz)", list(made_for.band_hz), list(BAND)),
        ("clipping (mV)", made_for.clip_mv, CLIP_MV),
    ):
        if stated != here:
            raise RecordError(
                f"The bundle was made with other {what}: {str(stated)[:LONGEST_SHOWN]}; this ecgkt has {here}."
            )
    _check_labels(card)
    return card


def _check_labels(card: Card) -> None:
    """Raises RecordError for what the types alone do not rule out."""
    entries = [entry for listed in card.labels.values() for entry in listed]
    if len({entry.code for entry in entries}) < len(entries):
        raise RecordError("bundle.json has two labels with one code.")
    known = vocabulary.labs()
    for entry in card.labels.get("labs", []):
        if entry.lab not in known or entry.code != f"{entry.lab}_{entry.direction}":
            raise RecordError("bundle.json has a lab that this ecgkt does not know.")
    promises = [entry.guarantee for entry in entries if entry.guarantee]
    if not all(0 <= share <= 1 for each in promises for share in (each.alpha, each.low or 0.0, each.high or 0.0)):
        raise RecordError("bundle.json has a guarantee whose shares are none.")
    if not all(0 <= count <= MOST for each in promises for count in (each.positives, each.negatives)):
        raise RecordError("bundle.json has a guarantee that rests on patients that there cannot be.")
    if any(entry.auroc and entry.auroc[1] > entry.auroc[2] for entry in entries):
        raise RecordError("bundle.json has an interval that ends before it begins.")
