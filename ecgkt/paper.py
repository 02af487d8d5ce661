"""An ECG on its paper: one Plotly figure, one axis pair, both in millimetres.

    figure(ecg, Paper(layout="3x4", gain=10, speed=25), attribution)

What is drawn is the tracing as recorded, in millivolts, not the model's filtered view. A longer recording is shown a
sheet at a time (`Paper.start`); a sheet is 250 mm wide whatever the speed, as on a cart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from ecgkt.ecg import ECG, LEAD_INDEX, LEADS, FloatArray
from ecgkt.explanation import Attribution

Layout = Literal["3x4", "12x1"]
LAYOUTS: dict[Layout, str] = {"3x4": "3 × 4 + rhythm", "12x1": "12 × 1"}
GAINS = (5, 10, 20)  # mm/mV
SPEEDS = (25, 50)  # mm/s

SHEET_MM = 250.0  # width of the tracing: 10 s at 25 mm/s
PULSE_SECONDS = 0.2  # a 1 mV x 200 ms calibration pulse: 5 mm x 10 mm at the standard scale
MARGIN_MM = 3.0
TOP_MM = 14.0  # room for the legend
FOOT_MM = 8.0
ROW_MM: dict[Layout, float] = {"3x4": 27.0, "12x1": 15.0}
# Two points (minimum and maximum) a bucket, so no QRS peak is lost: 2.5 s at 500 Hz stay as they are, in a strip of
# 10 s a bucket is about 2 pixels. Keeps a sheet below 300 kB even where relevance covers every sample.
POINTS: dict[Layout, int] = {"3x4": 1250, "12x1": 1000}

# Relevance is smoothed over 50 ms, scaled to its own strongest value and drawn in four classes; the rest stays bare.
SMOOTHING_SECONDS = 0.05
CLASSES = (0.15, 0.35, 0.55, 0.75)  # lower edges, as a share of the strongest
CLASS_NAMES = ("slight", "moderate", "strong", "strongest")
WIDTHS = (3.0, 4.5, 6.0, 8.0)  # px: wider as well as another colour, so that nothing rests on colour alone


@dataclass(frozen=True)
class Ink:
    """Colours of one kind of paper. The grid is red on light paper only; on dark paper it would glare.

    classes: four steps of Viridis (matplotlib), ordered so that the strongest stands out most from the paper.
    """

    paper: str
    minor: str
    major: str
    trace: str
    quiet: str
    classes: tuple[str, ...]


LIGHT = Ink("#fffdfc", "#f9e6e3", "#efc3bd", "#17191c", "#5b5f66", ("#d8e219", "#35b779", "#31688e", "#440154"))
DARK = Ink("#12161b", "#1d232a", "#323b46", "#eef2f5", "#9aa4af", ("#414487", "#2a788e", "#35b779", "#fde725"))


@dataclass(frozen=True)
class Paper:
    """How a tracing is laid out. gain in mm/mV, speed in mm/s, start in seconds from the tracing's beginning."""

    layout: Layout = "3x4"
    gain: int = 10
    speed: int = 25
    rhythm: str = "II"
    start: float = 0.0
    dark: bool = False

    @property
    def seconds(self) -> float:
        """Seconds that one sheet shows."""
        return SHEET_MM / self.speed

    @property
    def ink(self) -> Ink:
        return DARK if self.dark else LIGHT

    @property
    def rows(self) -> int:
        return 4 if self.layout == "3x4" else 12

    @property
    def x_range(self) -> tuple[float, float]:
        """Left and right edge in mm; the calibration pulse stands left of 0."""
        return -(PULSE_SECONDS * self.speed + 3 + MARGIN_MM), SHEET_MM + MARGIN_MM

    @property
    def y_range(self) -> tuple[float, float]:
        """Lower and upper edge in mm; row 0 has its zero line at 0."""
        return -(self.rows - 0.5) * ROW_MM[self.layout] - FOOT_MM, 0.5 * ROW_MM[self.layout] + TOP_MM

    @property
    def aspect(self) -> float:
        """Width of the sheet over its height."""
        (left, right), (low, high) = self.x_range, self.y_range
        return (right - left) / (high - low)


@dataclass(frozen=True)
class Cell:
    """One lead's place: its zero line in mm, and the stretch of the tracing it shows in seconds."""

    lead: str
    offset: float
    first: float
    last: float


