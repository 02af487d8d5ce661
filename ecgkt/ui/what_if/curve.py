"""Dose and response of one score over one quantity, for the patient on the page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from ecgkt.neighbors.summary import rates_over
from ecgkt.prediction import Label, Score
from ecgkt.results import numbers, simulated
from ecgkt.sheet.plotly_types import Figure
from ecgkt.simulation.levers import LEVERS, Lever
from ecgkt.ui import keys
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

if TYPE_CHECKING:
    from ecgkt.model.model import Model

POINTS = 13
Array = npt.NDArray[np.float32]


def lever(label: Label) -> Lever:
    """The quantity that was moved last, or another that is chosen; potassium at first. Under a title of the curve."""
    by_key = {each.key: each for each in LEVERS}
    st.session_state.setdefault(keys.WHAT_IF_LEVER, LEVERS[0].key)
    title, choice = st.columns([1.6, 1], vertical_alignment="bottom", gap="small")
    words = "dose and response, all else as set"
    title.html(f'<div class="rows-title" role="heading" aria-level="3">{escape(label.name)}<span>{words}</span></div>')
    key = choice.selectbox(
        "Over", list(by_key), format_func=lambda key: f"over {by_key[key].name}", key=keys.WHAT_IF_LEVER,
        label_visibility="collapsed",
    )  # fmt: skip
    return by_key[key]


def show(lever: Lever, probability: npt.NDArray[np.float32], score: Score, at: float, model: Model) -> None:
    """probability: [POINTS] of the score's label over the lever's range; at: where the lever stands now.

    Beside it the reference cohort's own rate, and what is known of the head over many patients, where the model has
    these.
    """
    values = lever.values(POINTS)
    alt = (
        f"Probability of {score.label.name} as {lever.name} runs from {numbers.measured(lever.low)} to "
        f"{numbers.measured(lever.high)} {lever.unit}: {numbers.percent(float(probability[0]))} to "
        f"{numbers.percent(float(probability[-1]))}, between {numbers.percent(float(probability.min()))} and "
        f"{numbers.percent(float(probability.max()))}. Now at {numbers.measured(at)}: "
        f"{numbers.percent(score.probability)}; threshold {numbers.percent(score.label.threshold)}."
    )
    cohort = None
    if model.reference is not None:
        cohort = rates_over(model.reference, lever.key, score.label.code)
    name = "" if model.reference is None else f"share with it, {len(model.reference):,} simulated patients"
    charts.show(_figure(lever, values, probability, score, at, cohort, name), "what-if-curve", alt)
    known = simulated.response(model.metrics, lever.key, score.label.code)
    if known is not None:
        html.text(simulated.follows(known, score.label.name, lever.name, lever.unit))


def _figure(
    lever: Lever,
    values: npt.NDArray[np.float64],
    probability: npt.NDArray[np.float32],
    score: Score,
    at: float,
    cohort: tuple[list[float], list[float]] | None,
    name: str,
) -> Figure:
    p = palette()
    color = p.models[0]
    line = {
        "type": "scatter", "mode": "lines", "name": "this patient", "x": values.tolist(), "y": probability.tolist(),
        "line": {"color": color, "width": 2, "shape": "linear"}, "hovertemplate": "%{x:.3g}: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    now = {
        "type": "scatter", "mode": "markers", "name": "now", "x": [at], "y": [score.probability],
        "marker": {"color": p.models[2], "size": 10, "line": {"color": p.text, "width": 1}},
        "hovertemplate": "now, %{x:.3g}: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    more = {} if lever.step else {"type": "log"}
    ends = (lever.low, lever.high) if lever.step else (float(np.log10(lever.low)), float(np.log10(lever.high)))
    x = charts.axis(p, f"{lever.name}, {lever.unit}", range=list(ends), **more)
    heights = [float(probability.max()), score.probability, score.label.threshold, *(cohort[1] if cohort else ())]
    top = min(1.02, 1.15 * max(heights))
    y = charts.axis(p, "Probability", tickformat=".0%", automargin=True, range=[0, top])
    layout = charts.layout(p, 270, x, y, showlegend=True)
    threshold = score.label.threshold
    layout["shapes"] = [charts.line(p, 0, threshold, 1, threshold, xref="paper")]
    layout["annotations"] = [charts.note(p, "threshold", threshold)]
    if lever.reference:
        low, high = (min(max(edge, lever.low), lever.high) for edge in lever.reference)
        layout["shapes"].append(
            {"type": "rect", "x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
             "line": {"width": 0}, "fillcolor": p.line, "opacity": 0.35}
        )  # fmt: skip
    data = [line, now]
    if cohort is not None:
        data.insert(0, {
            "type": "scatter", "mode": "lines+markers", "name": name, "x": cohort[0], "y": cohort[1],
            "line": {"color": p.quiet, "width": 1.2, "dash": "dot"}, "marker": {"color": p.quiet, "size": 5},
            "hovertemplate": "%{x:.3g}: %{y:.1%} of the patients<extra></extra>",
        })  # fmt: skip
    return {"data": data, "layout": layout}
