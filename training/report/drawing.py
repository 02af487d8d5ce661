"""Charts as inline SVG, whose colors are the page's: lines, and values with their intervals. Every word is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ecgkt.results import numbers
from ecgkt.results.intervals import Interval

WIDTH, HEIGHT = 320, 202  # of a chart of lines
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 26, 38
ROW, SCALE = 34, 22  # heights of a row of intervals, and of the scale below them
COLORS = 6


@dataclass(frozen=True)
class Line:
    """points: (x, y); those that are no numbers are left out. dots: are its points marked?"""

    name: str
    points: Sequence[tuple[float, float | None]]
    dots: bool = False

    def known(self) -> list[tuple[float, float]]:
        return [(x, y) for x, y in self.points if y is not None and math.isfinite(y)]


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round numbers from low to high, at most so many and one more."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def chart(title: str, lines: Sequence[Line], x_title: str, log_x: bool = False, square: bool = False) -> str:
    """Lines over x, on the logarithm of x with log_x; square: both from 0 to 1, with the diagonal. "" without any
    point."""
    known = [(number, line, line.known()) for number, line in enumerate(lines)]
    points = [point for _, _, found in known for point in found]
    if not points:
        return ""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x_low, x_high, y_low, y_high = (0.0, 1.0, 0.0, 1.0) if square else (min(xs), max(xs), min(ys), max(ys))
    if not square and y_high - y_low < 1e-9:
        y_low, y_high = y_low - 0.5, y_high + 0.5

    def x_of(x: float) -> float:
        low, here, high = (math.log(v) for v in (x_low, x, x_high)) if log_x else (x_low, x, x_high)
        return LEFT + (WIDTH - LEFT - RIGHT) * ((here - low) / (high - low) if high > low else 0.5)

    def y_of(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - y_low) / (y_high - y_low)

    parts = [_text(LEFT - 38, 15, title, "title")]
    for y in ticks(y_low, y_high):
        parts.append(f'<path class="grid" d="M{LEFT} {y_of(y):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 5, y_of(y) + 4, _short(y), "end"))
    for x in sorted(set(xs)) if log_x else ticks(x_low, x_high, 3):
        parts.append(_text(x_of(x), HEIGHT - BOTTOM + 16, _short(x), "middle"))
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 6, x_title, "end"))
    if square:
        parts.append(f'<path class="diagonal" d="M{x_of(0):.1f} {y_of(0):.1f}L{x_of(1):.1f} {y_of(1):.1f}"/>')
    for number, line, found in known:
        if len(found) > 1:
            way = "L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in found)
            parts.append(f'<path class="line c{number % COLORS}" d="M{way}"/>')
        if line.dots or len(found) == 1:
            parts += [_dot(x_of(x), y_of(y), number) for x, y in found]
    ends = "; ".join(f"{line.name or title} from {_short(f[0][1])} to {_short(f[-1][1])}" for _, line, f in known if f)
    return _svg(WIDTH, HEIGHT, f"{title} by {x_title}: {ends}", parts)


def intervals(title: str, rows: Sequence[tuple[str, Interval | None, Interval | None]]) -> str:
    """A row a name: a value with its interval, and below it that of another run, if there is one. "" without any."""
    shown = [row for row in rows if row[1] or row[2]]
    values = [value for _, *both in shown for value in both if value]
    if not values:
        return ""
    low, high = min(value[1] for value in values), max(value[2] for value in values)
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    height = TOP + ROW * len(shown) + SCALE

    def x_of(x: float) -> float:
        return 12 + (WIDTH - 24) * (x - low) / (high - low)

    parts = [_text(8, 15, title, "title")]
    for x in ticks(low, high):
        parts.append(f'<path class="grid" d="M{x_of(x):.1f} {TOP}V{height - SCALE}"/>')
        parts.append(_text(x_of(x), height - 7, _short(x), "middle"))
    for number, (name, *both) in enumerate(shown):
        top = TOP + ROW * number
        parts.append(_text(12, top + 12, name, "name"))
        for color, value in enumerate(both):
            if value:
                y = top + 19 + 7 * color
                parts.append(f'<path class="line c{color}" d="M{x_of(value[1]):.1f} {y}H{x_of(value[2]):.1f}"/>')
                parts.append(_dot(x_of(value[0]), y, color))
    said = "; ".join(f"{name} {' against '.join(numbers.interval(v) for v in both if v)}" for name, *both in shown)
    return _svg(WIDTH, height, f"{title}: {said}", parts)


def _svg(width: float, height: float, said: str, parts: Sequence[str]) -> str:
    head = f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(said)}">'
    return head + "".join(parts) + "</svg>"


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _dot(x: float, y: float, color: int) -> str:
    return f'<circle class="dot c{color % COLORS}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def _short(value: float) -> str:
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", numbers.MINUS)
