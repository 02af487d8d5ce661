"""An ECG on its paper: one Plotly figure, one axis pair, both in millimeters.

    figure(ecg, Paper(layout="3x4", gain=10, speed=25), attribution)

What is drawn is the tracing as recorded, in millivolts, not the model's filtered view. A longer recording is shown a
sheet at a time (`Paper.start`); a sheet is 250 mm wide whatever the speed, as on a cart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import WAYS, Overlay
from ecgkt.relevance.summary import summarize
from ecgkt.sheet import display_filter
from ecgkt.sheet.calipers import Measurement, outlines
from ecgkt.sheet.colors import paper_colors
from ecgkt.sheet.layout import LAYOUTS, Paper, cells, pulses
from ecgkt.sheet.name_places import line, name_places
from ecgkt.sheet.overlay import traces
from ecgkt.sheet.overlay_key import key
from ecgkt.sheet.plotly_types import Figure, Part
from ecgkt.sheet.polyline import floats, heights
from ecgkt.sheet.wave_marks import marked, words

NAMED = 3  # regions named in the alternative text


def _traces(ecg: ECG, paper: Paper) -> list[Part]:
    out = []
    for cell in cells(paper):
        values, first, step = heights(ecg, paper, cell)
        out.append(
            {
                "type": "scatter", "mode": "lines", "name": cell.name, "y": values.astype(np.float32),
                "x0": (first - paper.start) * paper.speed, "dx": step * paper.speed, "connectgaps": False,
                "line": {"color": paper_colors(paper).trace, "width": 1.25, "simplify": False},
                "hoverinfo": "skip", "showlegend": False,
            }
        )  # fmt: skip
    return out


def _pulses(paper: Paper) -> Part:
    """The calibration pulse at the head of each row, and the short strokes between the columns."""
    x, y = pulses(paper)
    line = {"color": paper_colors(paper).trace, "width": 1}
    return {
        "type": "scatter", "mode": "lines", "name": "1 mV, 200 ms", "x": floats(x), "y": floats(y),
        "line": line, "hoverinfo": "skip", "showlegend": False, "meta": "calibration",
    }  # fmt: skip


def _words(ecg: ECG, paper: Paper, names: list[tuple[float, float]]) -> list[Part]:
    """Lead names, and the scale and filter in force, written on the sheet."""

    def note(text: str, x: float, y: float, size: int, color: str) -> Part:
        place = {"x": x, "y": y, "xanchor": "left", "yanchor": "bottom"}
        return {**place, "text": text, "showarrow": False, "font": {"size": size, "color": color}}

    ink = paper_colors(paper).trace
    out = [note(f"<b>{cell.name}</b>", *at, 12, ink) for cell, at in zip(cells(paper), names, strict=True)]
    # What was filtered is said in the tracing's own color, not in the quiet one of the scale.
    color = paper_colors(paper).quiet if paper.filter == "none" else ink
    return [*out, note(scale_text(ecg, paper), paper.x_range[0] + 3, paper.y_range[0] + 1, 11, color)]


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
    overlay: Overlay | None = None,
    beats: Beats | None = None,
) -> Figure:
    """Plotly figure {"data", "layout"}: x = seconds * speed, y = mV * gain + the row's zero line, both in mm.

    `attribution` is drawn under the tracing, which stays whole and on top, as `overlay` says. `beats` of the same
    tracing are found here where relevance needs them and they are not given.
    """
    paper, overlay = paper or Paper(), overlay or Overlay()
    ecg, recorded = display_filter.filtered(ecg, paper.filter), ecg
    colors = paper_colors(paper)
    grid = {"showgrid": True, "ticks": "", "tick0": 0, "showticklabels": False, "zeroline": False}
    minor = {"showgrid": True, "dtick": 1, "tick0": 0, "gridcolor": colors.minor, "gridwidth": 0.6}
    axis = {**grid, "gridcolor": colors.major, "gridwidth": 1, "dtick": 5, "minor": minor, "constrain": "domain"}
    measured = outlines(measurements, paper, colors.caliper)
    drawn = _traces(ecg, paper)
    names = name_places(paper, [line(trace["y"], trace["x0"], trace["dx"]) for trace in drawn])
    data, shapes, notes = [], measured["shapes"], [*_words(ecg, paper, names), *measured["annotations"]]
    if attribution is not None:
        beats = delineate(recorded) if beats is None and overlay.way == "bars" else beats
        data += traces(ecg, paper, attribution, overlay, beats or Beats(()), names)
        explained = key(paper, attribution, overlay)
        shapes, notes = [*shapes, *explained["shapes"]], [*notes, *explained["annotations"]]
    layout = {
        "xaxis": {**axis, "range": list(paper.x_range)},
        "yaxis": {**axis, "range": list(paper.y_range), "scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
        "paper_bgcolor": colors.paper, "plot_bgcolor": colors.paper, "annotations": notes, "shapes": shapes,
        "newselection": {"line": {"color": colors.caliper, "width": 1.5, "dash": "solid"}},
        "showlegend": False, "dragmode": "pan", "hovermode": False,
    }  # fmt: skip
    return marked({"data": [*data, _pulses(paper), *drawn], "layout": layout}, paper, colors.quiet)


def alt_text(
    ecg: ECG,
    paper: Paper | None = None,
    attribution: Attribution | None = None,
    overlay: Overlay | None = None,
    beats: Beats | None = None,
) -> str:
    """The sheet in a few sentences, for those who cannot see it. `beats` as in `figure`."""
    paper, overlay = paper or Paper(), overlay or Overlay()
    order = "" if paper.order == "standard" else f" in {paper.order.title()} order"
    scale = f"layout {LAYOUTS[paper.layout]}{order}, {paper.speed} mm/s, {paper.gain} mm/mV"
    filtered = "" if paper.filter == "none" else f" The {display_filter.words(paper.filter, ecg.rate)}."
    text = f"12-lead ECG of {ecg.seconds:.3g} seconds on paper, {scale}.{filtered}"
    text += words(paper)
    if attribution is None:
        return text
    found = summarize(attribution, delineate(ecg) if beats is None else beats)
    if not found.regions:
        return f"{text} Nothing in the tracing contributes to the score for {attribution.label.name}."
    strongest = "; ".join(region.words for region in found.regions[:NAMED])
    return (
        f"{text} Overlaid: contributions to the score for {attribution.label.name}, as {WAYS[overlay.way]}, "
        f"the strongest {overlay.shown}%. Largest: {strongest}."
    )
