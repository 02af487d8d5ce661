"""Calipers: a box drawn on the sheet, read as milliseconds, rate and millivolts, and where it is to be drawn again.

    measurement = measure((x0, x1), (y0, y1), paper)      # millimeters, as in `ecgkt.sheet.layout`

What is kept is seconds and millivolts, so a measurement stays in place when layout, gain or speed change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgkt.ecg import ECG, LEAD_INDEX
from ecgkt.sheet.layout import SHEET_MM, Cell, Paper, cells
from ecgkt.sheet.plotly_types import Part

SHORTEST_CYCLE_MS = 150.0  # 400 a minute: what is shorter is no R to R interval, and its rate would mean nothing


@dataclass(frozen=True)
class Measurement:
    """first, last: seconds from the tracing's beginning. low, high: mV from the lead's zero line.

    lead: None for a box over several leads, which has no height.
    """

    first: float
    last: float
    lead: str | None = None
    low: float = 0.0
    high: float = 0.0

    @property
    def milliseconds(self) -> float:
        return 1000 * (self.last - self.first)

    @property
    def per_minute(self) -> float | None:
        """Rate if the box is one cycle; None where it is too short to be one."""
        return 60_000 / self.milliseconds if self.milliseconds >= SHORTEST_CYCLE_MS else None

    @property
    def millivolts(self) -> float | None:
        return None if self.lead is None else self.high - self.low


def measure(x: tuple[float, float], y: tuple[float, float], paper: Paper) -> Measurement | None:
    """Edges of a box in mm, in any order -> what it measures; None if it lies beside the tracing or has no width.

    A box belongs to the lead whose zero line it holds, or else to the nearest one. Holding two zero lines, or
    reaching over two columns, it spans leads.
    """
    left, right = max(min(x), 0.0), min(max(x), SHEET_MM)
    if right <= left:
        return None
    first, last = (paper.start + edge / paper.speed for edge in (left, right))
    cell = _cell(first, last, min(y), max(y), paper)
    if cell is None:
        return Measurement(first, last)
    low, high = sorted(cell.sign * (edge - cell.offset) / paper.gain for edge in y)
    return Measurement(first, last, cell.lead, low, high)


def between(ecg: ECG, lead: str, first: float, last: float) -> Measurement | None:
    """What lies between two moments in s, in any order: the time, and from the lead's lowest to its highest point in
    mV. None where the two are one moment or nothing was recorded between them."""
    first, last = sorted((first, last))
    part = ecg.signal[LEAD_INDEX[lead.upper()], round(first * ecg.rate) : round(last * ecg.rate) + 1]
    known = part[np.isfinite(part)]
    if last <= first or not len(known):
        return None
    return Measurement(first, last, lead, float(known.min()), float(known.max()))


def _cell(first: float, last: float, low: float, high: float, paper: Paper) -> Cell | None:
    places = cells(paper)
    lines = {cell.offset for cell in places}
    held = [line for line in lines if low <= line <= high]
    if len(held) > 1:
        return None
    row = held[0] if held else min(lines, key=lambda line: min(abs(line - low), abs(line - high)))
    slack = 1e-6  # s: seconds and millimeters are not exact in floating point
    inside = [c for c in places if c.offset == row and c.first - slack <= first and last <= c.last + slack]
    return inside[0] if inside else None


def outlines(measurements: Sequence[Measurement], paper: Paper, color: str) -> dict[str, list[Part]]:
    """Plotly `shapes` and `annotations`: each measurement on every place that shows it, with its number and its ms."""
    shapes, notes = [], []
    for number, each in enumerate(measurements, start=1):
        for first, last, low, high in _boxes(each, paper):
            left, right = ((edge - paper.start) * paper.speed for edge in (first, last))
            style = {"line": {"color": color, "width": 1.5, "dash": "solid" if each.lead else "dash"}}
            shapes.append({"type": "rect", "x0": left, "x1": right, "y0": low, "y1": high, "layer": "above", **style})
            notes.append(
                {
                    "x": left, "y": high, "xanchor": "left", "yanchor": "bottom" if each.lead else "top",
                    "text": f"<b>{number}</b> {each.milliseconds:.0f} ms", "showarrow": False,
                    "font": {"size": 11, "color": color},
                }
            )  # fmt: skip
    return {"shapes": shapes, "annotations": notes}


def _boxes(each: Measurement, paper: Paper) -> list[tuple[float, float, float, float]]:
    """(first, last) in s and (low, high) in mm wherever this sheet shows it; over all rows if it spans leads."""
    boxes = []
    if each.lead is None:
        boxes = [(paper.start, paper.start + paper.seconds, -(paper.rows - 0.5) * paper.row, 0.5 * paper.row)]
    for cell in cells(paper):
        if cell.lead == each.lead:
            low, high = sorted(cell.offset + cell.sign * paper.gain * edge for edge in (each.low, each.high))
            boxes.append((cell.first, cell.last, low, high))
    cut = [(max(first, each.first), min(last, each.last), low, high) for first, last, low, high in boxes]
    return [box for box in cut if box[0] < box[1]]
