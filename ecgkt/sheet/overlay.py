"""Relevance on the sheet in one of three ways, and its key: Plotly traces, shapes and annotations in millimeters.

- line: under the trace, wider and darker the stronger; dashed where it lowers the score.
- band: a strip under each row, over its middle what raises, under it what lowers.
- bars: under each wave a bar, up what raises, down what lowers, as high as the relevance of that wave in that lead and
  beat; under each lead's name two bars, as long as all that raises and all that lowers in that lead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG, LEAD_INDEX, FloatArray
from ecgkt.measurements.delineation import Beats
from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import Overlay, classes, colors, ranked, summed
from ecgkt.sheet.colors import paper_colors
from ecgkt.sheet.layout import SHEET_MM, Layout, Paper, cells
from ecgkt.sheet.plotly_types import Part
from ecgkt.sheet.polyline import floats, heights, stretch

WIDTHS = {1: 3.5, 2: 4.5, 3: 5.5, 4: 7.0}  # px a class
DASH = "3px,2px"
# A cell: fewer than the trace over it, since a broad line needs none of its detail and x is sent here as well.
LINE_POINTS = 750
# Of the strip under a row, in mm: its middle below the row's zero line, and half its height.
STRIP: dict[Layout, tuple[float, float]] = {"3x4": (10.5, 2.0), "6x2": (8.5, 1.6), "12x1": (6.0, 1.2)}
TALLER = 2.2  # the tallest bar over half a band
BAR_MM, LEAST_MM = 1.6, 0.15  # a bar's width; what is less high could not be seen and is left out
LEAD_BAR_MM, LEAD_BAR_HIGH_MM = 18.0, 0.7  # the longest of a lead's bars, and how thick they are

Parts = list[Part]


def traces(
    ecg: ECG, paper: Paper, attribution: Attribution, overlay: Overlay, beats: Beats, names: list[tuple[float, float]]
) -> Parts:
    """What is drawn under the tracing; `beats` of the same tracing and where the `names` stand are for bars."""
    if overlay.way == "line":
        return _lines(ecg, paper, attribution, overlay.shown)
    if overlay.way == "band":
        return [*_middles(paper), *_bands(paper, attribution, overlay.shown)]
    return [*_middles(paper), *_bars(paper, attribution, overlay.shown, beats), *_lead_bars(paper, attribution, names)]


def _filled(name: str, color: str, x: FloatArray, y: FloatArray) -> Part:
    return {
        "type": "scatter", "mode": "lines", "name": name, "meta": "relevance", "hoverinfo": "skip", "showlegend": False,
        "x": x, "y": y, "fill": "toself", "fillcolor": color, "line": {"width": 0},
    }  # fmt: skip


def _lines(ecg: ECG, paper: Paper, attribution: Attribution, shown: int) -> Parts:
    """A trace a class, with all its stretches on all leads and a gap between them."""
    by_sample = classes(attribution, shown)
    xs: list[FloatArray] = []
    ys: list[FloatArray] = []
    found: list[npt.NDArray[np.int8]] = []
    for cell in cells(paper):
        values, begin, step = heights(ecg, paper, cell, LINE_POINTS)
        seconds = begin + np.arange(len(values)) * step
        at = np.rint(seconds * attribution.rate).astype(int)
        row = by_sample[LEAD_INDEX[cell.lead.upper()]]
        level = np.where(at < len(row), row[np.minimum(at, len(row) - 1)], 0)
        xs += [floats((seconds - paper.start) * paper.speed), floats([np.nan])]
        ys += [values, floats([np.nan])]
        found += [level.astype(np.int8), np.zeros(1, np.int8)]
    x, y, level = np.concatenate(xs), np.concatenate(ys), np.concatenate(found)
    out = []
    for k, color in colors(attribution.signed, paper.dark).items():
        mark = level == k
        if not mark.any():
            continue
        mark[1:] |= mark[:-1]  # one point to the right belongs to the stretch too, or two classes would leave a gap
        index = np.flatnonzero(mark)
        gaps = np.flatnonzero(np.diff(index) > 1) + 1
        line = {"color": color, "width": WIDTHS[abs(k)], "dash": DASH if k < 0 else "solid", "simplify": False}
        out.append(
            {
                "type": "scatter", "mode": "lines", "name": str(k), "meta": "relevance", "hoverinfo": "skip",
                "x": np.insert(x[index], gaps, np.nan), "y": np.insert(y[index], gaps, np.nan),
                "line": line, "showlegend": False,
            }
        )  # fmt: skip
    return out


def _middles(paper: Paper) -> Parts:
    """The line that parts raising from lowering, in each row."""
    below, _ = STRIP[paper.layout]
    lines = [-row * paper.row - below for row in range(paper.rows)]
    return [
        {
            "type": "scatter", "mode": "lines", "name": "middle", "meta": "middle", "hoverinfo": "skip",
            "x": floats([0, SHEET_MM, np.nan] * len(lines)), "y": floats([[y, y, np.nan] for y in lines]).ravel(),
            "line": {"color": paper_colors(paper).quiet, "width": 0.5}, "showlegend": False,
        }
    ]  # fmt: skip


def _bands(paper: Paper, attribution: Attribution, shown: int) -> Parts:
    """A heat strip a row, of two lines of boxes where there are signs: lowering below, raising above."""
    by_sample, rate = classes(attribution, shown), attribution.rate
    below, half = STRIP[paper.layout]
    scale = _steps(colors(attribution.signed, paper.dark))
    rows: dict[float, list[Any]] = {}
    for cell in cells(paper):
        part = stretch(by_sample.shape[1], rate, cell)
        rows.setdefault(cell.offset, []).append((part, by_sample[LEAD_INDEX[cell.lead.upper()], part]))
    out = []
    for offset, parts in rows.items():
        level = np.concatenate([values for _, values in parts])
        both = np.stack([np.minimum(level, 0), np.maximum(level, 0)]) if attribution.signed else level[None]
        first = parts[0][0].start / rate
        high = half if attribution.signed else 2 * half
        out.append(
            {
                "type": "heatmap", "name": f"row at {offset:g} mm", "meta": "relevance", "hoverinfo": "skip",
                "z": both.astype(np.int8), "zmin": -4.5, "zmax": 4.5, "colorscale": scale, "showscale": False,
                # Plotly wants the middle of the first box.
                "x0": (first + 0.5 / rate - paper.start) * paper.speed, "dx": paper.speed / rate,
                "y0": offset - below - half + high / 2, "dy": high,
            }
        )  # fmt: skip
    return out


def _steps(by_class: dict[int, str]) -> list[list[Any]]:
    """Plotly's color scale for the classes -4 to 4 as nine steps, 0 and what is missing clear."""
    edges = np.linspace(0, 1, 10)
    steps = [by_class.get(k, "rgba(0,0,0,0)") for k in range(-4, 5)]
    return [[float(edge), color] for i, color in enumerate(steps) for edge in edges[i : i + 2]]


