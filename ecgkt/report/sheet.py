"""The tracing of a report on its grid, in the same millimeters as on the screen (`ecgkt.sheet.layout`), at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ecgkt.relevance import classes as relevance_classes
from ecgkt.report.data import AttributionData, ReportData
from ecgkt.report.drawing import GRID_MAJOR, GRID_MINOR, TEXT, Box, Page
from ecgkt.sheet.layout import Cell, Paper, cells, pulses
from ecgkt.sheet.name_places import name_places

Row = npt.NDArray[np.float64]

TRACE_MM = 0.22
PULSE_MM = 0.2
RELEVANCE_MM = (0.9, 1.3, 1.7, 2.2)  # width of the four classes: wider as well as another color
SMALL_BOX, LARGE_BOX = 1.0, 5.0  # mm


def paper_of(data: ReportData) -> Paper:
    """The sheet that the report `data` was made for, always on light paper."""
    chosen = data["paper"]
    return Paper(
        chosen["layout"], chosen["mm_per_mv"], chosen["mm_per_s"], chosen["rhythm"] or "II", chosen["start"],
        order=chosen["order"], filter=chosen["filter"],
    )  # fmt: skip


class Sheet:
    """The tracing of report `data`, `scale` times its true size, cut off at `box`.

    origin: where time 0 and the zero line of the first row meet, in mm from the page's lower left corner.
    """

    def __init__(self, page: Page, data: ReportData, box: Box, origin: tuple[float, float], scale: float = 1.0) -> None:
        self.page, self.box, self.scale = page, box, scale
        self.paper = paper_of(data)
        self._tracing = data["tracing"]
        self._left, self._zero = origin

    def grid(self) -> None:
        """Lines every 1 mm and, heavier, every 5 mm; a grid drawn smaller than it is has the heavier ones alone."""
        if self.scale == 1:
            self._rules(SMALL_BOX, 0.1, GRID_MINOR)
        self._rules(LARGE_BOX, 0.2 if self.scale == 1 else 0.1, GRID_MAJOR if self.scale == 1 else GRID_MINOR)

    def tracing(self) -> None:
        """Every recorded sample, the lead names and the calibration pulses."""
        size = 10.0 if self.scale == 1 else max(4.5, 13 * self.scale)
        self._line(*pulses(self.paper), PULSE_MM, TEXT)
        lines = [self._samples(cell) for cell in cells(self.paper)]
        names = name_places(self.paper, lines)
        for cell, (across, height), (x, y) in zip(cells(self.paper), lines, names, strict=True):
            self._line(across, height, TRACE_MM, TEXT)
            self.page.words(cell.name, self._left + self.scale * x, self._zero + self.scale * y, size, bold=True)

    def relevance(self, attribution: AttributionData) -> None:
        """A line under the tracing in the colors of `ecgkt.relevance.classes`: wider the stronger, dashed where it
        lowers."""
        colors = relevance_classes.colors(attribution["signed"])
        for cell in cells(self.paper):
            x, y = self._samples(cell)
            row = np.asarray(attribution["classes"][cell.lead], dtype=int)
            at = np.rint(x / self.paper.speed * attribution["rate"]).astype(int)
            here = np.where(at < len(row), row[np.minimum(at, len(row) - 1)], 0)
            for k, color in sorted(colors.items(), key=lambda item: abs(item[0])):
                # One point to the right belongs to the stretch too, or neighboring classes would leave a gap.
                mark = here == k
                mark[1:] |= here[:-1] == k
                if mark.any():
                    self._line(x, np.where(mark, y, np.nan), RELEVANCE_MM[abs(k) - 1], color, dashed=k < 0)

    def _samples(self, cell: Cell) -> tuple[Row, Row]:
        """Place of every sample of a cell in mm on the sheet, NaN where nothing was recorded."""
        rate, start = self._tracing["rate"], self.paper.start
        row = np.asarray(self._tracing["leads"][cell.lead], dtype=float) / 1000
        begin = round(start * rate)
        first = round(cell.first * rate) - begin
        part = row[first : round(cell.last * rate) - begin]
        x = ((begin + first + np.arange(len(part))) / rate - start) * self.paper.speed
        return x, cell.offset + cell.sign * self.paper.gain * part

    def _line(self, x: Any, y: Any, width: float, color: str, dashed: bool = False) -> None:
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        scale = self.scale
        x, y = self._left + scale * x, self._zero + scale * y
        self.page.line(x, y, width * scale, color, within=self.box, dashed=dashed)

    def _rules(self, step: float, width: float, color: str) -> None:
        """Lines through the sheet's origin and every `step` mm of the sheet from it, over the whole box."""
        box, gap = self.box, step * self.scale

        def places(low: float, high: float, origin: float) -> list[float]:
            first, last = int(np.ceil((low - origin) / gap - 1e-6)), int(np.floor((high - origin) / gap + 1e-6))
            return [origin + k * gap for k in range(first, last + 1)]

        upright = [((x, box.low), (x, box.high)) for x in places(box.left, box.right, self._left)]
        level = [((box.left, y), (box.right, y)) for y in places(box.low, box.high, self._zero)]
        self.page.rules(upright + level, width, color)
