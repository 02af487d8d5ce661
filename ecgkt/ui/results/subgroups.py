"""AUROC, calibration and refusals by age group and sex, on the Model page."""

from __future__ import annotations

import streamlit as st

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results import sections, subgroups
from ecgkt.results.metrics import Metrics
from ecgkt.ui.widgets import charts, html


def section(metrics: Metrics) -> None:
    """Figures by age and sex; nothing where the bundle has none."""
    if sections.SUBGROUPS.measured(metrics):
        html.section(sections.SUBGROUPS)
        html.show(subgroups.overview(metrics))
        _head(metrics)
        html.text(subgroups.REFUSED)
        left_out = subgroups.left_out(metrics)
        if left_out.rows:
            with st.expander("Left out in the preparation"):
                html.show(left_out)


@st.fragment
def _head(metrics: Metrics) -> None:
    there = [head for head in HEADS if subgroups.kinds(metrics, head)]
    chosen = st.segmented_control(
        "Groups for", there, default=there[0], required=True, format_func=lambda h: TITLES[h][0], key="subgroups_head"
    )
    head = chosen or there[0]
    by_kind = {kind: metrics.subgroups[head][kind] for kind in subgroups.kinds(metrics, head)}
    titles = list(dict.fromkeys(subgroups.title(row) for rows in by_kind.values() for row in rows))
    sets = []
    for kind, rows in by_kind.items():
        values = {subgroups.title(row): row.auroc for row in rows}
        sets.append((f"{kind} test ECGs", [values.get(title) for title in titles]))
    alt = f"Macro AUROC of {head} with 95% intervals by age and sex; the table below has the same numbers."
    charts.show(charts.forest(titles, sets, "Macro AUROC, chance is 0.5"), f"subgroups-{head}", alt)
    for kind in by_kind:
        html.show(subgroups.table(metrics, head, kind))
