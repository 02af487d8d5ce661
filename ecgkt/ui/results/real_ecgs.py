"""Findings on real ECGs, and what can be said of labs there, on the Model page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.results import names, numbers, real_ecgs, sections
from ecgkt.results.metrics import DoseResponse, LabProxy, Metrics
from ecgkt.sheet.plotly_types import Figure
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

if TYPE_CHECKING:
    from ecgkt.model.model import Model

COLUMNS = 3  # charts side by side


def findings(metrics: Metrics) -> None:
    """Macro AUROC over two fixed lists of findings, and each of them."""
    if metrics.real_findings is None:
        return
    html.section(sections.REAL_FINDINGS)
    html.show(real_ecgs.findings(metrics.real_findings))
    if metrics.real_findings.by_source:
        html.show(real_ecgs.findings_by_set(metrics.real_findings))
    with st.expander("Each of them"):
        html.show(real_ecgs.each_finding(metrics.real_findings))


def labs(model: Model) -> None:
    """Proxies, dose and response, and the domain probe; nothing where the bundle has none of them."""
    metrics = model.metrics
    if not sections.REAL_LABS.measured(metrics):
        return
    html.section(sections.REAL_LABS)
    html.text(real_ecgs.caution(label.learned_from for label in model.labels["labs"]), "lead-in")
    if metrics.lab_proxies:
        _proxies(metrics.lab_proxies, model)
    if metrics.dose_response:
        _doses(metrics.dose_response, {label.code: label.threshold for label in model.labels["labs"]})
    if metrics.domain_probe:
        st.subheader(real_ecgs.PROBES)
        stage = model.card.stages.get(names.TRANSFER)
        if stage and stage.source_erased_on:
            html.text(real_ecgs.source_erased(stage.source_erased_on))
        html.show(real_ecgs.probes(metrics.domain_probe))


def _proxies(proxies: dict[str, LabProxy], model: Model) -> None:
    st.subheader(real_ecgs.PROXIES)
    table = real_ecgs.proxies(proxies, {label.code: label.name for labels in model.labels.values() for label in labels})
    rows, values = [row[0] for row in table.rows], [one.auroc for one in proxies.values()]
    alt = f"AUROC with 95% intervals of {len(rows)} proxies; the table below has the same numbers."
    charts.show(charts.forest(rows, [("real ECGs", values)], "AUROC, chance is 0.5"), "lab-proxies", alt)
    html.show(table)


def _doses(doses: dict[str, DoseResponse], thresholds: dict[str, float]) -> None:
    st.subheader(real_ecgs.DOSES)
    html.text(real_ecgs.DOSES_EXPLAINED)
    columns = st.columns(COLUMNS, gap="large")
    for place, (key, dose) in enumerate(doses.items()):
        name = real_ecgs.lab_name(key)
        with columns[place % COLUMNS]:
            html.text(name)
            alt = (
                f"Predicted probability of {name} from {dose.values[0]:g} to {dose.values[-1]:g}: "
                f"{numbers.percent(dose.probability[0], 1)} to {numbers.percent(dose.probability[-1], 1)}. "
                "The table below has the same numbers."
            )
            threshold = thresholds.get(f"{key}_high")
            if threshold is not None:
                alt += f" Its threshold is {numbers.percent(threshold, 1)}."
            charts.show(_dose_figure(f"{name}, {dose.unit}", dose, threshold), f"dose-{key}", alt)
    with st.expander("Dose and response as a table"):
        for key, dose in doses.items():
            html.show(real_ecgs.dose(key, dose))


def _dose_figure(title: str, dose: DoseResponse, threshold: float | None) -> Figure:
    p = palette()
    x, color = dose.values, p.models[0]
    band = {
        "type": "scatter", "mode": "lines", "x": [*x, *x[::-1]], "y": [*dose.high, *dose.low[::-1]],
        "fill": "toself", "fillcolor": p.wash, "line": {"width": 0}, "hoverinfo": "skip",
    }  # fmt: skip
    middle = {
        "type": "scatter", "mode": "lines+markers", "x": x, "y": dose.probability,
        "line": {"color": color, "width": 1.6}, "marker": {"color": color, "size": 6},
        "hovertemplate": "%{x:g}: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    y = charts.axis(p, "Predicted probability", tickformat=".0%", rangemode="tozero", automargin=True)
    layout = charts.layout(p, 260, charts.axis(p, title), y, showlegend=False)
    layout["margin"]["t"] = 10
    if threshold is not None:
        layout["shapes"] = [charts.line(p, 0, threshold, 1, threshold, xref="paper")]
        layout["annotations"] = [charts.note(p, "threshold", threshold)]
    return {"data": [band, middle], "layout": layout}
