"""The sheet: the tracing on its paper, and how it is to be laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import streamlit as st

from ecgkt import paper
from ecgkt.ecg import ECG, LEADS
from ecgkt.explanation import Attribution
from ecgkt.paper import Paper
from ecgkt.ui.theme import dark, palette

T = TypeVar("T")

METHODS = {"integrated_gradients": "Integrated gradients", "saliency": "Saliency (gradient)"}


def settings() -> tuple[Paper, str, bool]:
    """(paper, attribution method, is the relevance drawn) as chosen in the menu beside the patient line."""
    with st.popover("Layout", width="stretch"):
        layout = _switch("Layout", tuple(paper.LAYOUTS), "3x4", "layout", paper.LAYOUTS.__getitem__)
        gain = _switch("Gain, mm/mV", paper.GAINS, 10, "gain")
        speed = _switch("Paper speed, mm/s", paper.SPEEDS, 25, "speed")
        rhythm = st.selectbox("Rhythm lead", LEADS, index=LEADS.index("II"), key="rhythm", disabled=layout != "3x4")
        shown = st.toggle("Relevance over the tracing", value=True, key="overlay", persist_state="session")
        method = st.selectbox(
            "Method", list(METHODS), format_func=METHODS.__getitem__, key="method", disabled=not shown
        )
    return Paper(layout, gain, speed, rhythm, dark=dark()), method, shown


def _switch(title: str, options: Sequence[T], first: T, key: str, words: Callable[[T], str] = str) -> T:
    """One of a few options, always one of them, kept for the session."""
    chosen = st.segmented_control(
        title, options, default=first, required=True, format_func=words, key=key, persist_state="session"
    )
    return first if chosen is None else chosen


def sheet(ecg: ECG, key: str, laid_out: Paper, attribution: Attribution | None) -> None:
    """The tracing, as wide as its column and as high as its paper; a slider when it is longer than a sheet."""
    place = st.container(key="sheet")
    if ecg.seconds > laid_out.seconds + 0.5:
        latest = float(int(ecg.seconds - laid_out.seconds + 0.999))
        start = st.slider("Sheet starts at, s", 0.0, latest, 0.0, 1.0, key=f"start-{laid_out.speed}")
        laid_out = replace(laid_out, start=start)
    figure = paper.figure(ecg, laid_out, attribution)
    figure["layout"]["uirevision"] = f"{key}:{laid_out}"  # keeps the zoom while only the relevance changes
    # Height follows width in the browser, so the boxes stay square without an empty band above and below.
    st.html(
        f"<style>.st-key-sheet .stPlotlyChart{{aspect-ratio:{laid_out.aspect:.4f};height:auto!important;"
        "min-height:0!important;overflow:hidden;"
        f"background:{laid_out.ink.paper};border:1px solid {palette().line}}}</style>"
    )
    place.plotly_chart(
        figure,
        key="ecg-sheet",
        theme=None,
        height="stretch",
        config={"displaylogo": False, "displayModeBar": False, "scrollZoom": True, "doubleClick": "reset"},
        alt=paper.alt_text(ecg, laid_out, attribution),
    )
