"""One ECG as one row of a table: which columns there are, and what stands in them.

The columns are public (docs/batch.md): new ones may come, none is taken away or given another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecgkt.ecg import LEADS
from ecgkt.interpretation.interpret import interpret
from ecgkt.measurements.delineation import SEGMENTS
from ecgkt.measurements.intervals import Measured
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import HEADS, Prediction, Score
from ecgkt.relevance.shares import Share
from ecgkt.relevance.summary import summarize

if TYPE_CHECKING:
    from ecgkt.model.model import Model

Row = dict[str, Any]
FAULT = "It could not be analyzed ({})."  # with the name of the exception, whose words may quote a file
MEASUREMENTS = {
    "rate": "1/min", "pr": "ms", "p_duration": "ms", "qrs": "ms", "qt": "ms", "qtcf": "ms", "qtcb": "ms",
    "p_axis": "degrees", "qrs_axis": "degrees", "t_axis": "degrees", "transition": "number of the chest lead",
    "sokolow_lyon": "mV", "cornell": "mV",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What a row holds beside the scores. relevance: codes of labels whose shares by lead and wave are asked for."""

    measurements: bool = False
    relevance: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """type: in DuckDB's words. meaning: for whoever opens the file."""

    name: str
    type: str
    meaning: str


def columns(model: Model, wanted: Wanted) -> list[Column]:
    """All columns of a table, in order."""
    found = [
        Column("file", "VARCHAR", "path of the record's main file below the folder"),
        Column("sha256", "VARCHAR", "of the content of the record's files, the main file first; null if unreadable"),
        Column("status", "VARCHAR", "read or refused"),
        Column("reason", "VARCHAR", "why it was refused"),
        Column("sampling_rate", "FLOAT", "Hz"),
        Column("seconds", "FLOAT", "length of the tracing that was read"),
        Column("notes", "VARCHAR[]", "what the reader derived or assumed"),
        Column("abstained", "BOOLEAN", "read, but the model gives no result for it"),
        Column("quality_reasons", "VARCHAR[]", "why it abstained"),
        Column("quality_warnings", "VARCHAR[]", "what makes a usable tracing doubtful"),
        Column("interpretation", "VARCHAR[]", "lines as a cart prints them, the most urgent first"),
    ]
    for head in HEADS:
        for label in model.labels[head]:
            found.append(Column(f"probability_{label.code}", "FLOAT", f"{label.name} ({head}), calibrated"))
            found.append(Column(f"verdict_{label.code}", "VARCHAR", "present, absent, uncertain; null: no promise"))
    if wanted.measurements:
        found += [
            Column(f"measured_{key}", "FLOAT", f"{unit}; null if not measurable") for key, unit in MEASUREMENTS.items()
        ]
    for code in wanted.relevance:
        parts = [*LEADS, *SEGMENTS, "elsewhere", "rhythm"]
        meaning = f"share of the whole contribution to the score of {code}, 0 to 1"
        found += [Column(f"relevance_{code}_{part}", "FLOAT", meaning) for part in parts]
    return found


def refused(file: str, sha256: str | None, reason: str) -> Row:
    return {"file": file, "sha256": sha256, "status": "refused", "reason": reason}


def row(
    file: str, sha256: str | None, analyzed: AnalyzedECG, prediction: Prediction, model: Model, wanted: Wanted
) -> Row:
    """The row of an ECG that was read; columns that it lacks are null."""
    out: Row = {
        "file": file,
        "sha256": sha256,
        "status": "read",
        "sampling_rate": analyzed.ecg.rate,
        "seconds": analyzed.ecg.seconds,
        "notes": [*analyzed.ecg.notes],
        "abstained": prediction.abstained,
        "quality_reasons": [*prediction.quality.reasons],
        "quality_warnings": [*prediction.quality.warnings],
    }
    if wanted.measurements:
        measured = vars(analyzed.intervals)
        out |= {f"measured_{key}": measured[key].value for key in MEASUREMENTS if isinstance(measured[key], Measured)}
    if prediction.abstained:
        return out
    lines = interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, prediction)
    out["interpretation"] = [line.text for line in lines.ordered()]
    for score in _scores(prediction, model):
        out[f"probability_{score.label.code}"] = score.probability
        out[f"verdict_{score.label.code}"] = score.verdict
    for code in wanted.relevance:
        found = summarize(model.attribute(analyzed, code), analyzed.beats)
        shares: list[tuple[str, Share]] = [*found.by_lead.items(), *found.by_wave.items()]
        shares += [("elsewhere", found.elsewhere), ("rhythm", found.rhythm)]
        out |= {f"relevance_{code}_{part}": share.total for part, share in shares}
    return out


def _scores(prediction: Prediction, model: Model) -> list[Score]:
    """Of every label: those that are listed, and the superclasses that are no statements of their own."""
    listed = [score for head in HEADS for score in prediction.scores(head)]
    known = {score.label.code for score in listed}
    return listed + [Score(model.label(c), p) for c, p in prediction.superclasses.items() if c not in known]
