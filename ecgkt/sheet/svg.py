"""The sheet of `ecgkt.sheet.figure` as an SVG of its own size in millimeters, for where Plotly is not: its first
picture.

Traces are thinned to what a screen shows (`POINTS` a line) and rounded to 0.1 mm.
"""

from __future__ import annotations

from html import escape

import numpy as np

from ecgkt.ecg import FloatArray
from ecgkt.sheet.plotly_types import Figure, Part
from ecgkt.sheet.polyline import thin

POINTS = 500  # a line: its minima and maxima stay, so no QRS is lost
PX_MM = 0.26  # mm in a px of a screen with 96 dpi: widths of lines, sizes of letters


def svg(figure: Figure) -> str:
    """SVG text with the grid, every line trace and every lead's name of a figure of `ecgkt.sheet.figure`."""
    layout = figure["layout"]
    (left, right), (low, high) = layout["xaxis"]["range"], layout["yaxis"]["range"]
    lines = "".join(_line(trace) for trace in figure["data"])
    words = "".join(_word(note) for note in layout["annotations"])
    grid = _grid(1, left, high, layout["xaxis"]["minor"]["gridcolor"])
    grid += _grid(5, left, high, layout["xaxis"]["gridcolor"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right - left:g} {high - low:g}">{grid}'
        f'<g transform="translate({-left:g} {high:g})" fill="none" stroke-linejoin="round">{lines}{words}</g></svg>'
    )


def _grid(mm: int, left: float, high: float, color: str) -> str:
    """A line every `mm`, through the sheet's own zero."""
    at = f'x="{-left % mm:g}" y="{high % mm:g}" width="{mm}" height="{mm}"'
    pattern = f'<pattern id="g{mm}" {at} patternUnits="userSpaceOnUse"><path d="M0 {mm}V0H{mm}" fill="none" '
    pattern += f'stroke="{color}" stroke-width="{0.15 if mm == 1 else 0.25}"/></pattern>'
    return f'{pattern}<rect width="100%" height="100%" fill="url(#g{mm})"/>'


def _line(trace: Part) -> str:
    y = np.asarray(trace["y"], dtype=np.float32)
    if "x" in trace:
        x = np.asarray(trace["x"], dtype=np.float32)
    else:
        y, per_point = thin(y, POINTS)
        x = trace["x0"] + (np.arange(len(y)) * per_point + (per_point - 1) / 2) * trace["dx"]
    style = trace["line"]
    opacity = f' opacity="{trace["opacity"]}"' if "opacity" in trace else ""
    width = f"{style['width'] * PX_MM:.2f}"
    return f'<path d="{_path(x, y)}" stroke="{style["color"]}" stroke-width="{width}"{opacity}/>'


def _path(x: FloatArray, y: FloatArray) -> str:
    """Path data in mm, y upwards; a stretch a move and its steps, broken where NaN lifts the pen."""
    known = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(int)))
    out = ""
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        tenths = np.rint(10 * np.stack([x[first:last], -y[first:last]])).astype(int)
        steps = " ".join(map(str, (np.diff(tenths, axis=1).T / 10).ravel().tolist()))
        out += f"M{tenths[0, 0] / 10:g} {tenths[1, 0] / 10:g}l" + f"{steps} ".replace(".0 ", " ").rstrip()
    return out


def _word(note: Part) -> str:
    text = note["text"].removeprefix("<b>").removesuffix("</b>")
    weight = ' font-weight="bold"' if text != note["text"] else ""
    y = -note["y"] - note["font"]["size"] * PX_MM / 3  # Plotly's lower edge of a text lies below its letters
    font = f'font-family="sans-serif" font-size="{note["font"]["size"] * PX_MM:.2f}"{weight}'
    return f'<text x="{note["x"]:g}" y="{y:.2f}" {font} fill="{note["font"]["color"]}">{escape(text)}</text>'
