"""Figures on how far the answers can be trusted: calibration, subgroups, verdicts, risk against coverage, novelty.

How each is computed is said in training/evaluate (calibration_error, subgroups, risk_coverage) and training/calibrate
(conformal, out_of_distribution).
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from ecgkt.json_records import Record
from ecgkt.prediction import Head
from ecgkt.results.intervals import SOME, Count, Interval, Kind, Share, Shares, Title, even

Order = Literal["confidence", "novelty"]


class Bin(msgspec.Struct, frozen=True, array_like=True):
    """A bin of the reliability diagram, a JSON array: mean predicted and observed share with its interval, pairs."""

    predicted: Share
    observed: Share
    low: Share
    high: Share
    pairs: Count


class Calibration(Record, frozen=True):
    """Calibration errors over all pairs of an ECG and a label, and (`classwise`) as the mean over labels.

    in_the_large: observed minus predicted share. classwise_labels: how many labels were judged by themselves.
    validation: the same on validation ECGs, by calibrations fitted on other validation patients.
    """

    ece: Interval | None
    ece_debiased: Interval | None
    ece_equal_mass: Interval | None
    in_the_large: Interval | None
    pairs: Count
    positives: Count
    bins: Annotated[list[Bin], SOME]
    classwise: Interval | None = None
    classwise_debiased: Interval | None = None
    classwise_labels: Count | None = None
    validation: Calibration | None = None


class Subgroup(Record, frozen=True):
    """One group of a division ("age", "sex"): macro AUROC over the `labels` that every group has enough of, debiased
    calibration error, observed minus predicted share."""

    by: Title
    group: Title
    patients: Count
    ecgs: Count
    positives: Count
    labels: Count
    auroc: Shares | None
    ece: Interval | None
    in_the_large: Interval | None


class Urgent(Record, frozen=True):
    """An urgent label on one kind of test ECG.

    sensitivity: at 95% specificity; found, spared: sensitivity and specificity at the threshold that ships.
    """

    code: Title
    kind: Kind
    positives: Count
    negatives: Count
    sensitivity: Shares | None
    found: Shares | None
    spared: Shares | None


class Refusals(Record, frozen=True):
    """ECGs of one group that the quality check does not pass, and their share with its exact interval."""

    by: Title
    group: Title
    patients: Count
    ecgs: Count
    refused: Count
    share: Shares


class VerdictFigures(Record, frozen=True):
    """Shares of test patients, for one label (exact intervals) or as the mean over labels.

    kept_present, kept_absent: of those with the label (without it), not called the opposite. says_present, says_absent:
    of all, called so. None where there are too few.
    """

    kept_present: Shares | None = None
    kept_absent: Shares | None = None
    says_present: Shares | None = None
    says_absent: Shares | None = None


class LabelVerdicts(VerdictFigures, frozen=True, kw_only=True):
    """One label: `population` says on whose validation ECGs its limits were set and its verdicts measured."""

    population: Kind
    patients: Count


class HeadVerdicts(Record, frozen=True):
    """labels: code -> figures; without: codes with too few validation patients for any limit; mean: over labels."""

    labels: dict[str, LabelVerdicts]
    without: list[str]
    mean: VerdictFigures


class Conformal(Record, frozen=True):
    """Verdicts by split conformal prediction; alpha: the share of errors that each label may have."""

    alpha: Share
    heads: dict[Head, HeadVerdicts]


class Beyond(Record, frozen=True):
    """Shares of so many ECGs whose novelty is beyond the two limits; `near` includes `far`."""

    ecgs: Count
    near: Share
    far: Share

    def __post_init__(self) -> None:
        if self.far > self.near:
            raise ValueError("more ECGs are far from the training ECGs than near or far")


class SourceNovelty(Beyond, frozen=True):
    """Test ECGs of one data set."""

    simulated: bool


class JunkNovelty(Beyond, frozen=True):
    """Signals that are no ECG; `seen`: of a kind that the novelty score was fitted on."""

    kind: Title
    seen: bool


class Novelty(Record, frozen=True):
    """What is flagged as unlike the training ECGs, by data set and by kind of junk."""

    false_alarms_allowed: Share
    test: Annotated[dict[Title, SourceNovelty], SOME]
    junk: Annotated[list[JunkNovelty], SOME]


class RiskCurve(Record, frozen=True):
    """Risk of the ECGs that are kept at each coverage, for one order of leaving ECGs out.

    brier, error: squared error, and share of labels on the wrong side of their threshold; *_area: mean over all
    coverages; *_gain: what the order gains on none. auroc: macro AUROC of what is kept, over `auroc_labels` labels.
    """

    auroc: list[Share | None]
    auroc_labels: Count
    brier: list[Shares | None]
    brier_area: Interval | None
    brier_gain: Interval | None
    error: list[Shares | None]
    error_area: Interval | None
    error_gain: Interval | None


class RiskCoverage(Record, frozen=True):
    """Risk against coverage; orders: what ECGs are left out by, least sure or most novel first."""

    ecgs: Count
    labels: Count
    coverage: Annotated[list[Share], SOME]
    orders: dict[Order, RiskCurve]

    def __post_init__(self) -> None:
        for name in get_args(Order):
            if name not in self.orders:
                raise ValueError(f"the order {name} is lacking")
            even(self.coverage, self.orders[name].auroc, self.orders[name].brier)
