"""The median beat on millimeter paper: the twelve leads side by side or laid over each other, with wave boundaries.

    figure(beat, BeatPaper("Side by side"), relevance)     # relevance: ecgkt.relevance.beat.folded

A beat is short, so it is drawn faster than a tracing: the scale is printed on the sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS
from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import SHOWN, colors, ranked
from ecgkt.sheet.colors import DARK, LIGHT, PaperColors
from ecgkt.sheet.plotly_types import Figure, Part
from ecgkt.sheet.wave_marks import waves

Way = Literal["Side by side", "Overlaid"]
SPEED: dict[Way, float] = {"Side by side": 50.0, "Overlaid": 200.0}  # mm/s
GAIN: dict[Way, float] = {"Side by side": 10.0, "Overlaid": 20.0}  # mm/mV, halved once where waves are tall
COLUMNS: dict[Way, int] = {"Side by side": 4, "Overlaid": 1}
TALLEST_MM = 110.0  # of all rows; above it the gain is halved, as on a cart
GAP_MM, TOP_MM, FOOT_MM, MARGIN_MM = 5.0, 9.0, 8.0, 3.0
NAME_MM = 7.0  # left of each beat
WIDTHS = (3.0, 4.5, 6.0, 8.0)  # px, slight to strongest: nothing rests on color alone

Relevance = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BeatPaper:
    """way: leads side by side or overlaid. shown: per cent of the relevance that is drawn, the strongest first."""

    way: Way = "Side by side"
    dark: bool = False
    shown: int = SHOWN

    @property
    def speed(self) -> float:
        return SPEED[self.way]

    @property
    def palette(self) -> PaperColors:
        return DARK if self.dark else LIGHT


@dataclass(frozen=True)
class _Sheet:
    """Where things stand, mm: left edge of each column, zero line of each row, the right and the lower edge."""

    gain: float
    starts: tuple[float, ...]
    zeros: tuple[float, ...]
    right: float
    bottom: float

    def place(self, lead: int) -> tuple[float, float]:
        """(left edge, zero line) of a lead: down the columns, as on the usual sheet."""
        rows = len(self.zeros)
        return self.starts[lead // rows % len(self.starts)], self.zeros[lead % rows]


def _sheet(beat: MedianBeat, paper: BeatPaper) -> _Sheet:
    columns = COLUMNS[paper.way]
    rows = 1 if paper.way == "Overlaid" else len(LEADS) // columns
    wide = float(5 * np.ceil((NAME_MM + beat.signal.shape[1] / beat.rate * paper.speed) / 5))
    starts = tuple(column * wide + NAME_MM for column in range(columns))
    highest = beat.signal.max(axis=1).reshape(-1, rows).max(axis=0)
    lowest = beat.signal.min(axis=1).reshape(-1, rows).min(axis=0)
    for gain in (GAIN[paper.way], GAIN[paper.way] / 2):
        zeros, edge = [], 0.0
        for high, low in zip(highest, lowest, strict=True):
            zeros.append(edge - float(5 * np.ceil((high * gain + GAP_MM) / 5)))
            edge = zeros[-1] - float(5 * np.ceil((GAP_MM - low * gain) / 5))
        if -edge <= TALLEST_MM:
            break
    return _Sheet(gain, starts, tuple(zeros), columns * wide, edge)


def aspect(beat: MedianBeat, paper: BeatPaper) -> float:
    """Width of the sheet over its height."""
    sheet = _sheet(beat, paper)
    return (sheet.right + 2 * MARGIN_MM) / (TOP_MM + FOOT_MM - sheet.bottom)


def figure(beat: MedianBeat, paper: BeatPaper | None = None, relevance: Relevance | None = None) -> Figure:
    """Plotly figure {"data", "layout"}: x = seconds * speed + column, y = mV * gain + zero line, both in mm.

    relevance: [12, samples of `beat`], drawn under the lines; where it lowers the score the line is dotted.
    """
    paper = paper or BeatPaper()
    sheet, palette = _sheet(beat, paper), paper.palette
    x = np.arange(beat.signal.shape[1]) / beat.rate * paper.speed
    under = [] if relevance is None else _relevance(beat, paper, sheet, relevance)
    lines = []
    for i, lead in enumerate(LEADS):
        left, zero = sheet.place(i)
        named = {"hoverinfo": "name"} if paper.way == "Overlaid" else {}
        height = zero + beat.signal[i] * sheet.gain
        lines.append(_line(lead, left + x, height, {"color": palette.trace, "width": 1.3}, **named))
    edges = _edges(beat, paper, sheet)
    grid = {"showgrid": True, "ticks": "", "tick0": 0, "showticklabels": False, "zeroline": False, "dtick": 5}
    minor = {"showgrid": True, "dtick": 1, "tick0": 0, "gridcolor": palette.minor, "gridwidth": 0.6}
    axis = {**grid, "gridcolor": palette.major, "gridwidth": 1, "minor": minor, "constrain": "domain"}
    layout = {
        "xaxis": {**axis, "range": [-MARGIN_MM, sheet.right + MARGIN_MM]},
        "yaxis": {**axis, "range": [sheet.bottom - FOOT_MM, TOP_MM], "scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
        "paper_bgcolor": palette.paper, "plot_bgcolor": palette.paper, "showlegend": False,
        "annotations": _words(beat, paper, sheet), "dragmode": "pan",
        "hovermode": "closest" if paper.way == "Overlaid" else False,  # which of the twelve lines is which lead
    }  # fmt: skip
    return {"data": [*under, edges, *lines], "layout": layout}


def _line(name: str, x: Any, y: Any, line: Part, **more: Any) -> Part:
    x, y = (np.asarray(values, dtype=np.float32) for values in (x, y))
    kind = {"type": "scatter", "mode": "lines", "name": name, "hoverinfo": "skip"}
    return {**kind, "x": x, "y": y, "line": line, **more}


def _edges(beat: MedianBeat, paper: BeatPaper, sheet: _Sheet) -> Part:
    """One trace: a stroke through each column at every onset and end."""
    x: list[float] = []
    y: list[float] = []
    for left in sheet.starts:
        for _, *both in waves(beat.waves):
            for at in both:
                x += [left + at * paper.speed] * 2 + [np.nan]
                y += [sheet.bottom, 0.0, np.nan]
    return _line(
        "Wave boundaries", x, y, {"color": paper.palette.quiet, "width": 0.8, "dash": "dot"}, meta="boundaries"
    )


def _relevance(beat: MedianBeat, paper: BeatPaper, sheet: _Sheet, relevance: Relevance) -> list[Part]:
    """A trace for each class that occurs, under the leads: wider the stronger, dotted where it lowers the score."""
    level = np.sign(relevance).astype(int) * ranked(np.abs(relevance), paper.shown)
    color = colors(bool((relevance < 0).any()), paper.dark)
    seconds = np.arange(beat.signal.shape[1]) / beat.rate
    out = []
    for k in sorted(set(np.unique(level)) - {0}, key=abs):
        x: list[float] = []
        y: list[float] = []
        for i in range(len(LEADS)):
            left, zero = sheet.place(i)
            mark = level[i] == k
            mark[1:] |= level[i][:-1] == k  # to the next class without a gap
            x += [*np.where(mark, left + seconds * paper.speed, np.nan), np.nan]
            y += [*np.where(mark, zero + beat.signal[i] * sheet.gain, np.nan), np.nan]
        style = {"color": color[int(k)], "width": WIDTHS[abs(k) - 1], "dash": "dot" if k < 0 else "solid"}
        out.append(_line(f"relevance {k}", x, y, style, meta="relevance"))
    return out


def _words(beat: MedianBeat, paper: BeatPaper, sheet: _Sheet) -> list[Part]:
    def note(text: str, x: float, y: float, size: int, color: str, anchor: str = "left") -> Part:
        place = {"x": x, "y": y, "xanchor": anchor, "yanchor": "bottom", "text": text, "showarrow": False}
        return {**place, "font": {"size": size, "color": color}}

    palette = paper.palette
    out = [
        note(name, left + (first + last) / 2 * paper.speed, 0.5, 11, palette.quiet, "center")
        for left in sheet.starts
        for name, first, last in waves(beat.waves)
    ]
    if paper.way == "Side by side":
        for i, lead in enumerate(LEADS):
            left, zero = sheet.place(i)
            out.append(note(f"<b>{lead}</b>", left - NAME_MM, zero, 12, palette.trace))
    scale = f"{paper.speed:g} mm/s   {sheet.gain:g} mm/mV   median of {beat.count} beats, drift removed (0.5 Hz)"
    return [*out, note(scale, 0, sheet.bottom - FOOT_MM + 1, 11, palette.quiet)]


def alt_text(beat: MedianBeat, paper: BeatPaper, attribution: Attribution | None = None) -> str:
    """The drawing in a sentence or two; the amplitudes stand in the table under it."""
    edges = ", ".join(f"{name} {1000 * (last - first):.0f} ms" for name, first, last in waves(beat.waves))
    text = f"Median of {beat.count} beats, twelve leads {paper.way.lower()}, with the boundaries of {edges} marked."
    return text if attribution is None else f"{text} Overlaid: contributions to the score for {attribution.label.name}."