def _bars(paper: Paper, attribution: Attribution, shown: int, beats: Beats) -> Parts:
    values, rate = summed(attribution), attribution.rate
    names = beats.wave_at(np.arange(values.shape[1]) / rate)
    starts = np.flatnonzero(np.concatenate(([True], names[1:] != names[:-1])))
    parts = np.stack([np.maximum(values, 0), np.maximum(-values, 0)])
    waves = np.add.reduceat(parts, starts, axis=2)  # [2, 12, waves], raising and lowering
    below, half = STRIP[paper.layout]
    tall = np.where(ranked(waves, shown), waves * (TALLER * half / (waves.max() or 1.0)), 0)
    middle = (starts + np.append(starts[1:], len(names))) / 2 / rate  # s
    out = []
    by_class = colors(attribution.signed, paper.dark)
    for side, sign in enumerate((1, -1) if attribution.signed else (1,)):
        boxes = []
        for cell in cells(paper):
            high = tall[side, LEAD_INDEX[cell.lead.upper()]]
            here = (high > LEAST_MM) & (middle >= cell.first) & (middle < cell.last)
            x = (middle[here] - paper.start) * paper.speed
            base = np.full(len(x), cell.offset - below)
            boxes.append(_boxes(np.stack([x - BAR_MM / 2, x + BAR_MM / 2]), base, base + sign * high[here]))
        x, y = (np.concatenate(each) for each in zip(*boxes, strict=True))
        out.append(_filled("raises" if sign > 0 else "lowers", by_class[4 * sign], x, y))
    return out


def _boxes(edges: npt.NDArray[Any], low: npt.NDArray[Any], high: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Left and right [2, n], low and high [n] -> the outline of the boxes as one line, a gap after each."""
    (left, right), gap = edges, np.full(len(low), np.nan)
    x = np.stack([left, left, right, right, gap], axis=1).ravel()
    y = np.stack([low, high, high, low, gap], axis=1).ravel()
    return floats(x), floats(y)


def _lead_bars(paper: Paper, attribution: Attribution, names: list[tuple[float, float]]) -> Parts:
    """Each lead's share of the relevance as a bar under its name: over the line what raises, under it what lowers."""
    values = summed(attribution)
    sides = [np.maximum(values, 0).sum(axis=1), np.maximum(-values, 0).sum(axis=1)]
    largest = max(float(side.max()) for side in sides) or 1.0
    by_class = colors(attribution.signed, paper.dark)
    out = []
    for sign, side in zip((1, -1) if attribution.signed else (1,), sides, strict=False):
        places = cells(paper)
        length = np.array([side[LEAD_INDEX[cell.lead.upper()]] for cell in places]) / largest * LEAD_BAR_MM
        left, base = np.array(names).T - [[0], [0.6]]
        left = np.minimum(left, [(cell.last - paper.start) * paper.speed - LEAD_BAR_MM for cell in places])
        x, y = _boxes(np.stack([left, left + length]), base, base + sign * LEAD_BAR_HIGH_MM)
        out.append(_filled("lead raises" if sign > 0 else "lead lowers", by_class[4 * sign], x, y))
    return out
