"""What if: one simulated patient, sliders and switches for its causes; the tracing, the scores and what the chosen one
rests on follow."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.ecg import age_band
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.response import response
from ecgkt.relevance.classes import Overlay
from ecgkt.sheet.layout import Paper
from ecgkt.simulation.levers import CONDITIONS, LEVERS
from ecgkt.simulation.what_if import RATE_OF_HEART, Changed, Subject
from ecgkt.ui import audit, keys
from ecgkt.ui.reading import evidence, intervals, links
from ecgkt.ui.reading import sheet as reading_sheet
from ecgkt.ui.session import Opened, attribute, remember, summarized
from ecgkt.ui.sources import simulated_patient
from ecgkt.ui.what_if import assumed, controls, curve, followed, moved
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.theme import dark

if TYPE_CHECKING:
    from ecgkt.model.model import Model

SHEET = "what-if"  # calipers are kept by this name; one for all that is drawn here
INTRODUCTION = (
    "Everything on this page is simulated. Move a cause: the simulator draws the ECG again, all else as it was, and "
    "the model reads it. How well real patients would follow is not known."
)


def show(model: Model) -> None:
    st.html(f'<div class="quiet"><b>What if?</b> {escape(INTRODUCTION)}</div>')
    subject, name = simulated_patient.choose()
    _changed(subject, name, model)


@st.fragment
def _changed(subject: Subject, name: str, model: Model) -> None:
    """A fragment: moving a slider runs this and nothing else."""
    with st.container(key="what-if"):
        left, middle, right = st.columns([1, 2.7, 1.05], gap="medium")
    with left, st.container(key="causes"):
        changed = controls.controls(subject, name)
    plain = Changed(average=changed.average)
    now, before = drawn(subject, name, changed), drawn(subject, name, plain)
    with middle:
        st.html(_line(subject))
        intervals.strip(now.analyzed.intervals)
        paper, place = reading_sheet.lay(now, Paper(dark=dark()))
    prediction, earlier = audit.predict(now, model), audit.predict(before, model)
    refused = next((p for p in (prediction, earlier) if p.abstained), None)
    if refused is not None:
        with middle:
            reading_sheet.sheet(place, now, SHEET, paper)
        right.warning("The model gives no result for this tracing. " + " ".join(refused.quality.reasons))
        return
    rows = moved.ranked(prediction, earlier)
    score = moved.chosen(rows, prediction)
    with right:
        moved.show(rows, score.label, changed != plain)
    method = next(iter(reading_sheet.METHODS))
    attribution = attribute(now, model, score.label.code, method)
    with middle:
        reading_sheet.sheet(place, now, SHEET, paper, attribution, Overlay())
        html.warnings(prediction.quality.warnings)
        evidence.headline(score, summarized(now, model, attribution, score.positive), None)
        links.show(now, model, prediction, score.label, method, keys.WHAT_IF_TARGET)
        still = assumed.silent(subject, changed)
        if still:
            html.text(f"This patient's ECG, like that of some others, does not react to: {', '.join(still)}.")
        with st.container(key="below"):
            lever = curve.lever(score.label)
            found = _response(model, subject, name, changed, lever.key)
            curve.show(lever, found[score.label.code], score, _at(subject, changed, lever.key), model)
            assumed.show(subject, changed)
            followed.show(model)


def _at(subject: Subject, changed: Changed, quantity: str) -> float:
    """Where a quantity stands now."""
    if quantity == RATE_OF_HEART:
        return subject.morphology(changed)["rate"]
    return changed.quantities.get(quantity, subject.value(quantity))


def drawn(subject: Subject, name: str, changed: Changed) -> Opened:
    """The changed ECG, drawn once a session."""
    key = f"what-if:{name}:{_written(changed)}"
    return remember((key,), lambda: Opened(key, AnalyzedECG(subject.ecg(changed)), "Simulated", simulated=True))


def _written(changed: Changed) -> str:
    return f"{sorted(changed.quantities.items())}{sorted(changed.conditions.items())}{changed.rate}{changed.average}"


def _response(model: Model, subject: Subject, name: str, changed: Changed, quantity: str) -> dict[str, curve.Array]:
    """Every label's curve over one quantity, kept as long as nothing else is changed."""
    others = Changed(
        {key: value for key, value in changed.quantities.items() if key != quantity},
        changed.conditions,
        None if quantity == RATE_OF_HEART else changed.rate,
        changed.average,
    )
    lever = next(lever for lever in LEVERS if lever.key == quantity)
    key = ("what-if-curve", model.sha256, name, quantity, _written(others))
    return remember(key, lambda: response(model, subject, others, quantity, lever.values(curve.POINTS)))


def _line(subject: Subject) -> str:
    """HTML of who this is, and which conditions without a switch are at work too."""
    person = subject.patient
    others = [assumed.named(c) for c in subject.active if c not in CONDITIONS]
    parts = [f"<b>{'Male' if person.male else 'Female'}</b>", age_band(person.age)]
    parts.append(escape(f"also has: {', '.join(others)}" if others else "no known condition"))
    tag = '<span class="tag">simulated patient</span>&ensp;'
    return f'<div class="patient">{tag}{"&nbsp;&nbsp;·&ensp;".join(parts)}</div>'
