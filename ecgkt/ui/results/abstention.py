"""Verdicts, risk against coverage, and ECGs unlike any seen, on the Model page."""

from __future__ import annotations

import streamlit as st

from ecgkt.prediction import TITLES
from ecgkt.results import abstention, sections
from ecgkt.results.metrics import Metrics
from ecgkt.results.trust_metrics import RiskCoverage
from ecgkt.sheet.plotly_types import Figure
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette


def section(metrics: Metrics) -> None:
    """What is measured of verdicts and abstention; nothing where the bundle has no figures of it."""
    if metrics.conformal is None:
        return
    html.section(sections.ABSTENTION)
    st.subheader("Present, absent or uncertain")
    html.text(abstention.promise(metrics.conformal), "lead-in")
    html.show(abstention.verdicts(metrics.conformal))
    _risk(metrics)
    if metrics.novelty:
        st.subheader("ECGs unlike the training data")
        html.text(abstention.UNLIKE)
        html.show(abstention.novelty(metrics.novelty))


@st.fragment
def _risk(metrics: Metrics) -> None:
    there = {f"{TITLES[head][0]}, {kind} test ECGs": (head, kind) for head, kind in abstention.risk_curves(metrics)}
    if not there:
        return
    st.subheader("Answering fewer ECGs")
    first = next(iter(there))
    chosen = st.segmented_control("Risk of", list(there), default=first, required=True, key="risk_of")
    head, kind = there[chosen or first]
    figures = metrics.risk_coverage[head][kind]
    alt = (
        f"Brier score of {head} on {kind} test ECGs against the share of ECGs answered, for two orders of leaving out; "
        "the table below has the same numbers."
    )
    charts.show(_chart(figures), f"risk-{head}-{kind}", alt)
    html.show(abstention.risk(figures))


def _chart(figures: RiskCoverage) -> Figure:
    p = palette()
    data = []
    for k, (name, words) in enumerate(abstention.ORDERS.items()):
        pairs = zip(figures.coverage, figures.orders[name].brier, strict=True)
        there = [(coverage, value) for coverage, value in pairs if value]
        # A little apart, so that whiskers do not lie on each other.
        places = [coverage + 0.006 * (2 * k - 1) for coverage, _ in there]
        trace = charts.whiskers(words, places, [value for _, value in there], charts.series(p, k))
        data.append(trace | {"mode": "lines+markers", "line": {"color": charts.series(p, k)["color"], "width": 1.2}})
    overall = figures.orders["confidence"].brier[-1]
    x = charts.axis(p, "Share of ECGs answered", range=[0.05, 1.05], dtick=0.1, tickformat=".0%")
    y = charts.axis(p, "Brier score", rangemode="tozero", automargin=True)
    shapes = [charts.line(p, 0.1, overall[0], 1, overall[0])] if overall else []
    return {"data": data, "layout": charts.layout(p, 340, x, y, shapes=shapes)}
