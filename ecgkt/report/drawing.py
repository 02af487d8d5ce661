"""A printed page in millimeters: lines, bars and words on A4 landscape, drawn by matplotlib as PDF or PNG.

One pair of axes covers the page, so that a unit is a millimeter from the lower left corner. Nothing here knows an ECG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox, TransformedBbox

from ecgkt.report.fonts import FAMILY, FILES

WIDTH, HEIGHT = 297.0, 210.0  # mm, A4 landscape (ISO 216)
MM_PER_INCH = 25.4
POINT = MM_PER_INCH / 72  # mm

TEXT, QUIET, FAINT, ACCENT, BAR = "#17191c", "#5b5f66", "#c9ced1", "#0b6470", "#7b8d94"
WARNING = "#a85d00"
GRID_MINOR, GRID_MAJOR = "#f6d5cf", "#e3a49a"

DASHES = (0.7, 0.35)  # stroke and gap, in widths of the line

Side = Literal["left", "center", "right"]
Point = tuple[float, float]
Numbers = npt.ArrayLike


@dataclass(frozen=True)
class Box:
    """left, low, right, high: mm from the page's lower left corner."""

    left: float
    low: float
    right: float
    high: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.high - self.low


for _file in FILES.values():
    fontManager.addfont(_file)


@lru_cache(64)
def font(size: float, bold: bool = False) -> FontProperties:
    """The report's own cut of DejaVu Sans, then the whole of it, which comes with matplotlib; size in points. What is
    used of them is put into the PDF."""
    return FontProperties(family=[FAMILY, "DejaVu Sans"], size=size, weight="bold" if bold else "normal")


@lru_cache(1)
def _letters() -> frozenset[int]:
    """Code points that the fonts have; matplotlib warns of others, with paths."""
    files = (findfont(FontProperties(family="DejaVu Sans", weight=weight)) for weight in ("normal", "bold"))
    return frozenset.intersection(*(frozenset(get_font(file).get_charmap()) for file in files))


def drawable(words: str) -> str:
    """With a mark in place of each letter that cannot be drawn (an emoji in a patient line, a name in Chinese)."""
    if words.isascii():
        return words
    return "".join(letter if ord(letter) in _letters() else "\N{REPLACEMENT CHARACTER}" for letter in words)


@lru_cache(8192)  # names of labels are the same in every report
def text_width(words: str, size: float, bold: bool = False) -> float:
    """mm."""
    width, _, _ = text_to_path.get_text_width_height_descent(drawable(words), font(size, bold), ismath=False)
    return float(width) * POINT


def shortened(words: str, room: float, size: float, bold: bool = False, private: bool = False) -> str:
    """`words`, or as much of them as `room` mm hold with an ellipsis. private: their width is not remembered, which
    would keep them for as long as the server runs."""
    measure = text_width.__wrapped__ if private else text_width
    width = measure(words, size, bold)
    if width <= room:
        return words
    words = words[: int(len(words) * room / width) + 3]  # about where to begin: measuring takes time
    while words and measure(words + "…", size, bold) > room:
        words = words[:-1]
    return words.rstrip(" ,;") + "…"


def wrapped(words: str, room: float, size: float) -> list[str]:
    """Lines of at most `room` mm, broken between words."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class _Words(Artist):
    """One line of text from `start` on its baseline. matplotlib's own `Text` takes a third longer: it lays out blocks
    of lines, measures them again and asks what they are turned by."""

    def __init__(self, text: str, start: Point, properties: FontProperties, color: str) -> None:
        super().__init__()
        self._text, self._start, self._font, self._color = text, start, properties, color

    def draw(self, renderer: Any) -> None:
        if not self._text or self.axes is None:
            return
        x, y = self.axes.transData.transform(self._start)
        context = renderer.new_gc()
        context.set_foreground(self._color)
        renderer.draw_text(
            context, x, renderer.get_canvas_width_height()[1] - y if renderer.flipy() else y, self._text, self._font, 0
        )
        context.restore()


class Page:
    """One page to draw on. Coordinates are mm from the lower left corner; line widths are mm too."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH / MM_PER_INCH, HEIGHT / MM_PER_INCH), facecolor="white")
        self._axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, HEIGHT))
        self._axes.set_axis_off()
        self._layer = 0  # what is drawn later lies above

    def words(
        self,
        text: str,
        x: float,
        y: float,
        size: float = 7.5,
        color: str = TEXT,
        bold: bool = False,
        side: Side = "left",
    ) -> None:
        """One line of text with its baseline at y; x is its left edge, middle or right edge."""
        if side != "left":
            x -= text_width(text, size, bold) / (2 if side == "center" else 1)
        drawn = _Words(drawable(text), (x, y), font(size, bold), color)
        drawn.set_zorder(self._next())
        self._axes.add_artist(drawn)

    def paragraph(self, text: str, x: float, y: float, room: float, size: float = 7.5, color: str = TEXT) -> float:
        """Wrapped lines from baseline y down; the baseline after the last."""
        for line in wrapped(text, room, size):
            self.words(line, x, y, size, color)
            y -= 1.4 * size * POINT
        return y

    def line(
        self,
        x: Numbers,
        y: Numbers,
        width: float = 0.2,
        color: str = TEXT,
        within: Box | None = None,
        dashed: bool = False,
    ) -> None:
        """A line through all points, lifted where one is NaN. within: what lies outside is cut off."""
        # Not by `plot`, which looks for new limits of the axes each time.
        drawn = Line2D(
            np.asarray(x), np.asarray(y), color=color, linewidth=width / POINT, zorder=self._next(),
            linestyle=(0, DASHES) if dashed else "solid", dash_capstyle="butt", solid_capstyle="butt",
            dash_joinstyle="round", solid_joinstyle="round",
        )  # fmt: skip
        self._axes.add_artist(drawn)
        if within is not None:
            corners = Bbox.from_extents(within.left, within.low, within.right, within.high)
            drawn.set_clip_box(TransformedBbox(corners, self._axes.transData))

    def rules(self, segments: Sequence[tuple[Point, Point]], width: float, color: str) -> None:
        """Many straight lines of one kind."""
        self._axes.add_collection(
            LineCollection(list(segments), colors=color, linewidths=width / POINT, zorder=self._next()), autolim=False
        )

    def fill(self, box: Box, color: str) -> None:
        corner = (box.left, box.low)
        self._axes.add_artist(Rectangle(corner, box.width, box.height, color=color, lw=0, zorder=self._next()))

    def _next(self) -> float:
        self._layer += 1
        return self._layer
