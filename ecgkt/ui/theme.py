"""Colours, type and spacing that Streamlit's own theme cannot say; the notice on every page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

import ecgkt
from ecgkt import saliency
from ecgkt.ui import navigation


@dataclass(frozen=True)
class Palette:
    """The theme of .streamlit/config.toml again, for what is drawn outside Streamlit's widgets."""

    text: str
    quiet: str
    line: str
    accent: str
    wash: str  # accent, very light: a chosen row
    bar: str  # a probability
    above: str  # a probability above its threshold
    models: tuple[str, str, str]  # knowledge transfer, signal-only, multimodal


LIGHT = Palette(
    "#1c2226",
    "#566068",
    "#d6dcde",
    "#0b6470",
    "#e3eff0",
    "#a9b8bc",
    "#0b6470",
    ("#0b6470", "#7a828a", "#a85d00"),
)
DARK = Palette(
    "#e4eaed",
    "#9aa7ae",
    "#2b353d",
    "#56b7c0",
    "#16313a",
    "#4d5c64",
    "#56b7c0",
    ("#56b7c0", "#a3adb5", "#e0a04a"),
)


def dark() -> bool:
    """Is the browser showing the dark theme? Light when the browser has not said yet."""
    return st.context.theme.type == "dark"


def palette() -> Palette:
    return DARK if dark() else LIGHT


def frame(title: str) -> None:
    """What every page begins with: navigation, wide layout, style, and the research-use notice."""
    navigation.ensure()
    st.set_page_config(page_title=f"{title} · ecgkt", layout="wide", initial_sidebar_state="collapsed")
    _style()
    st.html(f'<div class="notice" role="note">{escape(ecgkt.NOTICE)}</div>')


def _style() -> None:
    """Style of the page frame and of the tables and rows in `ecgkt.ui.html` and `ecgkt.ui.scores`."""
    p = palette()
    by_class = saliency.colours(signed=True, dark=dark())
    raises, lowers = by_class[4], by_class[-4]
    st.html(
        f"""<style>
        .stMainBlockContainer {{padding: 3.4rem 1.6rem 2rem 1.6rem; max-width: 1760px}}
        .stMainBlockContainer [data-testid="stVerticalBlock"] {{gap: 0.55rem}}
        .stHeading h2 {{padding: 1rem 0 0.2rem 0; letter-spacing: -0.01em}}
        .stHeading h3 {{padding: 0.6rem 0 0.1rem 0}}
        .stHeading, .stHeading [data-testid="stMarkdownContainer"] {{margin-bottom: 0}}
        .notice {{color: {p.quiet}; font-size: 0.84rem; border-bottom: 1px solid {p.line}; padding-bottom: 0.3rem}}
        .quiet {{color: {p.quiet}; font-size: 0.86rem; line-height: 1.45}}
        .patient {{font-size: 0.95rem; line-height: 2.2rem; white-space: nowrap;
            overflow: hidden; text-overflow: ellipsis}}
        .patient b {{font-weight: 600}}
        .tag {{border: 1px solid {p.accent}; color: {p.accent}; border-radius: 3px; padding: 0 0.35rem;
            font-size: 0.8rem}}
        .strip {{display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin: 0; padding: 0; font-size: 0.9rem;
            line-height: 1.6; font-variant-numeric: tabular-nums}}
        .strip div {{white-space: nowrap}}
        .strip dt, .strip dd {{display: inline; margin: 0; font-weight: 400}}
        .strip dt, .unit {{color: {p.quiet}; font-size: 0.82rem}}
        .strip b {{font-weight: 600}}
        .flag {{color: {p.accent}; font-size: 0.82rem; font-weight: 600}}
        .lead-in {{font-size: 1.02rem; line-height: 1.5}}
        .rows-title {{font-weight: 600; font-size: 0.92rem; border-bottom: 1px solid {p.line};
            padding: 0.35rem 0 0.15rem 0}}
        .rows-title span {{font-weight: 400; color: {p.quiet}; font-size: 0.82rem; margin-left: 0.5rem}}
        .scroll {{overflow-x: auto}}
        table.data {{border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums}}
        table.data caption {{text-align: left; color: {p.quiet}; padding-bottom: 0.25rem; caption-side: top}}
        table.data th, table.data td {{border: 0; border-bottom: 1px solid {p.line}; padding: 0.28rem 0.7rem 0.28rem 0;
            text-align: left; vertical-align: middle}}
        table.data th {{font-weight: 600; color: {p.quiet}; font-size: 0.82rem}}
        table.data .num {{text-align: right; padding-right: 1rem}}
        table.data.fixed {{table-layout: fixed; min-width: 46rem}}
        table.data tr.known td:first-child {{font-weight: 600}}
        .bar {{position: relative; display: inline-block; width: 100%; min-width: 70px; height: 8px;
            background: {p.line}; border-radius: 1px; vertical-align: middle}}
        .bar i {{position: absolute; left: 0; top: 0; bottom: 0; background: {p.bar}; border-radius: 1px}}
        .bar i.above {{background: {p.above}}}
        .bar.signed {{background: none}}
        .bar.signed i.raises {{background: {raises}}}
        .bar.signed i.lowers {{background: {lowers}}}
        .bar.signed u {{width: 1px; background: {p.quiet}}}
        .bar u {{position: absolute; top: -3px; bottom: -3px; width: 2px; background: {p.text}}}
        [class*="st-key-row-"] {{gap: 0}}
        [class*="st-key-row-"] button {{min-height: 1.95rem; padding: 0 0.4rem 0.3rem 0.4rem; border: 0;
            border-radius: 2px; width: 100%; background-repeat: no-repeat; justify-content: stretch}}
        [class*="st-key-row-"] button > div, [class*="st-key-row-"] button > div > span,
        [class*="st-key-row-"] button [data-testid="stMarkdownContainer"] {{width: 100%; justify-content: stretch}}
        [class*="st-key-row-"] button p {{display: flex; gap: 0.5rem; align-items: baseline; font-size: 0.9rem;
            font-variant-numeric: tabular-nums; width: 100%; text-align: left; color: {p.text}}}
        [class*="st-key-row-"] button p strong {{font-weight: 600; margin-left: auto; flex: none}}
        [class*="st-key-row-"] button p em {{font-style: normal; color: {p.quiet}; font-size: 0.8rem;
            white-space: nowrap}}
        [class*="st-key-row-"] button:hover {{background-color: {p.wash}}}
        .stMainBlockContainer [data-testid="stVerticalBlock"].st-key-rows {{gap: 0.12rem}}
        </style>"""
    )
