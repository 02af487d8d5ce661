"""What a report holds, key by key: the JSON report, and all that the printed one is drawn from (docs/report.md)."""

from __future__ import annotations

from typing import TypedDict

from ecgkt.criteria.check import CriterionJSON
from ecgkt.ecg import Sex
from ecgkt.interpretation.line import LineJSON
from ecgkt.measurements.normal_limits import Flag
from ecgkt.prediction_json import PredictionJSON
from ecgkt.sheet.display_filter import Filter
from ecgkt.sheet.layout import Layout, Order


class ModelData(TypedDict):
    name: str
    sha256: str
    created: str


class PatientData(TypedDict):
    """given: words that the user wants on the patient line. recorded: when the ECG was recorded, as the user says."""

    sex: Sex | None
    age_band: str | None
    simulated: bool
    given: str
    recorded: str


class PaperData(TypedDict):
    """rhythm: lead of the rhythm strip, None in a layout without one. start: s. scale: as printed on the sheet."""

    layout: Layout
    order: Order
    rhythm: str | None
    mm_per_s: int
    mm_per_mv: int
    filter: Filter
    start: float
    scale: str


class TracingData(TypedDict):
    """rate: Hz. leads: lead -> samples in `unit` of the stretch that the sheet shows, None where nothing was
    recorded."""

    rate: float
    recorded_seconds: float
    unit: str
    leads: dict[str, list[int | None]]
    notes: list[str]


class PrintedMeasurement(TypedDict):
    value: str
    normal: str
    flag: str


class MeasurementData(TypedDict):
    """reason: why there is no value. low, high, source: of the normal limit. words: as printed."""

    name: str
    unit: str
    value: float | None
    reason: str | None
    low: float | None
    high: float | None
    source: str | None
    flag: Flag | None
    words: PrintedMeasurement


class DeflectionData(TypedDict):
    lead: str
    r_mv: float
    s_mv: float


class IntervalsData(TypedDict):
    measurements: dict[str, MeasurementData]
    r_progression: list[DeflectionData]


class ShareData(TypedDict):
    """share: of the whole contribution, 0 to 1. net: raising less lowering, None where the method has no signs."""

    share: float
    net: float | None


class RegionData(ShareData):
    where: str
    words: str


class PartData(ShareData):
    """short: its name for a narrow column."""

    name: str
    short: str


class AttributionData(TypedDict):
    """criterion: the finding's definition beside what was measured, None where there is none. parts: waves as far as
    they are sure, in the order of a beat. rest, elsewhere, rhythm: what is in no region, outside any beat, and in the
    RR intervals. classes: lead -> one of -4 to 4 for each sample at `rate` of the stretch that the sheet shows."""

    code: str
    name: str
    method: str
    signed: bool
    sentence: str
    criterion: CriterionJSON | None
    regions: list[RegionData]
    rest: ShareData
    leads: dict[str, ShareData]
    waves: dict[str, ShareData]
    parts: list[PartData]
    elsewhere: ShareData
    rhythm: ShareData
    rate: float
    classes: dict[str, list[int]]


class MeasuredLabData(TypedDict):
    """A lab measured near the ECG. low, high: its reference limits. flag: "low", "high" or "normal"."""

    lab: str
    name: str
    value: float
    unit: str
    low: float
    high: float
    flag: str


class ReportData(PredictionJSON):
    """The whole report. created: ISO date. interpretation: lines in the order in which they are printed, the normal
    last. missed: codes of what the record states and no line says. attribution: of the score whose contributions are
    drawn, if any."""

    format: str
    version: int
    created: str
    notice: str
    model: ModelData
    patient: PatientData
    paper: PaperData
    tracing: TracingData
    interpretation: list[LineJSON]
    missed: list[str]
    measured_labs: list[MeasuredLabData]
    intervals: IntervalsData
    attribution: AttributionData | None