def cells(paper: Paper) -> list[Cell]:
    """Every place on the sheet. In 3x4 time runs on from column to column, above the same time in the rhythm strip."""
    step, start, length = ROW_MM[paper.layout], paper.start, paper.seconds
    if paper.layout == "12x1":
        return [Cell(lead, -row * step, start, start + length) for row, lead in enumerate(LEADS)]
    grid = [
        Cell(lead, -(i % 3) * step, start + (i // 3) * length / 4, start + (i // 3 + 1) * length / 4)
        for i, lead in enumerate(LEADS)
    ]
    return [*grid, Cell(paper.rhythm, -3 * step, start, start + length)]


def thin(values: FloatArray, points: int) -> tuple[FloatArray, float]:
    """[samples] -> ([<= points], samples per point), each bucket as its minimum and maximum in the order they came.

    Keeps every extreme, which plain decimation does not. NaN stays where a whole bucket is NaN.
    """
    if len(values) <= points:
        return values, 1.0
    size = int(np.ceil(2 * len(values) / points))
    padded = np.pad(values, (0, -len(values) % size), constant_values=np.nan).reshape(-1, size)
    low = np.where(np.isnan(padded), np.inf, padded)
    high = np.where(np.isnan(padded), -np.inf, padded)
    rising = low.argmin(axis=1) < high.argmax(axis=1)
    least, most = low.min(axis=1), high.max(axis=1)
    pairs = np.where(rising[:, None], np.stack([least, most], 1), np.stack([most, least], 1)).ravel()
    pairs[~np.isfinite(pairs)] = np.nan
    return pairs.astype(np.float32), size / 2


def _floats(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float32)


GAP = _floats([np.nan])  # lifts the pen


def _stretch(ecg: ECG, cell: Cell) -> slice:
    return slice(max(0, round(cell.first * ecg.rate)), min(ecg.samples, round(cell.last * ecg.rate)))


def _traces(ecg: ECG, paper: Paper) -> list[dict[str, Any]]:
    out = []
    for cell in cells(paper):
        part = _stretch(ecg, cell)
        values, per_point = thin(
            ecg.signal[LEAD_INDEX[cell.lead.upper()], part] * paper.gain + cell.offset, POINTS[paper.layout]
        )
        # The pair stands in the middle of its bucket's two halves.
        begin = part.start / ecg.rate + (per_point - 1) / 2 / ecg.rate - paper.start
        out.append(
            {
                "type": "scatter", "mode": "lines", "name": cell.lead, "y": values.astype(np.float32),
                "x0": begin * paper.speed, "dx": per_point / ecg.rate * paper.speed, "connectgaps": False,
                "line": {"color": paper.ink.trace, "width": 1.25, "simplify": False},
                "hoverinfo": "skip", "showlegend": False,
            }
        )  # fmt: skip
    return out


def _pulses(paper: Paper) -> dict[str, Any]:
    """The calibration pulse at the head of each row, and the short strokes between the columns of 3x4."""
    wide, high = PULSE_SECONDS * paper.speed, float(paper.gain)
    x: list[float] = []
    y: list[float] = []
    for row in range(paper.rows):
        zero = -row * ROW_MM[paper.layout]
        x += [-wide - 3, -wide - 1.5, -wide - 1.5, -1.5, -1.5, 0, np.nan]
        y += [zero, zero, zero + high, zero + high, zero, zero, np.nan]
        if paper.layout == "3x4" and row < 3:
            for column in (1, 2, 3):
                x += [column * SHEET_MM / 4, column * SHEET_MM / 4, np.nan]
                y += [zero + 2.5, zero - 2.5, np.nan]
    line = {"color": paper.ink.trace, "width": 1}
    return {
        "type": "scatter", "mode": "lines", "name": "1 mV, 200 ms", "x": _floats(x), "y": _floats(y),
        "line": line, "hoverinfo": "skip", "showlegend": False, "meta": "calibration",
    }  # fmt: skip


def strength(attribution: Attribution) -> npt.NDArray[np.float32]:
    """[12, samples]: |relevance|, smoothed, 1 at its strongest; all 0 if there is none."""
    size = np.nan_to_num(np.abs(attribution.relevance)).astype(np.float32)
    smooth = uniform_filter1d(size, max(1, round(SMOOTHING_SECONDS * attribution.rate)), axis=1)
    peak = float(smooth.max(initial=0.0))
    return _floats(smooth / peak if peak > 0 else smooth)


def _overlay(ecg: ECG, paper: Paper, attribution: Attribution) -> list[dict[str, Any]]:
    """Four traces, one a class, each with all its stretches on all leads, NaN between them."""
    share = strength(attribution)
    when = np.arange(share.shape[1]) / attribution.rate
    xs: list[list[npt.NDArray[np.float32]]] = [[] for _ in CLASSES]
    ys: list[list[npt.NDArray[np.float32]]] = [[] for _ in CLASSES]
    for cell in cells(paper):
        part = _stretch(ecg, cell)
        lead = LEAD_INDEX[cell.lead.upper()]
        values, per_point = thin(ecg.signal[lead, part] * paper.gain + cell.offset, POINTS[paper.layout])
        seconds = part.start / ecg.rate + (np.arange(len(values)) * per_point + (per_point - 1) / 2) / ecg.rate
        level = np.searchsorted(CLASSES, np.interp(seconds, when, share[lead], left=0, right=0), side="right") - 1
        for k in range(len(CLASSES)):
            # One point to the right belongs to the stretch too, or neighbouring classes would leave a gap.
            mark = level == k
            mark[1:] |= level[:-1] == k
            edges = np.flatnonzero(np.diff(np.concatenate(([False], mark, [False])).astype(int)))
            for first, last in zip(edges[::2], edges[1::2], strict=True):
                xs[k] += [_floats((seconds[first:last] - paper.start) * paper.speed), GAP]
                ys[k] += [_floats(values[first:last]), GAP]
    # The gap put first keeps an empty class in the legend, so the legend is the same on every sheet.
    return [
        {
            "type": "scatter", "mode": "lines", "name": name, "meta": "relevance", "hoverinfo": "skip",
            "x": np.concatenate([GAP, *xs[k]]), "y": np.concatenate([GAP, *ys[k]]),
            "line": {"color": paper.ink.classes[k], "width": WIDTHS[k]}, "opacity": 0.75, "showlegend": True,
        }
        for k, name in enumerate(CLASS_NAMES)
    ]  # fmt: skip


def _words(ecg: ECG, paper: Paper) -> list[dict[str, Any]]:
    """Lead names, and the scale and filter in force, written on the sheet."""

    def note(text: str, x: float, y: float, size: int, colour: str) -> dict[str, Any]:
        place = {"x": x, "y": y, "xanchor": "left", "yanchor": "bottom"}
        return {**place, "text": text, "showarrow": False, "font": {"size": size, "color": colour}}

    raised = 9.0 if paper.layout == "3x4" else 3.0
    out = [
        note(
            f"<b>{cell.lead}</b>",
            (cell.first - paper.start) * paper.speed + 1,
            cell.offset + raised,
            12,
            paper.ink.trace,
        )
        for cell in cells(paper)
    ]
    return [*out, note(scale_text(ecg, paper), paper.x_range[0] + 3, paper.y_range[0] + 1, 11, paper.ink.quiet)]


def scale_text(ecg: ECG, paper: Paper) -> str:
    """The line at the foot of the sheet: paper speed, gain, filter, sampling rate and the stretch shown."""
    last = min(paper.start + paper.seconds, ecg.seconds)
    return (
        f"{paper.speed} mm/s   {paper.gain} mm/mV   filter: none, as recorded at {ecg.rate:g} Hz   "
        f"{paper.start:g}–{last:.3g} s"
    )


def figure(ecg: ECG, paper: Paper | None = None, attribution: Attribution | None = None) -> dict[str, Any]:
    """Plotly figure {"data", "layout"}: x = seconds * speed, y = mV * gain + the row's zero line, both in mm.

    `attribution` is drawn under the tracing, which stays whole and on top.
    """
    paper = paper or Paper()
    ink, grid = paper.ink, {"showgrid": True, "ticks": "", "tick0": 0, "showticklabels": False, "zeroline": False}
    minor = {"showgrid": True, "dtick": 1, "tick0": 0, "gridcolor": ink.minor, "gridwidth": 0.6}
    axis = {**grid, "gridcolor": ink.major, "gridwidth": 1, "dtick": 5, "minor": minor, "constrain": "domain"}
    under = _overlay(ecg, paper, attribution) if attribution is not None else []
    legend = {
        "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top", "bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 11, "color": ink.quiet}, "itemclick": False, "itemdoubleclick": False, "traceorder": "normal",
        "title": {"text": "Relevance", "font": {"size": 11, "color": ink.quiet}, "side": "left"},
    }  # fmt: skip
    layout = {
        "xaxis": {**axis, "range": list(paper.x_range)},
        "yaxis": {**axis, "range": list(paper.y_range), "scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
        "paper_bgcolor": ink.paper, "plot_bgcolor": ink.paper, "annotations": _words(ecg, paper),
        "showlegend": bool(under), "legend": legend, "dragmode": "pan", "hovermode": False,
    }  # fmt: skip
    return {"data": [*under, _pulses(paper), *_traces(ecg, paper)], "layout": layout}


def alt_text(ecg: ECG, paper: Paper | None = None, attribution: Attribution | None = None) -> str:
    """The sheet in a sentence or two, for those who cannot see it."""
    paper = paper or Paper()
    scale = f"layout {LAYOUTS[paper.layout]}, {paper.speed} mm/s, {paper.gain} mm/mV"
    text = f"12-lead ECG of {ecg.seconds:.3g} seconds on paper, {scale}."
    if attribution is None:
        return text
    by_lead = strength(attribution).sum(axis=1)
    if by_lead.max(initial=0) <= 0:
        return f"{text} Nothing in the tracing bears on the score for {attribution.label.name}."
    top = [LEADS[i] for i in np.argsort(-by_lead)[:3]]
    return f"{text} Relevance for {attribution.label.name} is laid over it, most of it in {', '.join(top)}."
