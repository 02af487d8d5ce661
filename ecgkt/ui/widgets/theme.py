"""Colors, type and spacing that Streamlit's own theme cannot say; the notice on every page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

import ecgkt
from ecgkt.relevance import classes as relevance_classes
from ecgkt.ui.widgets import navigation

STYLE = Path(__file__).with_name("style.css")


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
    models: tuple[str, ...]  # knowledge transfer, signal-only, multimodal, then any others


LIGHT = Palette(
    "#1c2226",
    "#566068",
    "#d6dcde",
    "#0b6470",
    "#e3eff0",
    "#7b8d94",
    "#0b6470",
    ("#0b6470", "#7a828a", "#a85d00", "#6b4ea0", "#2f6fb5", "#4c7a2e"),
)
DARK = Palette(
    "#e4eaed",
    "#9aa7ae",
    "#2b353d",
    "#56b7c0",
    "#16313a",
    "#60717a",
    "#56b7c0",
    ("#56b7c0", "#a3adb5", "#e0a04a", "#b79ae6", "#7db3f0", "#9cc97a"),
)


def dark() -> bool:
    """Is the browser showing the dark theme? Light when the browser has not said yet."""
    return st.context.theme.type == "dark"


def palette() -> Palette:
    return DARK if dark() else LIGHT


def frame(title: str) -> None:
    """What every page begins with: navigation, wide layout, style, its name for screen readers, and the research-use
    notice."""
    navigation.ensure()
    st.set_page_config(page_title=f"{title} · ecgkt", layout="wide", initial_sidebar_state="collapsed")
    _style()
    st.html(f'<h1 class="unseen">{escape(title)}</h1><div class="notice" role="note">{escape(ecgkt.NOTICE)}</div>')


def colors(palette: Palette, is_dark: bool) -> dict[str, str]:
    """Name -> color of everything that style.css calls by a name."""
    by_class = relevance_classes.colors(signed=True, dark=is_dark)
    named = {name: color for name, color in vars(palette).items() if isinstance(color, str)}
    return named | {"raises": by_class[4], "lowers": by_class[-4], "warning": palette.models[2]}


def _style() -> None:
    """style.css, and the colors that it names."""
    names = ";".join(f"--{name}:{color}" for name, color in colors(palette(), dark()).items())
    st.html(f"<style>:root{{{names}}}</style>")
    st.html(STYLE)
