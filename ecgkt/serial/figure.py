"""Two median beats on one paper, lead by lead: one Plotly figure, one axis pair, both in millimeters.

The one before is dashed and quiet, the one now solid and in full palette, so nothing rests on color alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgkt.ecg import LEADS
from ecgkt.serial.comparison import PlacedBeat, SerialComparison
from ecgkt.sheet.colors import DARK, LIGHT
from ecgkt.sheet.layout import PULSE_SECONDS
from ecgkt.sheet.plotly_types import Figure, Part

SPEED = 50  # mm/s: a beat is short, and twice the usual speed shows where waves begin and end
TALLEST_MM = 155.0  # of all rows; above it the gain is halved, as on a cart, and the sheet fits on 900 px
COLUMN_MM = 60.0  # the longest beat that `ecgkt.measurements.median_beat` cuts, 0.96 s, with room on either side
COLUMNS, ROWS = 4, 3  # as in the usual sheet, lead after lead down each column
GAP_MM = 5.0  # between columns, and between the waves of one row and those of the next
NAME_MM = 4.0  # of room for the lead's name left of its beat
LEAST_MM = 10.0  # kept above and below each zero line
TOP_MM, FOOT_MM, MARGIN_MM = 7.0, 7.0, 3.0
NAMES = ("before", "now")


def _edges(beats: tuple[PlacedBeat, PlacedBeat]) -> tuple[float, float]:
    """First and last time of either beat, s from QRS onset."""
    return min(b.times[0] for b in beats), max(b.times[-1] for b in beats)


def _zero_lines(beats: tuple[PlacedBeat, PlacedBeat], gain: float) -> tuple[list[float], float]:
    """(zero line of each row in mm, lower edge of the last row): as far apart as the waves need, in whole boxes."""
    highest = np.max([beat.signal.max(axis=1) for beat in beats], axis=0).reshape(COLUMNS, ROWS) * gain
    lowest = np.min([beat.signal.min(axis=1) for beat in beats], axis=0).reshape(COLUMNS, ROWS) * gain
    up, down = np.maximum(highest + GAP_MM / 2, LEAST_MM), np.maximum(GAP_MM / 2 - lowest, LEAST_MM)
    apart = [up[:, 0], *(down[:, row - 1] + up[:, row] for row in range(1, ROWS)), down[:, -1]]
    *zeros, edge = (-float(mm) for mm in np.cumsum([5 * np.ceil(column.max() / 5) for column in apart]))
    return zeros, edge


def usual_gain(beats: tuple[PlacedBeat, PlacedBeat]) -> float:
    """10 mm/mV, or half or a quarter of it where the waves are too tall for that."""
    return next((gain for gain in (10.0, 5.0) if -_zero_lines(beats, gain)[1] <= TALLEST_MM), 2.5)


def figure(beats: tuple[PlacedBeat, PlacedBeat], gain: float | None = None, dark: bool = False) -> Figure:
    """Plotly figure {"data", "layout"}: x = seconds * 50 mm/s, y = mV * gain + the row's zero line, both in mm.

    gain: mm/mV; `usual_gain` where not given.
    """
    palette = DARK if dark else LIGHT
    gain = usual_gain(beats) if gain is None else gain
    first, last = _edges(beats)
    wide = max(COLUMN_MM, float(5 * np.ceil(((last - first) * SPEED + GAP_MM) / 5)))
    zeros, bottom = _zero_lines(beats, gain)
    starts = [column * wide + NAME_MM - first * SPEED for column in range(COLUMNS)]  # where QRS begins in each column

    lines: list[Part] = []
    styles = ({"color": palette.quiet, "width": 1.3, "dash": "4px,2.5px"}, {"color": palette.trace, "width": 1.4})
    for beat, name, line in zip(beats, NAMES, styles, strict=True):
        x, y = [], []
        for i, values in enumerate(beat.signal):
            x += [*(starts[i // ROWS] + beat.times * SPEED), np.nan]
            y += [*(zeros[i % ROWS] + values * gain), np.nan]
        lines.append(_line(name, x, y, line, showlegend=True))
    x, y = [], []
    for start in starts:
        x += [start, start, np.nan]
        y += [bottom, TOP_MM / 2, np.nan]
    onset = _line("QRS onset", x, y, {"color": palette.quiet, "width": 0.8, "dash": "dot"}, showlegend=True)
    pulse_x, pulse_y = [], []
    left = -PULSE_SECONDS * SPEED - 3
    for zero in zeros:
        pulse_x += [left, left, -3, -3, np.nan]
        pulse_y += [zero, zero + gain, zero + gain, zero, np.nan]
    pulse = _line("1 mV, 200 ms", pulse_x, pulse_y, {"color": palette.trace, "width": 1}, meta="calibration")

    def note(text: str, x: float, y: float, size: int, color: str) -> Part:
        return {"text": text, "x": x, "y": y, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
                "font": {"size": size, "color": color}}  # fmt: skip

    words = [
        note(f"<b>{lead}</b>", wide * (i // ROWS), zeros[i % ROWS] + 3, 12, palette.trace)
        for i, lead in enumerate(LEADS)
    ]
    scale = f"{SPEED} mm/s   {gain:g} mm/mV   median beats, baseline wander removed"
    words.append(note(scale, left, bottom - FOOT_MM + 1, 11, palette.quiet))
    minor = {"showgrid": True, "dtick": 1, "tick0": 0, "gridcolor": palette.minor, "gridwidth": 0.6}
    axis = {
        "showgrid": True, "ticks": "", "tick0": 0, "dtick": 5, "showticklabels": False, "zeroline": False,
        "gridcolor": palette.major, "gridwidth": 1, "minor": minor, "constrain": "domain",
    }  # fmt: skip
    layout = {
        "xaxis": {**axis, "range": [left - MARGIN_MM, COLUMNS * wide + MARGIN_MM]},
        "yaxis": {**axis, "range": [bottom - FOOT_MM, TOP_MM], "scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
        "paper_bgcolor": palette.paper, "plot_bgcolor": palette.paper, "annotations": words,
        "legend": {
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "top", "bgcolor": "rgba(0,0,0,0)",
            "font": {"size": 12, "color": palette.trace}, "itemclick": False, "itemdoubleclick": False,
        },
        "showlegend": True, "dragmode": "pan", "hovermode": False,
    }  # fmt: skip
    return {"data": [onset, pulse, *lines], "layout": layout}


def _line(name: str, x: list[float], y: list[float], line: Part, **more: Any) -> Part:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": np.array(x, np.float32), "y": np.array(y, np.float32),
        "line": line, "hoverinfo": "skip", "showlegend": False, "connectgaps": False, **more,
    }  # fmt: skip


def aspect(drawn: Figure) -> float:
    """Width of a figure of `figure` over its height."""
    (left, right), (low, high) = (drawn["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
    return float((right - left) / (high - low))


def alt_text(comparison: SerialComparison) -> str:
    """The figure in words: how it is drawn, and where ST and T changed most."""
    text = (
        f"Median beats of both ECGs overlaid in each of the 12 leads, aligned at QRS, {SPEED} mm/s: "
        "the one before dashed, the one now solid."
    )
    moved = [(abs(c.st[1] - c.st[0]), c.lead, c.st[1] - c.st[0]) for c in comparison.leads if None not in c.st]  # type: ignore[operator]
    if moved:
        size, lead, change = max(moved)
        most = f"changed most in {lead}, by {change:+.2f} mV" if size >= 0.005 else "changed in no lead"
        text += f" ST at the J point {most}."
    return text
