"""Test figures of the bundle with their intervals: dots and whiskers, and the same as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ecgkt.prediction import HEADS, TITLES, Head, Label
from ecgkt.results.label_curve import Interval, interval
from ecgkt.results.label_curve import number as words
from ecgkt.ui.widgets import charts, html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

NAMES = {
    "knowledge_transfer": "Knowledge transfer",
    "signal_only": "Signal only",
    "signal_only_labs": "Signal only + lab heads",
    "random_linear": "Random encoder, linear probe",
    "clinical_only": "Clinical only",
    "multimodal": "Multimodal",
}
CHARTED = ("knowledge_transfer", "signal_only", "multimodal")
SHOWN = 15  # labels of a head before all are asked for


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
    one_seed = "The networks of this bundle, one seed: gap" if metrics.get("label_curve") else "Gap"
    share, low, high = (f"{100 * part:.0f}".replace("-", "−") for part in value)
    if value[2] < 0:
        verdict = " Here the transfer cost more than it brought: it did worse than signal-only."
    elif value[1] <= 0:
        verdict = " The interval includes zero, so no gain is shown."
    else:
        verdict = ""
    html.text(
        f"{one_seed} between signal-only and multimodal closed by knowledge transfer: {share} % "
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
    measured = _measured(model, head or "findings")
    if not measured:
        html.text("None of these labels could be measured on the test cohort.")
        return
    everything = len(measured) <= SHOWN or st.toggle(f"All {len(measured)} {head}", key="performance_all")
    labels = measured if everything else measured[:SHOWN]
    sets = [(NAMES[name], [auroc(model.metrics, name, label.head, label.code) for label in labels]) for name in CHARTED]
    chart = charts.forest([label.name for label in labels], sets, "AUROC (chance is 0.5)")
    which = "" if everything else f"the best {SHOWN} of "
    alt = f"AUROC with 95% intervals of {which}{len(measured)} {head} for three models; the table below has them all."
    charts.show(chart, f"auroc-{head}", alt)
    with st.expander("The same as a table"):
        rows = []
        for label in measured:
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
