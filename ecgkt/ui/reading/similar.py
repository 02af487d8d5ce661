"""Patients like this one: the nearest of the reference cohort, what they have against everybody in it, and the nearest
tracings, drawn again from their seeds. All of them are simulated."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ecgkt import vocabulary
from ecgkt.ecg import ECG, age_band
from ecgkt.interpretation.record import measured_labs
from ecgkt.measurements.wording import SPACE
from ecgkt.neighbors.nearest import NEAREST, Neighbors, nearest
from ecgkt.neighbors.reference import Reference
from ecgkt.neighbors.summary import LabSummary, Rate, labels, labs
from ecgkt.prediction import Prediction
from ecgkt.results import numbers
from ecgkt.sheet import figure as sheet_figure
from ecgkt.sheet.layout import Paper
from ecgkt.simulation.what_if import Subject, find
from ecgkt.ui.session import Opened, remember
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.ready_figure import ReadyFigure
from ecgkt.ui.widgets.theme import dark

if TYPE_CHECKING:
    from ecgkt.model.model import Model

ROWS = 12  # of each table
DRAWN = 10  # nearest that can be looked at
ALONE = 0.02  # of the cohort lie so far from their nearest, or farther
SAME = 0.02  # how far, as a share of its length, a patient's place may be from that of the tracing drawn again


def show(opened: Opened, prediction: Prediction, model: Model) -> None:
    reference, embedding = model.reference, prediction.embedding
    if reference is None or embedding is None:
        return
    found = nearest(reference, embedding)
    html.text(_headline(found, reference), "lead-in")
    html.text(
        "Everybody in the reference cohort is simulated. A share in bold differs from that of the whole cohort by more "
        "than two standard errors; of this many shares, one in twenty does so by chance. The nearest are an "
        "illustration: how well they predict labs and diagnoses, beside the scores, is in benchmarks/neighbors.md."
    )
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        _labs(labs(reference, found.rows), measured_labs(opened.clinical))
    with right:
        names = {
            label.code: label.name
            for head in ("diagnoses", "findings")
            for label in model.labels[head]  # type: ignore[index]
            if not label.silent
        }
        _labels(labels(reference, found.rows, list(names)), names)
    _tracing(found, reference, model)


def _headline(found: Neighbors, reference: Reference) -> str:
    words = (
        f"The {NEAREST} of {len(reference):,} simulated patients whose ECGs lie nearest to this one in the network's "
        f"embedding. "
    )
    if found.farther <= ALONE:
        return words + (
            "This ECG lies farther from them than nearly all of these patients do from their own nearest, so nobody in "
            "the cohort is much like it, and what follows says little."
        )
    return words + (
        f"{numbers.percent(found.farther)} of these patients lie farther from their own nearest than this ECG does "
        "(50% is usual)."
    )


def _labs(found: list[LabSummary], measured: dict[str, float]) -> None:
    rows = []
    for each in found[:ROWS]:
        lab = vocabulary.labs()[each.lab]
        low, high = (numbers.measured(value) for value in each.quartiles)
        own = numbers.measured(measured[each.lab]) if each.lab in measured else numbers.NONE
        middle = f"{numbers.measured(each.median)} ({low} to {high}){numbers.unit(lab.unit)}"
        low_first = abs(each.below.surprise) > abs(each.above.surprise)
        side, more = ("low", each.below) if low_first else ("high", each.above)
        rows.append((lab.name, own, middle, side, _share(more)))
    header = ("Lab", "This ECG's", "Median (quartiles) of the nearest", "Beyond the limit", "Share (all)")
    html.table(header, rows, "Labs at the time of the ECG, those that differ most first")


def _labels(found: list[Rate], names: dict[str, str]) -> None:
    rows = [(names[each.code], _share(each)) for each in found[:ROWS]]
    html.table(("Diagnosis or finding", "Share (all)"), rows, "Diagnoses and findings, those that differ most first")


def _share(each: Rate) -> str:
    words = f"{numbers.percent(each.share)} ({numbers.percent(each.base)})".replace(" ", SPACE)
    return html.Raw(f"<b>{escape(words)}</b>") if each.differs else words


def _tracing(found: Neighbors, reference: Reference, model: Model) -> None:
    place = st.selectbox(
        "Tracing of",
        range(DRAWN),
        format_func=lambda number: f"Simulated patient {number + 1} of the nearest",
        key="similar_place",
    )
    row = int(found.rows[place])
    key = ("similar", model.sha256, str(row))
    subject, ecg, is_same = remember(key, lambda: _drawn(reference, row, model))
    if not is_same:
        html.text(
            "Today's simulator draws another tracing from this patient's seed than the one that the reference cohort "
            "was made of, so it is not shown."
        )
        return
    person = "Male" if subject.patient.male else "Female"
    st.html(
        '<div class="patient"><span class="tag">simulated patient</span>&ensp;'
        f"<b>{person}</b>&nbsp;&nbsp;·&ensp;{age_band(subject.patient.age)}</div>"
    )
    paper = Paper(dark=dark())
    st.html(f"<style>.st-key-similar-sheet{{aspect-ratio:{paper.aspect:.4f}}}</style>")
    st.container(key="similar-sheet").plotly_chart(
        ReadyFigure(sheet_figure.figure(ecg, paper)),
        key="similar-ecg",
        theme=None,
        height="stretch",
        config={"displayModeBar": False, "scrollZoom": False},
        alt="Tracing of a simulated patient. " + sheet_figure.alt_text(ecg, paper),
    )
    has = [name for code, name in _named(model).items() if reference.labels[row, reference.codes.index(code)]]
    html.text(f"Diagnoses and findings: {', '.join(has)}." if has else "No diagnosis and no finding.")


def _named(model: Model) -> dict[str, str]:
    assert model.reference is not None
    every = (label for head in ("diagnoses", "findings") for label in model.labels[head])  # type: ignore[index]
    return {label.code: label.name for label in every if label.code in model.reference.codes and not label.silent}


def _drawn(reference: Reference, row: int, model: Model) -> tuple[Subject, ECG, bool]:
    """A patient of the cohort drawn again, and whether that is the tracing whose embedding is kept."""
    subject = find(reference.seed, int(reference.index[row]))
    ecg = subject.ecg()
    there, kept = reference.place(model.embeddings([ecg])[0]), reference.places[row].astype(np.float32)
    return subject, ecg, bool(np.linalg.norm(there - kept) <= SAME * (1 + np.linalg.norm(kept)))
