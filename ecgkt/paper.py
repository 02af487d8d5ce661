"""An ECG on its paper: one Plotly figure, one axis pair, both in millimetres.

    figure(ecg, Paper(layout="3x4", gain=10, speed=25), attribution)

What is drawn is the tracing as recorded, in millivolts, not the model's filtered view. A longer recording is shown a
sheet at a time (`Paper.start`); a sheet is 250 mm wide whatever the speed, as on a cart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from ecgkt import display_filter
from ecgkt.calipers import Measurement, outlines
from ecgkt.ecg import ECG, LEAD_INDEX, LEADS, FloatArray
from ecgkt.explanation import Attribution
from ecgkt.layouts import LAYOUTS, Cell, Layout, Paper, cells, name_at, pulses
from ecgkt.markers import marked, words

# Two points (minimum and maximum) a bucket, so no QRS peak is lost: 2.5 s at 500 Hz stay as they are, in a strip of
# 10 s a bucket is about 2 pixels. Keeps a sheet below 300 kB even where relevance covers every sample.
POINTS: dict[Layout, int] = {"3x4": 1250, "6x2": 1000, "12x1": 1000}

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
    caliper: str
    classes: tuple[str, ...]


LIGHT = Ink(
    "#fffdfc", "#f9e6e3", "#efc3bd", "#17191c", "#5b5f66", "#0b6470", ("#d8e219", "#35b779", "#31688e", "#440154")
)
DARK = Ink(
    "#12161b", "#1d232a", "#323b46", "#eef2f5", "#9aa4af", "#56b7c0", ("#414487", "#2a788e", "#35b779", "#fde725")
)


def ink(paper: Paper) -> Ink:
    return DARK if paper.dark else LIGHT


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


def _drawn(ecg: ECG, paper: Paper, cell: Cell) -> tuple[FloatArray, float, float]:
    """(heights in mm [points], seconds of the first sample shown, samples per point) of the lead in a cell."""
    part = _stretch(ecg, cell)
    millivolts = ecg.signal[LEAD_INDEX[cell.lead.upper()], part]
    values, per_point = thin(cell.offset + cell.sign * paper.gain * millivolts, POINTS[paper.layout])
    return values, part.start / ecg.rate, per_point


def _traces(ecg: ECG, paper: Paper) -> list[dict[str, Any]]:
    out = []
    for cell in cells(paper):
        values, first, per_point = _drawn(ecg, paper, cell)
        # The pair stands in the middle of its bucket's two halves.
        begin = first + (per_point - 1) / 2 / ecg.rate - paper.start
        out.append(
            {
                "type": "scatter", "mode": "lines", "name": cell.name, "y": values.astype(np.float32),
                "x0": begin * paper.speed, "dx": per_point / ecg.rate * paper.speed, "connectgaps": False,
                "line": {"color": ink(paper).trace, "width": 1.25, "simplify": False},
                "hoverinfo": "skip", "showlegend": False,
            }
        )  # fmt: skip
    return out


def _pulses(paper: Paper) -> dict[str, Any]:
    """The calibration pulse at the head of each row, and the short strokes between the columns."""
    x, y = pulses(paper)
    line = {"color": ink(paper).trace, "width": 1}
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
        values, begin, per_point = _drawn(ecg, paper, cell)
        seconds = begin + (np.arange(len(values)) * per_point + (per_point - 1) / 2) / ecg.rate
        here = np.interp(seconds, when, share[LEAD_INDEX[cell.lead.upper()]], left=0, right=0)
        level = np.searchsorted(CLASSES, here, side="right") - 1
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
            "line": {"color": ink(paper).classes[k], "width": WIDTHS[k]}, "opacity": 0.75, "showlegend": True,
        }
        for k, name in enumerate(CLASS_NAMES)
    ]  # fmt: skip


def _words(ecg: ECG, paper: Paper) -> list[dict[str, Any]]:
    """Lead names, and the scale and filter in force, written on the sheet."""

    def note(text: str, x: float, y: float, size: int, colour: str) -> dict[str, Any]:
        place = {"x": x, "y": y, "xanchor": "left", "yanchor": "bottom"}
        return {**place, "text": text, "showarrow": False, "font": {"size": size, "color": colour}}

    out = [note(f"<b>{cell.name}</b>", *name_at(paper, cell), 12, ink(paper).trace) for cell in cells(paper)]
    # What was filtered is said in the tracing's own colour, not in the quiet one of the scale.
    colour = ink(paper).quiet if paper.filter == "none" else ink(paper).trace
    return [*out, note(scale_text(ecg, paper), paper.x_range[0] + 3, paper.y_range[0] + 1, 11, colour)]


def scale_text(ecg: ECG, paper: Paper) -> str:
    """The line at the foot of the sheet: paper speed, gain, filter, sampling rate and the stretch shown."""
    last = min(paper.start + paper.seconds, ecg.seconds)
    return (
        f"{paper.speed} mm/s   {paper.gain} mm/mV   {display_filter.words(paper.filter, ecg.rate)}   "
        f"{paper.start:g}–{last:.3g} s"
    )


def figure(
    ecg: ECG,
    paper: Paper | None = None,
    attribution: Attribution | None = None,
    measurements: Sequence[Measurement] = (),
) -> dict[str, Any]:
    """Plotly figure {"data", "layout"}: x = seconds * speed, y = mV * gain + the row's zero line, both in mm.

    `attribution` is drawn under the tracing, which stays whole and on top.
    """
    paper = paper or Paper()
    ecg = display_filter.filtered(ecg, paper.filter)
    colours = ink(paper)
    grid = {"showgrid": True, "ticks": "", "tick0": 0, "showticklabels": False, "zeroline": False}
    minor = {"showgrid": True, "dtick": 1, "tick0": 0, "gridcolor": colours.minor, "gridwidth": 0.6}
    axis = {**grid, "gridcolor": colours.major, "gridwidth": 1, "dtick": 5, "minor": minor, "constrain": "domain"}
    under = _overlay(ecg, paper, attribution) if attribution is not None else []
    font = {"size": 11, "color": colours.quiet}
    legend = {
        "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top", "bgcolor": "rgba(0,0,0,0)",
        "font": font, "itemclick": False, "itemdoubleclick": False, "traceorder": "normal",
        "title": {"text": "Relevance", "font": font, "side": "left"},
    }  # fmt: skip
    measured = outlines(measurements, paper, colours.caliper)
    layout = {
        "xaxis": {**axis, "range": list(paper.x_range)},
        "yaxis": {**axis, "range": list(paper.y_range), "scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
        "paper_bgcolor": colours.paper, "plot_bgcolor": colours.paper,
        "annotations": [*_words(ecg, paper), *measured["annotations"]], "shapes": measured["shapes"],
        "newselection": {"line": {"color": colours.caliper, "width": 1.5, "dash": "solid"}},
        "showlegend": bool(under), "legend": legend, "dragmode": "pan", "hovermode": False,
    }  # fmt: skip
    return marked({"data": [*under, _pulses(paper), *_traces(ecg, paper)], "layout": layout}, paper, colours.quiet)


def alt_text(ecg: ECG, paper: Paper | None = None, attribution: Attribution | None = None) -> str:
    """The sheet in a sentence or two, for those who cannot see it."""
    paper = paper or Paper()
    order = "" if paper.order == "standard" else f" in {paper.order.title()} order"
    scale = f"layout {LAYOUTS[paper.layout]}{order}, {paper.speed} mm/s, {paper.gain} mm/mV"
    filtered = "" if paper.filter == "none" else f" The {display_filter.words(paper.filter, ecg.rate)}."
    text = f"12-lead ECG of {ecg.seconds:.3g} seconds on paper, {scale}.{filtered}"
    text += words(paper)
    if attribution is None:
        return text
    by_lead = strength(attribution).sum(axis=1)
    if by_lead.max(initial=0) <= 0:
        return f"{text} Nothing in the tracing bears on the score for {attribution.label.name}."
    top = [LEADS[i] for i in np.argsort(-by_lead)[:3]]
    return f"{text} Relevance for {attribution.label.name} is laid over it, most of it in {', '.join(top)}."
