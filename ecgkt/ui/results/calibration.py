"""Reliability diagrams and calibration errors of the bundle, on the Model page."""

from __future__ import annotations

import streamlit as st

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results import calibration, sections
from ecgkt.results.intervals import KINDS
from ecgkt.results.metrics import Metrics
from ecgkt.results.trust_metrics import Bin
from ecgkt.sheet.plotly_types import Figure
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

FEWEST = 10  # pairs in a bin that is drawn; the table has them all


def section(metrics: Metrics) -> None:
    """Calibration of the model that ships; nothing where the bundle has no figures of it."""
    if sections.CALIBRATION.measured(metrics):
        html.section(sections.CALIBRATION)
        html.text(calibration.INTRODUCTION, "lead-in")
        html.show(calibration.summary(metrics))
        _head(metrics)


@st.fragment
def _head(metrics: Metrics) -> None:
    there = [head for head in HEADS if calibration.kinds(metrics, head)]
    chosen = st.segmented_control(
        "Calibration of", there, default=there[0], required=True, format_func=lambda h: TITLES[h][0], key="calibration"
    )
    head = chosen or there[0]
    kinds = calibration.kinds(metrics, head)
    for kind, column in zip(kinds, st.columns(len(KINDS), gap="large"), strict=False):
        figures = metrics.calibration[head][kind]
        said = calibration.sentence(figures)
        with column:
            st.subheader(f"{TITLES[head][0]}, {kind} test ECGs")
            html.text(said)
            alt = (
                f"Reliability diagram of {head} on {kind} test ECGs: observed against predicted share in ten bins. "
                f"{said}. The table below has the same numbers."
            )
            charts.show(_diagram(figures.bins, KINDS.index(kind)), f"reliability-{head}-{kind}", alt)
    html.show(calibration.errors(metrics, head))
    with st.expander("The diagrams as tables"):
        for kind in kinds:
            html.show(calibration.bins(metrics, head, kind))


def _diagram(bins: list[Bin], number_of_kind: int) -> Figure:
    p = palette()
    shown = [row for row in bins if row.pairs >= FEWEST]
    look = charts.series(p, number_of_kind)
    values = [(row.observed, row.low, row.high) for row in shown]
    trace = charts.whiskers("observed", [row.predicted for row in shown], values, look)
    trace |= {
        "customdata": [f"{row.pairs:,}" for row in shown],
        "hovertemplate": "predicted %{x:.2f}, observed %{y:.2f}, %{customdata} pairs<extra></extra>",
    }
    x = charts.axis(p, "Predicted probability", range=[-0.02, 1.02], dtick=0.2)
    y = charts.axis(p, "Observed share", range=[-0.02, 1.02], dtick=0.2, automargin=True)
    layout = charts.layout(p, 380, x, y, shapes=[charts.line(p, 0, 0, 1, 1)], showlegend=False)
    layout["margin"]["t"] = 10
    return {"data": [trace], "layout": layout}
