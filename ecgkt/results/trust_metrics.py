"""Figures on how far the answers can be trusted: calibration, subgroups, verdicts, risk against coverage, novelty.

How each is computed is said in training/evaluate (calibration_error, subgroups, risk_coverage) and training/calibrate
(conformal, out_of_distribution).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ecgkt.json_records import Record
from ecgkt.prediction import Head
from ecgkt.results.intervals import Interval, Kind

Order = Literal["confidence", "novelty"]


class Bin(msgspec.Struct, frozen=True, array_like=True):
    """A bin of the reliability diagram, a JSON array: mean predicted and observed share with its interval, pairs."""

    predicted: float
    observed: float
    low: float
    high: float
    pairs: int


class Calibration(Record, frozen=True):
    """Calibration errors over all pairs of an ECG and a label, and (`classwise`) as the mean over labels.

    in_the_large: observed minus predicted share. classwise_labels: how many labels were judged by themselves.
    validation: the same on validation ECGs, by calibrations fitted on other validation patients.
    """

    ece: Interval | None
    ece_debiased: Interval | None
    ece_equal_mass: Interval | None
    in_the_large: Interval | None
    pairs: int
    positives: int
    bins: list[Bin]
    classwise: Interval | None = None
    classwise_debiased: Interval | None = None
    classwise_labels: int | None = None
    validation: Calibration | None = None


class Subgroup(Record, frozen=True):
    """One group of a division ("age", "sex"): macro AUROC over the `labels` that every group has enough of, debiased
    calibration error, observed minus predicted share."""

    by: str
    group: str
    patients: int
    ecgs: int
    positives: int
    labels: int
    auroc: Interval | None
    ece: Interval | None
    in_the_large: Interval | None


class Urgent(Record, frozen=True):
    """An urgent label on one kind of test ECG.

    sensitivity: at 95% specificity; found, spared: sensitivity and specificity at the threshold that ships.
    """

    code: str
    kind: Kind
    positives: int
    negatives: int
    sensitivity: Interval | None
    found: Interval | None
    spared: Interval | None


class Refusals(Record, frozen=True):
    """ECGs of one group that the quality check does not pass, and their share with its exact interval."""

    by: str
    group: str
    patients: int
    ecgs: int
    refused: int
    share: Interval


class VerdictFigures(Record, frozen=True):
    """Shares of test patients, for one label (exact intervals) or as the mean over labels.

    kept_present, kept_absent: of those with the label (without it), not called the opposite. says_present, says_absent:
    of all, called so. None where there are too few.
    """

    kept_present: Interval | None = None
    kept_absent: Interval | None = None
    says_present: Interval | None = None
    says_absent: Interval | None = None


class LabelVerdicts(VerdictFigures, frozen=True, kw_only=True):
    """One label: `population` says on whose validation ECGs its limits were set and its verdicts measured."""

    population: Kind
    patients: int


class HeadVerdicts(Record, frozen=True):
    """labels: code -> figures; without: codes with too few validation patients for any limit; mean: over labels."""

    labels: dict[str, LabelVerdicts]
    without: list[str]
    mean: VerdictFigures


class Conformal(Record, frozen=True):
    """Verdicts by split conformal prediction; alpha: the share of errors that each label may have."""

    alpha: float
    heads: dict[Head, HeadVerdicts]


class Beyond(Record, frozen=True):
    """Shares of so many ECGs whose novelty is beyond the two limits; `near` includes `far`."""

    ecgs: int
    near: float
    far: float


class SourceNovelty(Beyond, frozen=True):
    """Test ECGs of one data set."""

    simulated: bool


class JunkNovelty(Beyond, frozen=True):
    """Signals that are no ECG; `seen`: of a kind that the novelty score was fitted on."""

    kind: str
    seen: bool


class Novelty(Record, frozen=True):
    """What is flagged as unlike the training ECGs, by data set and by kind of junk."""

    false_alarms_allowed: float
    test: dict[str, SourceNovelty]
    junk: list[JunkNovelty]


class RiskCurve(Record, frozen=True):
    """Risk of the ECGs that are kept at each coverage, for one order of leaving ECGs out.

    brier, error: squared error, and share of labels on the wrong side of their threshold; *_area: mean over all
    coverages; *_gain: what the order gains on none. auroc: macro AUROC of what is kept, over `auroc_labels` labels.
    """

    auroc: list[float | None]
    auroc_labels: int
    brier: list[Interval | None]
    brier_area: Interval | None
    brier_gain: Interval | None
    error: list[Interval | None]
    error_area: Interval | None
    error_gain: Interval | None


class RiskCoverage(Record, frozen=True):
    """Risk against coverage; orders: what ECGs are left out by, least sure or most novel first."""

    ecgs: int
    labels: int
    coverage: list[float]
    orders: dict[Order, RiskCurve]
