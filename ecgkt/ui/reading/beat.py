"""The median beat in a tab: drawn with its boundaries and what the chosen score rests on, and in numbers."""

from __future__ import annotations

import streamlit as st

from ecgkt.measurements.amplitudes import amplitudes
from ecgkt.measurements.intervals import Intervals
from ecgkt.prediction import Attribution
from ecgkt.relevance.beat import folded
from ecgkt.relevance.classes import SHOWN, Overlay
from ecgkt.sheet import beat_figure
from ecgkt.sheet.beat_figure import BeatPaper, Way
from ecgkt.ui.reading.sheet import CONFIG
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.ready_figure import ReadyFigure
from ecgkt.ui.widgets.theme import dark, palette

WAYS: tuple[Way, ...] = ("Side by side", "Overlaid")


def show(found: Intervals, attribution: Attribution | None = None, overlay: Overlay | None = None) -> None:
    """Drawing and table, or a sentence where there is no beat. Relevance as `overlay` says, none without one."""
    beat = found.beat
    if beat is None:
        html.text("Fewer than two beats were found, so there is no median beat.")
        return
    way = st.segmented_control("Leads", WAYS, default=WAYS[0], required=True, key="beat", bind="query-params")
    attribution = None if overlay is None else attribution
    paper = BeatPaper(way or WAYS[0], dark(), SHOWN if overlay is None else overlay.shown)
    relevance = None if attribution is None else folded(attribution, found.beats, beat)
    st.html(
        f"<style>.st-key-median-beat .stPlotlyChart{{aspect-ratio:{beat_figure.aspect(beat, paper):.4f};"
        f"height:auto!important;min-height:0!important;outline:1px solid {palette().line}}}</style>"
    )
    with st.container(key="median-beat"):
        st.plotly_chart(
            ReadyFigure(beat_figure.figure(beat, paper, relevance)),
            key="beat-sheet",
            theme=None,
            height="stretch",
            config=CONFIG,
            alt=beat_figure.alt_text(beat, paper, attribution),
        )
    if attribution is not None:
        html.text(
            f"Color shows what contributes to the score for {attribution.label.name}, averaged over all beats: the "
            "wider the line, the larger the contribution; dotted where it lowers the score."
        )
    rows = [
        (each.lead, *(_millivolts(v) for v in (each.p, each.q, each.r, each.s, each.st, each.t)))
        for each in amplitudes(beat)
    ]
    header = ("Lead", "P", "Q", "R", "S", "ST at J + 60 ms", "T")
    html.table(header, rows, "Amplitudes in mV, relative to the level just before the QRS", numbers=range(1, 7))


def _millivolts(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
