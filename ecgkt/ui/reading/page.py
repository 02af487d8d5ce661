"""Reading one ECG: patient line, sheet, ranked scores beside it, and below it what the chosen score rests on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.criteria.check import check
from ecgkt.ecg import ECG, age_band
from ecgkt.prediction import HEADS
from ecgkt.ui import address, audit, keys
from ecgkt.ui.reading import (
    beat,
    calipers,
    clinical,
    evidence,
    interpretation,
    intervals,
    links,
    report,
    scores,
    similar,
)
from ecgkt.ui.reading import sheet as reading_sheet
from ecgkt.ui.session import Opened, attribute, is_own_folder, model_or_sentence, summarized
from ecgkt.ui.sources import pair, simulated_patient
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model


def patient_line(opened: Opened) -> str:
    """HTML of sex, age band, source and what a reader had to assume."""
    ecg: ECG = opened.ecg
    parts = [f"<b>{escape((ecg.sex or 'sex unknown').capitalize())}</b>", escape(age_band(ecg.age))]
    if not opened.simulated:  # the tag says it
        parts.append(escape(opened.source))
    parts += [escape(note) for note in ecg.notes]
    tag = '<span class="tag">simulated patient</span>&ensp;' if opened.simulated else ""
    return f'<div class="patient" role="heading" aria-level="2">{tag}{"&nbsp;&nbsp;·&ensp;".join(parts)}</div>'


@st.fragment
def show(opened: Opened, model: Model | None = None) -> None:
    """Everything about one ECG. A fragment: choosing a label or a layout reruns this and nothing else.

    model: waited for here if not given, with the tracing already on the page.
    """
    # Tracing, scores, tables: in this order for the keyboard and for narrow windows; style.css puts the scores beside
    # the other two where there is room.
    with st.container(key="reading"):
        left, right, below = (st.container(key=key) for key in ("tracing", "scores", "below"))
    measured = opened.analyzed.intervals
    with left, st.container(key="controls"):
        columns = st.columns([2.7, 1.15, 1.1, 1.3, 1.1], vertical_alignment="center", gap="small")
        line, drag, menu, relevance, keep = columns
        line.html(patient_line(opened))
        with drag:
            is_measuring = calipers.switch()
        with menu:
            paper = reading_sheet.settings()
        with relevance:
            method, overlay = reading_sheet.relevance_settings()
    with left:
        with st.container(key="numbers"):
            numbers, mark = st.columns([5, 1.4], vertical_alignment="center", gap="small")
        with numbers:
            intervals.strip(measured)
        with mark:
            paper = reading_sheet.marks(paper, measured.beats)
        paper, place = reading_sheet.lay(opened, paper)
    if model is None:
        with right:
            model = model_or_sentence()
    prediction = None if model is None else audit.predict(opened, model)
    if model is None or prediction is None or prediction.abstained:
        with left:
            reading_sheet.sheet(place, opened, opened.key, paper, is_measuring=is_measuring)
            pair.offer(opened)
        with below:
            _tabs({"Intervals": lambda: intervals.table(measured), "Beat": lambda: beat.show(measured)})
        _write(opened)
    if model is None or prediction is None:
        return
    if prediction.abstained:
        with keep:
            report.offer(opened, prediction, model, paper, None)
        with right:
            st.warning("The model gives no result for this tracing. " + " ".join(prediction.quality.reasons))
        return

    with left:
        html.warnings(prediction.quality.warnings)
    told = interpretation.found(opened, prediction)
    label = scores.chosen(prediction, told, opened.key)
    _write(opened, label.code)
    score = next(s for head in HEADS for s in prediction.scores(head) if s.label.code == label.code)
    with right:
        interpretation.show(told, label)
        scores.ranked(prediction, label, clinical.beside(prediction, told, interpretation.record_of(opened)))
    attribution = attribute(opened, model, label.code, method)
    found = summarized(opened, model, attribution, score.positive)
    checked = check(label.code, opened.analyzed.quantities, opened.ecg.age)
    with left:
        reading_sheet.sheet(place, opened, opened.key, paper, attribution, overlay, is_measuring)
        evidence.headline(score, found, checked)
        links.show(opened, model, prediction, label, method)
    with keep:
        report.offer(opened, prediction, model, paper, attribution)
    with left, st.container(horizontal=True):
        pair.offer(opened)
        simulated_patient.offer(opened)
    with below:
        _tabs(
            {
                "Why this score": lambda: evidence.tables(score, found, model),
                "Intervals": lambda: intervals.table(measured),
                "Beat": lambda: beat.show(measured, attribution, overlay),
                "Labs: predicted and measured": lambda: clinical.tables(prediction, opened.clinical),
                "All scores": lambda: scores.every(prediction, model.labels),
                **({"Similar patients": partial(similar.show, opened, prediction, model)} if model.reference else {}),
            }
        )


def _tabs(parts: dict[str, Callable[[], None]]) -> None:
    """One tab a part, of which only the one open is run, and the list of keys."""
    for tab, part in zip(st.tabs(list(parts), key="tab", bind="query-params"), parts.values(), strict=True):
        if tab.open:
            with tab:
                part()
    reading_sheet.shortcuts()


def _write(opened: Opened, target: str = "") -> None:
    """Into the address, unless the ECG is one's own: an upload, or of a folder."""
    if opened.entry is not None and not is_own_folder():
        address.write(ecg=opened.entry.key, **({keys.TARGET: target} if target else {}))
