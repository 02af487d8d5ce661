"""Test figures of the bundle with their intervals: dots and whiskers, and the same as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results import names, performance, urgent_pictures
from ecgkt.results.metrics import Metrics
from ecgkt.ui.widgets import charts, html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

SHOWN = 15  # labels of a head before all are asked for


def gap_closed(metrics: Metrics) -> None:
    """How much of the distance from signal-only to multimodal the knowledge transfer makes up."""
    cohort = f"Test cohort: {performance.cohort(metrics)}, none of them seen in training."
    html.text(f"{performance.gap_closed(metrics)} {cohort}", "lead-in")


def summary(metrics: Metrics) -> None:
    """Macro AUROC of every model on every head."""
    html.show(performance.summary(metrics))


def urgent(model: Model) -> None:
    """How many of the urgent are found; nothing where it was not measured."""
    every = [label for labels in model.labels.values() for label in labels]
    table = performance.urgent(model.metrics, every)
    if table.rows:
        st.subheader("Is what is urgent found?")
        html.show(table)
    pictures = urgent_pictures.of_bundle(model.sha256)
    if pictures is not None:
        html.text(urgent_pictures.in_words(pictures))
        known = performance.told_apart(every)
        html.show(urgent_pictures.table(pictures, lambda code: known.get(code, code)))


@st.fragment
def by_label(model: Model) -> None:
    """AUROC per label of the models that Compare is about, as a chart and as a table."""
    chosen = st.segmented_control(
        "Labels", HEADS, default="findings", required=True, format_func=lambda h: TITLES[h][0], key="performance_head"
    )
    head = chosen or "findings"
    measured = performance.measured_labels(model.metrics, model.labels[head])
    if not measured:
        html.text("None of these labels could be measured on the test cohort.")
        return
    everything = len(measured) <= SHOWN or st.toggle(f"All {len(measured)} {head}", key="performance_all")
    labels = measured if everything else measured[:SHOWN]
    by_label = [performance.aurocs(model.metrics, label) for label in labels]
    models = performance.compared(model.metrics)
    sets = [(names.title(name), [values[k] for values in by_label]) for k, name in enumerate(models)]
    chart = charts.forest([label.name for label in labels], sets, "AUROC, chance is 0.5")
    which = "" if everything else f"the best {SHOWN} of "
    of = f"{which}{len(measured)} {head} for {len(models)} models"
    alt = f"AUROC with 95% intervals of {of}; the table below has them all."
    charts.show(chart, f"auroc-{head}", alt)
    html.text(performance.silent(label for labels in model.labels.values() for label in labels))
    with st.expander("The same as a table"):
        html.show(performance.by_label(model.metrics, measured))
