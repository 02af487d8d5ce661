"""Wave boundaries on the sheet: under each beat a bracket from onset to end of P, QRS and T, in millimeters, and a
stroke below for each pacing spike. P waves that are not sure are not marked.

One trace for all of them. Boundaries are global, so every lead has the same ones; their order tells them apart, and
the letters P and T on the first beat of the last row, no color does. Under any other row letters would run into a
lead's name on a small screen, where they are as large as ever, and "QRS" into those beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgkt.measurements.delineation import Beat, Beats
from ecgkt.sheet.layout import Cell, Paper, cells

FOOT = 0.34  # of a row below its zero line: where a bracket lies
LETTERED = ("P", "T")
RISE = 0.20  # of a row that its two ends rise from there

Wave = tuple[str, float, float]  # name, onset, end in s


def waves(beat: Beat) -> list[Wave]:
    """P, QRS and T of a beat, those that were found."""
    found = [("P", beat.p_onset, beat.p_offset), ("QRS", beat.qrs_onset, beat.qrs_offset),
             ("T", beat.t_onset, beat.t_offset)]  # fmt: skip
    return [(name, first, last) for name, first, last in found if first is not None and last is not None]


def marked(sheet: dict[str, Any], paper: Paper, color: str) -> dict[str, Any]:
    """The Plotly figure with a bracket under every wave of `paper.beats`; as it was where there are none.

    A wave cut by the edge of its place is left out. `sheet` is changed and returned.
    """
    if paper.beats is None:
        return sheet
    x: list[float] = []
    y: list[float] = []
    letters = []
    for cell in cells(paper):
        foot = cell.offset - FOOT * paper.row
        inside = _inside(paper.beats, cell)
        for _, first, last in inside:
            left, right = ((at - paper.start) * paper.speed for at in (first, last))
            x += [left, left, right, right, np.nan]
            y += [foot + RISE * paper.row, foot, foot, foot + RISE * paper.row, np.nan]
        for spike in paper.beats.pacing.spikes:
            if cell.first <= spike <= cell.last:
                x += [(spike - paper.start) * paper.speed] * 2 + [np.nan]
                y += [foot, foot - RISE * paper.row, np.nan]
        if cell.first == paper.start and cell.offset == -(paper.rows - 1) * paper.row:
            firsts = {name: (first + last) / 2 for name, first, last in reversed(inside) if name in LETTERED}
            letters += [_letter(name, (at - paper.start) * paper.speed, foot, color) for name, at in firsts.items()]
    trace = {
        "type": "scatter", "mode": "lines", "name": "Wave boundaries", "meta": "boundaries",
        "x": np.asarray(x, dtype=np.float32), "y": np.asarray(y, dtype=np.float32),
        "line": {"color": color, "width": 1}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    sheet["data"].append(trace)
    sheet["layout"]["annotations"] += letters
    return sheet


def _inside(beats: Beats, cell: Cell) -> list[Wave]:
    every = (wave for beat in beats.beats for wave in waves(beat) if wave[0] != "P" or beats.atrial != "unsure")
    return [wave for wave in every if cell.first <= wave[1] and wave[2] <= cell.last]


def _letter(text: str, x: float, y: float, color: str) -> dict[str, Any]:
    place = {"x": x, "y": y, "xanchor": "center", "yanchor": "top"}
    return {**place, "text": text, "showarrow": False, "font": {"size": 10, "color": color}}


def words(paper: Paper) -> str:
    """What is marked, as a sentence after others: how many of each wave, and where those of the first beat lie."""
    if paper.beats is None:
        return ""
    last = paper.start + paper.seconds
    shown = [beat for beat in paper.beats.beats if paper.start <= beat.r < last]
    if not shown:
        return " No wave boundaries were found."
    unsure = paper.beats.atrial == "unsure"
    found = [wave for beat in shown for wave in waves(beat) if wave[0] != "P" or not unsure]
    counts = ", ".join(f"{sum(name == wave[0] for wave in found)} {name}" for name in ("P", "QRS", "T"))
    first = ", ".join(f"{name} {a:.2f} to {b:.2f} s" for name, a, b in waves(shown[0]) if name != "P" or not unsure)
    spikes = sum(paper.start <= at < last for at in paper.beats.pacing.spikes)
    paced = f" {spikes} pacing spikes are marked by a stroke below." if spikes else ""
    return f" Onset and end of {counts} waves are marked under the leads; in the first beat {first}.{paced}"
