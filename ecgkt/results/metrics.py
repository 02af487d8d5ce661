"""metrics.json: every figure of a bundle's test, as typed records.

An `Interval` is a value with its 95% interval, bootstrapped over patients unless a field says otherwise; None stands
for what could not be measured. Parts with a default may be absent: a small run lacks many of them. Figures of the
label-efficiency curve and of trust (calibration, abstention) have files of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import field

from ecgkt.json_records import Record, RecordError, decode
from ecgkt.prediction import Head
from ecgkt.results.curve_metrics import CurveAbout, CurvePoint, TailPoint
from ecgkt.results.intervals import MANY, ONE_OR_MORE, SOME, Count, Interval, Kind, Number, Share, Shares, Title, even
from ecgkt.results.simulated_metrics import Probe, Response
from ecgkt.results.trust_metrics import Calibration, Conformal, Novelty, Refusals, RiskCoverage, Subgroup, Urgent

VERSION = 1


class Cohort(Record, frozen=True):
    """How many test patients and ECGs there are."""

    patients: Count
    ecgs: Count


class SourceCohort(Record, frozen=True):
    """The test patients of one data set; `simulated`: none of them is a person."""

    simulated: bool
    patients: Count
    ecgs: Count


class LabelFigures(Record, frozen=True):
    """One label of one model: AUROC, positive ECGs behind it, and whether these were real or simulated ECGs."""

    auroc: Shares | None
    positives: Count
    measured_on: Kind


class KindFigures(Record, frozen=True):
    """Macro AUROC on one kind of test ECGs, over so many labels."""

    macro_auroc: Shares | None
    labels: Count


class HeadFigures(Record, frozen=True):
    """One head of one model.

    labels: code -> figures, each on the first kind (real, then simulated) with enough positives. macro_auroc: over the
    labels measured on the first kind that has any, which is `measured_on`. by_kind: on each kind by itself.
    """

    macro_auroc: Shares | None
    labels: dict[str, LabelFigures]
    by_kind: dict[Kind, KindFigures] = field(default_factory=dict)
    measured_on: Kind | None = None


class Bootstrap(Record, frozen=True):
    """How intervals were made: resamples of a unit ("patient"), and which percentiles."""

    resamples: Count
    unit: str
    interval: str


class ListedLabel(Record, frozen=True):
    """A label of a fixed list: AUROC and positives on real ECGs."""

    auroc: Shares | None
    positives: Count


class ListedFindings(Record, frozen=True):
    """Macro AUROC over a fixed list of findings.

    few: codes with fewer positives than are asked for elsewhere. missing: codes without any, left out.
    """

    auroc: Shares | None
    labels: Annotated[dict[Title, ListedLabel], SOME]
    few: Annotated[list[Title], SOME]
    missing: Annotated[list[Title], SOME]


class FindingsOnSome(Record, frozen=True):
    """The same as `RealFindings` on some of the real test ECGs."""

    ecgs: Count
    superclasses: ListedFindings
    statements: ListedFindings


class RealFindings(Record, frozen=True):
    """Findings on real test ECGs: the diagnostic superclasses of PTB-XL, and twelve SCP-ECG statements.

    by_amplitudes: "recorded", or "modeled" in a copy that lost its own; by_source: data set -> those of its ECGs alone.
    """

    ecgs: Count
    superclasses: ListedFindings
    statements: ListedFindings
    by_amplitudes: Annotated[dict[Title, FindingsOnSome], SOME] = field(default_factory=dict)
    by_source: Annotated[dict[Title, FindingsOnSome], SOME] = field(default_factory=dict)


class LabProxy(Record, frozen=True):
    """AUROC of a score for telling real ECGs with a statement from normal ones; `what` says which."""

    auroc: Shares | None
    positives: Count
    against: Count
    what: str


class DoseResponse(Record, frozen=True):
    """Predicted probability on real ECGs whose waves were changed to each of `values` (in `unit`).

    probability, low, high: median and quartiles over `ecgs` ECGs at each value. rising: share of ECGs whose probability
    is higher at the last value than at the first.
    """

    values: Annotated[list[Number], SOME]
    unit: str
    probability: list[Share]
    low: list[Share]
    high: list[Share]
    ecgs: Count
    rising: Share

    def __post_init__(self) -> None:
        even(self.values, self.probability, self.low, self.high)


class DomainProbe(Record, frozen=True):
    """AUROC of a classifier that tells real from simulated ECGs by what the model says of them.

    classifier: which one, and what is special about it. real, simulated: normal ECGs outside training, cross-validated.
    """

    auroc: Shares | None
    chance: Share
    classifier: str
    real: Count
    simulated: Count


class Metrics(Record, frozen=True):
    """All of metrics.json.

    models: model -> head -> figures. gap_closed: (transfer - signal only) / (multimodal - signal only), macro AUROC of
    diagnoses; transfer_minus_*: paired differences of the same. left_out_in_preparation: data set -> reason -> ECGs.
    calibration, subgroups, risk_coverage: by head and kind of test ECGs; abstention: by kind. lab_proxies,
    domain_probe: by a name in words; dose_response: by lab. tail: of the label-efficiency curve with all labels, by how
    many positives a label has.
    """

    version: int
    test: Cohort
    test_by_source: Annotated[dict[Title, SourceCohort], SOME]
    models: Annotated[dict[Title, dict[Head, HeadFigures]], SOME]
    bootstrap: Bootstrap
    gap_closed: Interval | None = None
    transfer_minus_signal_only: Interval | None = None
    transfer_minus_signal_only_labs: Interval | None = None
    calibration: dict[Head, dict[Kind, Calibration]] = field(default_factory=dict)
    subgroups: dict[Head, dict[Kind, Annotated[list[Subgroup], SOME]]] = field(default_factory=dict)
    abstention: dict[Kind, Annotated[list[Refusals], SOME]] = field(default_factory=dict)
    left_out_in_preparation: Annotated[dict[Title, Annotated[dict[Title, Count], SOME]], SOME] = field(
        default_factory=dict
    )
    real_findings: RealFindings | None = None
    urgent: Annotated[list[Urgent], MANY] = field(default_factory=list)
    conformal: Conformal | None = None
    novelty: Novelty | None = None
    risk_coverage: dict[Head, dict[Kind, RiskCoverage]] = field(default_factory=dict)
    domain_probe: Annotated[dict[Title, DomainProbe], SOME] = field(default_factory=dict)
    dose_response: Annotated[dict[Title, DoseResponse], SOME] = field(default_factory=dict)
    lab_proxies: Annotated[dict[Title, LabProxy], MANY] = field(default_factory=dict)
    label_curve: Annotated[list[CurvePoint], SOME] = field(default_factory=list)
    label_curve_groups: Annotated[dict[Title, Annotated[list[CurvePoint], ONE_OR_MORE]], MANY] = field(
        default_factory=dict
    )
    label_curve_about: CurveAbout | None = None
    tail: Annotated[list[TailPoint], SOME] = field(default_factory=list)
    knowledge_transfer_recipe: str | None = None
    probes: Annotated[list[Probe], MANY] = field(default_factory=list)
    responses: Annotated[list[Response], MANY] = field(default_factory=list)

    def head(self, model: str, head: Head) -> HeadFigures | None:
        """Figures of one head of one model; None where it was not measured."""
        return self.models.get(model, {}).get(head)

    def auroc(self, model: str, head: Head, code: str) -> Interval | None:
        """AUROC of one label by one model; None where it could not be measured."""
        figures = self.head(model, head)
        return figures.labels[code].auroc if figures and code in figures.labels else None


def read_metrics(content: bytes, name: str = "metrics.json") -> Metrics:
    """The content of a metrics.json; name: of the file, for messages. Raises RecordError."""
    metrics = decode(content, Metrics, VERSION, name)
    if any(low > high for _, low, high in _intervals(metrics)):
        raise RecordError(f"{name} has an interval that ends before it begins.")
    return metrics


def _intervals(tree: Any) -> Iterator[Interval]:
    """Every one in a record: nothing else there has three parts that are known by their place."""
    if isinstance(tree, tuple):
        if len(tree) == 3:
            yield tree
    elif isinstance(tree, list | dict):
        for part in tree if isinstance(tree, list) else tree.values():
            yield from _intervals(part)
    elif isinstance(tree, msgspec.Struct):
        for key in tree.__struct_fields__:
            yield from _intervals(getattr(tree, key))
