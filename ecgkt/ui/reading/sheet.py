"""The sheet: the tracing on its paper, and how it is to be laid out. The layout stands in the address, to be shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TypeVar
from urllib.parse import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.delineation import Beats
from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import SHOWN, WAYS, Overlay
from ecgkt.sheet import display_filter
from ecgkt.sheet import figure as sheet_figure
from ecgkt.sheet import layout as sheet_layout
from ecgkt.sheet import svg as sheet_svg
from ecgkt.sheet.colors import paper_colors
from ecgkt.sheet.layout import Paper
from ecgkt.ui import keys
from ecgkt.ui.reading import calipers
from ecgkt.ui.session import Opened, drawn
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.ready_figure import ReadyFigure
from ecgkt.ui.widgets.theme import dark, palette

T = TypeVar("T")

METHODS = {"effects": "Effects", "integrated_gradients": "Integrated gradients", "saliency": "Saliency"}
METHODS_HELP = (
    "Effects: what the score would lose without each effect that labs and conditions are likely to have had on this "
    "beat; for findings, the mean of that and of what sets the beat apart from normal ones with a like QRS. Integrated "
    "gradients: from a flat line to this tracing. Saliency is the size of the gradient: it cannot distinguish what "
    "raises the score from what lowers it."
)
PICTURED_SECONDS = 30.0  # of a session: 5 MB of Plotly take a slow line or a slow laptop that long
COLUMN_MM = 65.0  # from time 0: a column of leads in 3 x 4, and the beginning of the next
# The wheel scrolls the page; the sheet is enlarged by its buttons.
CONFIG = {
    "displaylogo": False, "scrollZoom": False, "doubleClick": "reset", "displayModeBar": "hover",
    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
}  # fmt: skip
SVG_SAFE = " =:/,.-+'()"  # what may stand unescaped in an SVG that is a URL in quotes
LAYOUT_KEYS = dict(zip(sheet_layout.LAYOUTS, "123", strict=True))


def settings() -> Paper:
    """The paper as chosen in the menu beside the patient line.

    Each widget is bound to the parameter of the address that has its key's name; a value that is no option is dropped.
    """
    with st.popover("Layout", width="stretch"):
        layout = switch("Layout", tuple(sheet_layout.LAYOUTS), "layout")
        gain = switch("Gain, mm/mV", sheet_layout.GAINS, "gain", 10)
        speed = switch("Paper speed, mm/s", sheet_layout.SPEEDS, "speed", 25)
        order = switch("Limb lead order", sheet_layout.ORDERS, "order")
        rhythm = st.selectbox(
            "Rhythm lead",
            LEADS,
            index=LEADS.index("II"),
            key="rhythm",
            disabled=layout != "3x4",
            bind="query-params",
        )
        filter = switch("Filter (monitor: 0.5–40 Hz, not for diagnosis)", display_filter.FILTERS, "filter")
    return Paper(layout, gain, speed, rhythm, dark=dark(), order=order, filter=filter)


def relevance_settings() -> tuple[str, Overlay | None]:
    """(attribution method, how its relevance is drawn or None for not at all), in a menu of its own."""
    with st.popover("Relevance", width="stretch"):
        is_drawn = st.toggle("Show on the tracing", value=True, key="overlay", bind="query-params")
        way = switch("Display", tuple(WAYS), "way")
        shown = st.slider(
            "Show the strongest, % of the contributions",
            10,
            100,
            SHOWN,
            10,
            key="strength",
            disabled=not is_drawn,
            bind="query-params",
            help="Only the strongest segments that make up this share are drawn. Text and tables count everything.",
        )
        method = st.selectbox(
            "Method",
            list(METHODS),
            format_func=METHODS.__getitem__,
            key="method",
            bind="query-params",
            help=METHODS_HELP,
        )
    return method, Overlay(way, shown) if is_drawn else None


def switch(title: str, options: Sequence[T], key: str, first: T | None = None) -> T:
    """One of a few options, always one of them; the first of them unless another is named."""
    first = options[0] if first is None else first
    chosen = st.segmented_control(title, options, default=first, required=True, key=key, bind="query-params")
    return first if chosen is None else chosen


def marks(laid_out: Paper, beats: Beats) -> Paper:
    """The paper with the boundaries of P, QRS and T under every beat, where that is switched on."""
    return (
        replace(laid_out, beats=beats)
        if st.toggle("Wave boundaries", key=keys.WAVES, bind="query-params")
        else laid_out
    )


def lay(opened: Opened, laid_out: Paper) -> tuple[Paper, DeltaGenerator]:
    """(paper from the second chosen, its place on the page): as wide as its column and as high as its paper.

    A slider when the tracing is longer than a sheet. In a session's first seconds, while the browser fetches Plotly,
    the place shows the tracing as a picture, so it is there at once and nothing moves when the chart comes.
    """
    place = st.container(key="sheet")
    seconds = opened.ecg.seconds
    if seconds > laid_out.seconds + 0.5:
        latest = float(int(seconds - laid_out.seconds + 0.999))
        start = st.slider("Start of the sheet, s", 0.0, latest, 0.0, 1.0, key="start", bind="query-params")
        laid_out = replace(laid_out, start=start)
    picture = ""
    if monotonic() - st.session_state.setdefault(keys.FIRST_SHEET, monotonic()) < PICTURED_SECONDS:
        picture = drawn(opened, ("picture", _written(laid_out)), partial(_picture, opened.ecg, laid_out))
    # Height follows width in the browser, so the boxes stay square without an empty band above and below. On a phone a
    # column of the sheet is as wide as the screen (style.css).
    left, right = laid_out.x_range
    enlarged = (right - left) / (COLUMN_MM - left)
    st.html(
        f"<style>.st-key-sheet{{--aspect:{laid_out.aspect:.4f};--enlarged:{enlarged:.4f};{picture}"
        f"--paper:{paper_colors(laid_out).paper};outline:1px solid {palette().line}}}</style>"
    )
    return laid_out, place


def _picture(ecg: ECG, laid_out: Paper) -> str:
    """CSS that shows the tracing."""
    svg = sheet_svg.svg(sheet_figure.figure(ecg, laid_out))
    return f'background-image:url("data:image/svg+xml,{quote(svg, safe=SVG_SAFE)}");'


def _written(laid_out: Paper) -> str:
    """The paper in words that tell it from every other of the same tracing."""
    return f"{replace(laid_out, beats=None)} {laid_out.beats is not None}"


def sheet(
    place: DeltaGenerator,
    opened: Opened,
    key: str,
    laid_out: Paper,
    attribution: Attribution | None = None,
    overlay: Overlay | None = None,
    is_measuring: bool = False,
) -> None:
    """The tracing in the place that `lay` made for it, and what was measured on it, kept as `key`.

    The attribution is drawn on it as `overlay` says, and not at all without one.
    """
    attribution = attribution if overlay is not None else None
    ecg, measured = opened.ecg, calipers.kept(key)
    if is_measuring:
        measured = [*measured, *calipers.moved(ecg, key)]
        st.html("<style>.st-key-sheet{--drag:all}</style>")  # style.css lets fingers scroll the page otherwise

    def draw() -> ReadyFigure:
        beats = None if attribution is None else opened.analyzed.beats
        figure = sheet_figure.figure(ecg, laid_out, attribution, measured, overlay, beats)
        if is_measuring:
            figure["layout"]["dragmode"] = "select"
        return ReadyFigure(figure, sheet_figure.alt_text(ecg, laid_out, attribution, overlay, beats))

    explained = "" if attribution is None else f"{attribution.label.name} {hash(attribution.relevance.tobytes())}"
    figure = (
        draw()
        if measured or is_measuring
        else drawn(opened, ("sheet", _written(laid_out), explained, str(overlay)), draw)
    )
    place.plotly_chart(
        figure,
        key="ecg-sheet",
        theme=None,
        height="stretch",
        on_select=partial(calipers.take, "ecg-sheet", key, laid_out) if is_measuring else "ignore",
        selection_mode="box",
        config=CONFIG,
        alt=figure.alt,
    )
    if is_measuring:
        calipers.keyboard(ecg, key)
    calipers.readings(key)


def shortcuts() -> None:
    """The keyboard: its buttons work while this is folded, and unfolded they list what there is."""
    with st.expander("Keyboard"):
        html.text(
            "P and N open the previous and next ECG, M turns measuring on and off, X clears all measurements. Others:"
        )
        with st.container(horizontal=True):
            for layout, words in sheet_layout.LAYOUTS.items():
                st.button(words, key=f"key_{layout}", shortcut=LAYOUT_KEYS[layout], on_click=_lay_out, args=(layout,))
            st.button("Wave boundaries", key="key_waves", shortcut="W", on_click=_mark)


def _lay_out(layout: str) -> None:
    st.session_state[keys.LAYOUT] = layout


def _mark() -> None:
    st.session_state[keys.WAVES] = not st.session_state.get(keys.WAVES, False)
