"""Test figures of the bundle with their intervals: dots and whiskers, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ecgkt.explanation import HEADS, TITLES, Head, Label
from ecgkt.model import Model
from ecgkt.ui import html
from ecgkt.ui.theme import Palette, palette

NAMES = {
    "knowledge_transfer": "Knowledge transfer",
    "signal_only": "Signal only",
    "signal_only_labs": "Signal only + lab heads",
    "random_linear": "Random encoder, linear probe",
    "clinical_only": "Clinical only",
    "multimodal": "Multimodal",
}
CHARTED = ("knowledge_transfer", "signal_only", "multimodal")
SYMBOLS = ("circle", "square", "diamond")
Interval = tuple[float, float, float]


def interval(value: Any) -> Interval | None:
    """[value, low, high] of metrics.json, None where it could not be measured."""
    if not value or any(part is None or part != part for part in value):
        return None
    return float(value[0]), float(value[1]), float(value[2])


def words(value: Interval | None) -> str:
    return "–" if value is None else f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def auroc(metrics: dict[str, Any], name: str, head: str, code: str) -> Interval | None:
    entry = (metrics.get("models", {}).get(name, {}).get(head) or {}).get("labels", {}).get(code) or {}
    return interval(entry.get("auroc"))


def _cohort(metrics: dict[str, Any]) -> str:
    """The test cohort in words, simulated and real patients told apart where the bundle does."""
    test = metrics.get("test", {})
    parts = [
        f"{source.get('patients', '–')} {'simulated' if source.get('simulated') else 'real'}"
        for source in metrics.get("test_by_source", {}).values()
    ]
    told_apart = f" ({', '.join(parts)})" if parts else ""
    return f"{test.get('patients', '–')} patients{told_apart}, {test.get('ecgs', '–')} ECGs"


def gap_closed(metrics: dict[str, Any]) -> None:
    """How much of the distance from signal-only to multimodal the knowledge transfer makes up."""
    value = interval(metrics.get("gap_closed"))
    cohort = f"Test cohort: {_cohort(metrics)}, none of them seen in training."
    if value is None:
        html.text(f"Gap closed: not measured. {cohort}", "lead-in")
        return
    share, low, high = (f"{100 * part:.0f}".replace("-", "−") for part in value)
    if value[2] < 0:
        verdict = " Here the transfer cost more than it brought: it did worse than signal-only."
    elif value[1] <= 0:
        verdict = " The interval includes zero, so no gain is shown."
    else:
        verdict = ""
    html.text(
        f"Gap between signal-only and multimodal closed by knowledge transfer: {share} % "
        f"(95% interval {low} to {high} %).{verdict} {cohort}",
        "lead-in",
    )


def summary(metrics: dict[str, Any]) -> None:
    """Macro AUROC of every model on every head."""
    rows = []
    for name, heads in metrics.get("models", {}).items():
        rows.append(
            [NAMES.get(name, name), *(words(interval((heads.get(head) or {}).get("macro_auroc"))) for head in HEADS)]
        )
    caption = f"Macro AUROC (95% interval, bootstrapped over patients): {_cohort(metrics)}"
    measured = (metrics.get("models") or {}).get("knowledge_transfer") or {}
    kinds = {head: (measured.get(head) or {}).get("measured_on") for head in HEADS}
    titles = (TITLES[head][0] + (f", {kinds[head]} test ECGs" if kinds[head] else "") for head in HEADS)
    html.table(("Model", *titles), rows, caption)


@st.fragment
def by_label(model: Model) -> None:
    """AUROC per label of the three models that Compare is about, as a chart and as a table."""
    head = st.segmented_control(
        "Labels", HEADS, default="findings", required=True, format_func=lambda h: TITLES[h][0], key="performance_head"
    )
    labels = _measured(model, head or "findings")
    if not labels:
        html.text("None of these labels could be measured on the test cohort.")
        return
    chart = dots(labels, model.metrics, palette())
    alt = f"AUROC with 95% intervals of {len(labels)} {head} for three models; the table below has the same numbers."
    st.plotly_chart(chart, theme=None, key=f"auroc-{head}", config={"displayModeBar": False}, alt=alt)
    with st.expander("The same as a table"):
        rows = []
        for label in labels:
            values = [words(auroc(model.metrics, name, label.head, label.code)) for name in CHARTED]
            rows.append([label.name, str(label.test_positives), _measured_on(model, label), *values])
        html.table(
            ("Label", "Positives", "Measured on", *(NAMES[name] for name in CHARTED)),
            rows,
            "AUROC (95% interval)",
            numbers=(1,),
        )


def _measured_on(model: Model, label: Label) -> str:
    heads = model.metrics["models"].get("knowledge_transfer", {}).get(label.head) or {}
    return str(heads.get("labels", {}).get(label.code, {}).get("measured_on", "–"))


def _measured(model: Model, head: Head) -> list[Label]:
    def best(label: Label) -> float:
        values = [auroc(model.metrics, name, head, label.code) for name in CHARTED]
        return max((value[0] for value in values if value), default=-1.0)

    return sorted((label for label in model.labels[head] if best(label) >= 0), key=best, reverse=True)


def dots(labels: Sequence[Label], metrics: dict[str, Any], p: Palette) -> dict[str, Any]:
    """Plotly figure: one row a label, one dot with its interval a model; another shape as well as another colour."""
    data = []
    for k, name in enumerate(CHARTED):
        points = [(row, auroc(metrics, name, label.head, label.code)) for row, label in enumerate(labels)]
        there = [(row + 0.24 * (k - 1), value) for row, value in points if value]
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": NAMES[name],
                "x": [value[0] for _, value in there], "y": [row for row, _ in there],
                "error_x": {
                    "type": "data", "symmetric": False, "thickness": 1.2, "width": 0, "color": p.models[k],
                    "array": [value[2] - value[0] for _, value in there],
                    "arrayminus": [value[0] - value[1] for _, value in there],
                },
                "marker": {"symbol": SYMBOLS[k], "size": 7, "color": p.models[k]},
                "hovertemplate": "%{x:.3f}<extra>" + NAMES[name] + "</extra>",
            }
        )  # fmt: skip
    names = [label.name if len(label.name) <= 44 else label.name[:43] + "…" for label in labels]
    line = {"gridcolor": p.line, "zeroline": False, "fixedrange": True, "tickfont": {"size": 12, "color": p.text}}
    layout = {
        "height": 70 + 28 * len(labels), "margin": {"l": 10, "r": 20, "t": 34, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": p.text},
        "xaxis": {
            **line, "range": [0.3, 1.01], "dtick": 0.1,
            "title": {"text": "AUROC (chance is 0.5)", "font": {"size": 12}},
        },
        "yaxis": {
            **line, "showgrid": False, "automargin": True, "range": [len(labels) - 0.4, -0.6],
            "tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": names,
        },
        "shapes": [{
            "type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": p.quiet, "width": 1, "dash": "dot"},
        }],
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12}}, "dragmode": False,
    }  # fmt: skip
    return {"data": data, "layout": layout}
