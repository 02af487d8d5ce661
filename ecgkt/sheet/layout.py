"""Where each lead stands on its paper: layouts, lead orders and scales, in millimeters.

A sheet is 250 mm wide whatever the speed, as on a cart; row 0 has its zero line at y = 0, time 0 of the sheet at x = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Literal

from ecgkt.ecg import LEADS
from ecgkt.measurements.delineation import Beats
from ecgkt.sheet.display_filter import Filter

Layout = Literal["3x4", "6x2", "12x1"]
LAYOUTS: dict[Layout, str] = {"3x4": "3 × 4 + rhythm", "6x2": "6 × 2", "12x1": "12 × 1"}
GAINS = (5, 10, 20)  # mm/mV
SPEEDS = (25, 50)  # mm/s

# Cabrera's order runs round the frontal plane in steps of 30°, from aVL at -30° to III at 120°, for which aVR is turned
# over (AHA/ACCF/HRS 2007 recommendations for the ECG, part I).
Order = Literal["standard", "cabrera"]
ORDERS: tuple[Order, ...] = ("standard", "cabrera")
CABRERA = ("aVL", "I", "-aVR", "II", "aVF", "III", *LEADS[6:])

SHEET_MM = 250.0  # width of the tracing: 10 s at 25 mm/s
PULSE_SECONDS = 0.2  # a 1 mV x 200 ms calibration pulse: 5 mm x 10 mm at the standard scale
MARGIN_MM = 3.0
TOP_MM = 14.0  # room for the legend
FOOT_MM = 8.0
NAMES_MM = 12.0  # of twelve rows, between which a name finds no room: a margin of its own
ROW_MM: dict[Layout, float] = {"3x4": 27.0, "6x2": 21.0, "12x1": 15.0}
COLUMNS: dict[Layout, int] = {"3x4": 4, "6x2": 2, "12x1": 1}


@dataclass(frozen=True)
class Paper:
    """How a tracing is laid out. gain in mm/mV, speed in mm/s, start in seconds from the tracing's beginning.

    beats: those whose wave boundaries are marked (`ecgkt.sheet.wave_marks`), None for no marks.
    """

    layout: Layout = "3x4"
    gain: int = 10
    speed: int = 25
    rhythm: str = "II"
    start: float = 0.0
    dark: bool = False
    order: Order = "standard"
    filter: Filter = "none"
    beats: Beats | None = None

    @property
    def seconds(self) -> float:
        """Seconds that one sheet shows."""
        return SHEET_MM / self.speed

    @property
    def columns(self) -> int:
        return COLUMNS[self.layout]

    @property
    def grid_rows(self) -> int:
        """Rows of the twelve leads, the rhythm strip not counted."""
        return len(LEADS) // self.columns

    @property
    def rows(self) -> int:
        return self.grid_rows + (self.layout == "3x4")

    @property
    def row(self) -> float:
        """Distance of two zero lines in mm."""
        return ROW_MM[self.layout]

    @property
    def x_range(self) -> tuple[float, float]:
        """Left and right edge in mm; the calibration pulse stands left of 0, the names of twelve rows left of that."""
        names = NAMES_MM if self.layout == "12x1" else 0.0
        return -(PULSE_SECONDS * self.speed + 3 + MARGIN_MM + names), SHEET_MM + MARGIN_MM

    @property
    def y_range(self) -> tuple[float, float]:
        """Lower and upper edge in mm."""
        return -(self.rows - 0.5) * self.row - FOOT_MM, 0.5 * self.row + TOP_MM

    @property
    def aspect(self) -> float:
        """Width of the sheet over its height."""
        (left, right), (low, high) = self.x_range, self.y_range
        return (right - left) / (high - low)


@dataclass(frozen=True)
class Cell:
    """One lead's place: its zero line in mm, and the stretch of the tracing it shows in seconds.

    sign: -1 where the lead is drawn upside down (Cabrera's -aVR).
    """

    lead: str
    offset: float
    first: float
    last: float
    sign: int = 1

    @property
    def name(self) -> str:
        return f"−{self.lead}" if self.sign < 0 else self.lead


def cells(paper: Paper) -> list[Cell]:
    """Every place on the sheet. Time runs on from column to column, above the same time in the rhythm strip."""
    start, length, rows = paper.start, paper.seconds / paper.columns, paper.grid_rows
    order = CABRERA if paper.order == "cabrera" else LEADS
    grid = [
        Cell(
            lead.removeprefix("-"),
            -(i % rows) * paper.row,
            start + (i // rows) * length,
            start + (i // rows + 1) * length,
            -1 if lead.startswith("-") else 1,
        )
        for i, lead in enumerate(order)
    ]
    if paper.layout != "3x4":
        return grid
    return [*grid, Cell(paper.rhythm, -rows * paper.row, start, start + paper.seconds)]


def pulses(paper: Paper) -> tuple[list[float], list[float]]:
    """x and y (mm) of the calibration pulse at the head of each row and of the short strokes between the columns.

    NaN lifts the pen.
    """
    wide, high = PULSE_SECONDS * paper.speed, float(paper.gain)
    x: list[float] = []
    y: list[float] = []
    for row in range(paper.rows):
        zero = -row * paper.row
        x += [-wide - 3, -wide - 1.5, -wide - 1.5, -1.5, -1.5, 0, nan]
        y += [zero, zero, zero + high, zero + high, zero, zero, nan]
        if row < paper.grid_rows:
            for column in range(1, paper.columns):
                x += [column * SHEET_MM / paper.columns] * 2 + [nan]
                y += [zero + 2.5, zero - 2.5, nan]
    return x, y


def name_at(paper: Paper, cell: Cell) -> tuple[float, float]:
    """Where the lead's name begins by rights, in mm: above the zero line at the left end of the stretch, or in the
    margin. `ecgkt.sheet.name_places` moves it from under the tracing."""
    if paper.layout == "12x1":
        return paper.x_range[0] + 1, cell.offset - 2.5
    raised = paper.row / 3 if paper.layout == "3x4" else paper.row / 5
    return (cell.first - paper.start) * paper.speed + 1, cell.offset + raised
