"""What a report says, as plain data: the JSON report, and all that the printed one is drawn from. Keys: docs/report.md.

Of the patient it holds sex and age band, and a line of words only if somebody gave one.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ecgkt import NOTICE, vocabulary
from ecgkt.criteria.check import check, criterion_json
from ecgkt.ecg import ECG, LEADS, FloatArray, age_band
from ecgkt.interpretation.interpret import interpret
from ecgkt.interpretation.line import line_json
from ecgkt.interpretation.record import Record
from ecgkt.measurements.intervals import Intervals, Measured
from ecgkt.measurements.wording import SPACE, flag, limit, number
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import Attribution, Prediction
from ecgkt.prediction_json import prediction_json
from ecgkt.relevance import classes as relevance_classes
from ecgkt.relevance.shares import Share
from ecgkt.relevance.summary import summarize
from ecgkt.report.data import (
    AttributionData,
    IntervalsData,
    MeasuredLabData,
    MeasurementData,
    ReportData,
    ShareData,
    TracingData,
)
from ecgkt.sheet import display_filter
from ecgkt.sheet.figure import scale_text
from ecgkt.sheet.layout import Paper

if TYPE_CHECKING:
    from ecgkt.model.card import Card

FORMAT, VERSION = "ecgkt report", 2
MICROVOLTS = 1000  # in a millivolt
LONGEST = 200  # characters of what a user wants on the patient line


class Identity(Protocol):
    """What a report names a model by: `ecgkt.model.model.Model`, or a stand-in."""

    name: str
    sha256: str
    card: Card


def build(
    ecg: ECG | AnalyzedECG,
    prediction: Prediction,
    model: Identity,
    paper: Paper | None = None,
    attribution: Attribution | None = None,
    simulated: bool = False,
    patient: str = "",
    today: date | None = None,
    record: Record | None = None,
    recorded: str = "",
) -> ReportData:
    """The report of `ecg` on the sheet that `paper` shows; of a score's relevance if `attribution` is given.

    simulated: the patient is not a real one. patient: words that the user wants on the patient line. today: date of
    the report. record: what is known of the patient besides. recorded: when the ECG was, in the user's words.
    """
    paper = paper or Paper()
    analyzed = AnalyzedECG.of(ecg)
    ecg, measured = analyzed.ecg, analyzed.intervals
    if prediction.abstained:
        attribution = None
    lines = interpret(ecg, measured, analyzed.quantities, prediction, record)
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": (today or date.today()).isoformat(),
        "notice": NOTICE,
        "model": {"name": model.name, "sha256": model.sha256, "created": model.card.created},
        "patient": {
            "sex": ecg.sex,
            "age_band": None if ecg.age is None else age_band(ecg.age),
            "simulated": simulated,
            "given": _words(patient),
            "recorded": _words(recorded),
        },
        "paper": {
            "layout": paper.layout,
            "order": paper.order,
            "rhythm": paper.rhythm if paper.layout == "3x4" else None,
            "mm_per_s": paper.speed,
            "mm_per_mv": paper.gain,
            "filter": paper.filter,
            "start": paper.start,
            "scale": scale_text(ecg, paper),
        },
        "tracing": _tracing(ecg, paper),
        "interpretation": [line_json(line) for line in lines.ordered() + lines.normal],
        "missed": [score.label.code for score in lines.missed],
        "measured_labs": _measured_labs(record),
        **prediction_json(prediction),
        "intervals": _intervals(measured),
        "attribution": _attribution(attribution, analyzed, prediction, paper) if attribution else None,
    }


def _words(text: str) -> str:
    """What a user typed, in one line, without what is no text: FHIR and a printed page take no control characters, and
    some turn the direction of what follows."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text[:LONGEST]).split())


def _measured_labs(record: Record | None) -> list[MeasuredLabData]:
    """Those beyond their reference limits first, each in the order of the vocabulary."""
    rows: list[MeasuredLabData] = []
    for code, lab in vocabulary.labs().items():
        if record is not None and code in record.labs:
            value = record.labs[code]
            flag = lab.flag(value) or "normal"
            low, high = lab.reference
            rows.append(
                {
                    "lab": code,
                    "name": lab.name,
                    "value": value,
                    "unit": lab.unit,
                    "low": low,
                    "high": high,
                    "flag": flag,
                }
            )
    return sorted(rows, key=lambda row: row["flag"] == "normal")


def _tracing(ecg: ECG, paper: Paper) -> TracingData:
    """The stretch that the sheet shows, through its filter."""
    shown = display_filter.filtered(ecg, paper.filter).crop(paper.start, paper.seconds)
    return {
        "rate": ecg.rate,
        "recorded_seconds": ecg.seconds,
        "unit": "uV",
        "leads": {lead: _whole(MICROVOLTS * row) for lead, row in zip(LEADS, shown.signal, strict=True)},
        "notes": [*ecg.notes],
    }


def _whole(row: FloatArray) -> list[int | None]:
    """Rounded, None where nothing was recorded (NaN is no JSON)."""
    return [round(value) if np.isfinite(value) else None for value in row.tolist()]


def _intervals(measured: Intervals) -> IntervalsData:
    return {
        "measurements": {key: _measured(row) for key, row in vars(measured).items() if isinstance(row, Measured)},
        "r_progression": [
            {"lead": each.lead, "r_mv": round(each.r, 3), "s_mv": round(each.s, 3)} for each in measured.progression
        ],
    }


def _measured(row: Measured) -> MeasurementData:
    return {
        "name": row.name,
        "unit": row.unit,
        "value": None if row.value is None else round(row.value, 3),
        "reason": row.reason or None,
        "low": row.limit.low if row.limit else None,
        "high": row.limit.high if row.limit else None,
        "source": row.limit.source if row.limit else None,
        "flag": row.flag,
        "words": {"value": number(row), "normal": limit(row).replace(SPACE, " "), "flag": flag(row)},
    }


def _attribution(attribution: Attribution, ecg: AnalyzedECG, prediction: Prediction, paper: Paper) -> AttributionData:
    """Shares and sentence are of the whole tracing; the classes, as they are drawn, of the stretch that is shown."""
    code = attribution.label.code
    positive = prediction.is_positive(attribution.label)
    found = summarize(attribution, ecg.beats, positive)
    checked = check(code, ecg.quantities, ecg.ecg.age)
    first = round(paper.start * attribution.rate)
    shown = relevance_classes.classes(attribution)[:, first : first + round(paper.seconds * attribution.rate)]
    return {
        "code": code,
        "name": attribution.label.name,
        "method": attribution.method,
        "signed": found.signed,
        "sentence": found.sentence,
        "criterion": criterion_json(checked, positive) if checked else None,
        "regions": [{"where": each.where, **_share(each.share), "words": each.words} for each in found.regions],
        "rest": _share(found.rest),
        "leads": {lead: _share(share) for lead, share in found.by_lead.items()},
        "waves": {wave: _share(share) for wave, share in found.by_wave.items()},
        "parts": [{"name": part.name, "short": part.short, **_share(part.share)} for part in found.parts],
        "elsewhere": _share(found.elsewhere),
        "rhythm": _share(found.rhythm),
        "rate": attribution.rate,
        "classes": {lead: row.tolist() for lead, row in zip(LEADS, shown, strict=True)},
    }


def _share(share: Share) -> ShareData:
    return {"share": round(share.total, 4), "net": None if share.net is None else round(share.net, 4) + 0.0}  # no -0.0
