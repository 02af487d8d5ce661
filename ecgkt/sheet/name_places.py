"""Where the leads' names stand: as near as there is room to the left end of their stretch, and under no tracing.

On paper a name may lie under a QRS complex of its own lead or of the lead below; here the free place nearest to the
usual one is taken, within the lead's own row. Every line of the sheet counts, since a tall R reaches over several rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import FloatArray
from ecgkt.sheet.layout import SHEET_MM, Cell, Paper, cells, name_at

Line = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]  # x and y in mm

# px in a mm, where names are largest beside their tracing: of the smallest sheet that is shown whole, and where that
# leaves no room, of one on a screen of 1440 px.
SCALES = (2.3, 3.8)
LETTER_PX, NARROW_PX = 8.0, {"I": 4.0}  # width of a letter of 12 px, bold
HIGH_PX = 14.0  # of a name with the room that Plotly leaves under it
CLEAR_MM = 0.7  # kept between a name and a line: half a line's width, relevance and all
BELOW_MM = 8.0  # what standing under the zero line counts as, in mm away from the usual place
REACH = 0.6  # of a lead's stretch: how far its name may stand from the beginning


def size(name: str, scale: float = SCALES[0]) -> tuple[float, float]:
    """Width and height of a lead's name in mm, at `scale` px a mm."""
    return sum(NARROW_PX.get(letter, LETTER_PX) for letter in name) / scale + 1, HIGH_PX / scale


def name_places(paper: Paper, lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Lower left corner of every cell's name in mm, in the order of `cells`.

    lines: of every cell, x rising, in the sheet's millimeters. Where a lead has no free place, that with the least of
    a line in it.
    """
    if paper.layout == "12x1":
        return [name_at(paper, cell) for cell in cells(paper)]
    taken = _taken(paper, lines)
    # Sums over everything to the left and below: four of them give the count in any box.
    sums = np.zeros((taken.shape[0] + 1, taken.shape[1] + 1), dtype=np.int32)
    sums[1:, 1:] = taken.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    places = []
    for cell in cells(paper):
        found = [_place(paper, cell, sums, SCALES[0])]
        if found[0][0]:
            found.append(_place(paper, cell, sums, SCALES[1]))
        places.append(min(found)[1])
    return places


def _taken(paper: Paper, lines: Sequence[Line]) -> npt.NDArray[np.bool_]:
    """[mm from time 0, mm from the sheet's foot]: does a line pass there?"""
    low, high = paper.y_range
    foot = np.floor(low) + np.arange(int(np.ceil(high - low)) + 1)
    taken = np.zeros((int(SHEET_MM) + 1, len(foot)), dtype=bool)
    for x, y in lines:
        column = x[:-1].astype(int)
        if not len(column):
            continue
        starts = np.concatenate(([0], np.flatnonzero(column[1:] != column[:-1]) + 1))
        bottom = np.fmin.reduceat(np.fmin(y[:-1], y[1:]), starts) - CLEAR_MM
        top = np.fmax.reduceat(np.fmax(y[:-1], y[1:]), starts) + CLEAR_MM
        taken[column[starts]] |= (foot < top[:, None]) & (foot + 1 > bottom[:, None])
    return taken


def _place(paper: Paper, cell: Cell, sums: npt.NDArray[np.int32], scale: float) -> tuple[int, tuple[float, float]]:
    """(mm² of lines in it, the place)."""
    (usual_x, usual_y), foot = name_at(paper, cell), np.floor(paper.y_range[0])
    across, up = (int(np.ceil(side)) for side in size(cell.name, scale))
    left, bottom = int(usual_x), int(np.ceil(usual_y - foot))

    def count(x: npt.NDArray[np.intp], y: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
        right = np.minimum(x + across + 1, len(sums) - 1)  # one more: a stretch may begin in the middle of a mm
        top = np.minimum(y + up, sums.shape[1] - 1)
        counts: npt.NDArray[np.int32] = sums[right, top] - sums[x, top] - sums[right, y] + sums[x, y]
        return counts

    if not count(np.array(left), np.array(bottom)):
        return 0, (usual_x, bottom + foot)
    stretch = (cell.last - cell.first) * paper.speed
    low, high = np.ceil(cell.offset - paper.row / 2 - foot), cell.offset + paper.row / 2 - foot - up
    x = np.arange(left, left + max(1, int(min(REACH * stretch, stretch - across - 1))))[:, None]
    y = np.arange(int(low), max(int(high), int(low) + 1))[None, :]
    there = count(x, y)
    away = (x - left) + np.abs(y - bottom) + BELOW_MM * (y + foot < cell.offset)
    column, row = np.unravel_index(int(np.argmin(np.where(there == 0, away, 1000.0 * there + away))), there.shape)
    return int(there[column, row]), (usual_x + float(column), float(y[0, row] + foot))


def line(values: FloatArray, first: float, step: float) -> Line:
    """Heights at equal steps in mm -> a line."""
    return first + step * np.arange(len(values)), values
