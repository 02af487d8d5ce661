"""What every chart of figures shares: a quiet frame, points with whiskers, words for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any

import streamlit as st

from ecgkt.results.intervals import Interval
from ecgkt.sheet.plotly_types import Figure, Part
from ecgkt.ui.widgets.ready_figure import ReadyFigure
from ecgkt.ui.widgets.theme import Palette, palette

LINE, LINES = 30, 2  # letters of a name beside a row, and lines that it may have; what is longer is cut
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross")


def series(p: Palette, number: int) -> dict[str, str]:
    """Color and symbol of a series; another symbol as well as another color."""
    return {"color": p.models[number % len(p.models)], "symbol": SYMBOLS[number % len(SYMBOLS)]}


def plain(words: str) -> str:
    """Words for a place where Plotly reads its HTML (a link among it) and the names of values."""
    return escape(words.replace("%{", "% {"), quote=False)


def axis(p: Palette, title: str = "", **more: Any) -> Part:
    return {
        "gridcolor": p.line, "zeroline": False, "fixedrange": True, "tickfont": {"size": 12, "color": p.text},
        "title": {"text": plain(title), "font": {"size": 12}}, "ticks": "outside", "ticklen": 4,
        "tickcolor": "rgba(0,0,0,0)", **more,
    }  # fmt: skip


def names(rows: Sequence[str]) -> list[str]:
    """Names beside the rows of a chart, in lines so short that a phone has room for the chart itself."""
    return ["<br>".join(map(plain, wrap(name, LINE, max_lines=LINES, placeholder="…"))) for name in rows]


def under(p: Palette, title: str) -> Part:
    """The title of an axis that runs across, at the right end of the chart: under the middle of an axis that is short,
    beside long names, it would run out of the window."""
    return {
        "text": plain(title), "x": 1, "xref": "paper", "xanchor": "right", "y": 0, "yref": "paper", "yanchor": "top",
        "yshift": -22, "showarrow": False, "font": {"size": 12, "color": p.text},
    }  # fmt: skip


def whiskers(
    name: str, places: Sequence[float], values: Sequence[Interval], look: dict[str, str], across: bool = False
) -> Part:
    """Points with 95% intervals: values along y, or along x where `across`."""
    along, other = ("x", "y") if across else ("y", "x")
    return {
        "type": "scatter", "mode": "markers", "name": plain(name),
        along: [value[0] for value in values], other: list(places),
        f"error_{along}": {
            "type": "data", "symmetric": False, "thickness": 1.2, "width": 0, "color": look["color"],
            "array": [value[2] - value[0] for value in values],
            "arrayminus": [value[0] - value[1] for value in values],
        },
        "marker": {"symbol": look["symbol"], "size": 7, "color": look["color"]},
        "hovertemplate": f"%{{{along}:.3f}}<extra>{plain(name)}</extra>",
    }  # fmt: skip


def layout(p: Palette, height: int, x: Part, y: Part, **more: Any) -> Part:
    return {
        "height": height, "margin": {"l": 10, "r": 20, "t": 34, "b": 40}, "dragmode": False,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": p.text},
        "xaxis": x, "yaxis": y,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12}}, **more,
    }  # fmt: skip


def line(p: Palette, x0: float, y0: float, x1: float, y1: float, **more: Any) -> Part:
    """A dashed line of reference (chance, perfect calibration)."""
    quiet = {"color": p.quiet, "width": 1.2, "dash": "dash"}
    return {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "layer": "below", "line": quiet, **more}


def note(p: Palette, words: str, level: float) -> Part:
    """Words on a line at `level`, at its left end."""
    return {
        "x": 0, "xref": "paper", "y": level, "text": words, "showarrow": False, "xanchor": "left",
        "yanchor": "bottom", "font": {"size": 12, "color": p.quiet},
    }  # fmt: skip


def forest(
    rows: Sequence[str], sets: Sequence[tuple[str, Sequence[Interval | None]]], title: str, reference: float = 0.5
) -> Figure:
    """Plotly figure: a row a name, a dot with its interval for each set of values that has one there.

    reference: what is no effect (chance, no difference), with a dotted line. Where it lies so far from all values that
    these would be crowded at the other end, it is out of view, and the title says so.
    """
    p = palette()
    data = []
    for k, (name, values) in enumerate(sets):
        there = [(row, value) for row, value in enumerate(values) if value]
        shift = 0.48 * (k / (len(sets) - 1) - 0.5) if len(sets) > 1 else 0.0
        look = series(p, k)
        data.append(whiskers(name, [row + shift for row, _ in there], [v for _, v in there], look, across=True))
    edges = [edge for _, values in sets for value in values if value for edge in value[1:]]
    if edges and min(abs(edge - reference) for edge in edges) > max(edges) - min(edges) > 0:
        title += " (off this axis)"
    else:
        edges.append(reference)
    margin = 0.03 * (max(edges) - min(edges)) or 0.1
    x = axis(p, range=[min(edges) - margin, max(edges) + margin], tickangle=0, nticks=5)
    y = axis(p, showgrid=False, automargin=True, range=[len(rows) - 0.4, -0.6])
    ticks = names(rows)
    y |= {"tickmode": "array", "tickvals": list(range(len(rows))), "ticktext": ticks}
    high = 32 if any("<br>" in name for name in ticks) else 28  # px of a row
    shapes = [line(p, reference, 0, reference, 1, yref="paper")] if reference in edges else []
    words = [under(p, title)]
    drawn = layout(p, 56 + high * len(rows), x, y, shapes=shapes, showlegend=len(sets) > 1, annotations=words)
    drawn["margin"]["t"] = 34 if len(sets) > 1 else 10
    return {"data": data, "layout": drawn}


def show(figure: Figure, key: str, alt: str) -> None:
    st.plotly_chart(ReadyFigure(figure), theme=None, key=key, config={"displayModeBar": False}, alt=alt)
