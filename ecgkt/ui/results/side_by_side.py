"""One ECG, the models of a bundle side by side; which of them saw labs and vitals is written over each.

Where the bundle has them, a switch leads from the models taught with all labels to those taught with few patients'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.interpretation.record import measured_labs
from ecgkt.model import compared
from ecgkt.prediction import HEADS, TITLES, Head, Label
from ecgkt.results import numbers
from ecgkt.ui import audit, keys, session
from ecgkt.ui.reading import clinical, scores
from ecgkt.ui.reading.page import patient_line
from ecgkt.ui.reading.sheet import switch
from ecgkt.ui.session import Opened
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

SHOWN = 6  # labels per head
LABEL_WIDTH, KNOWN_WIDTH = 20, 12  # per cent of a table; the models share the rest


def show(opened: Opened, model: Model) -> None:
    """For each head the labels that any of the models holds most likely, with one bar per model."""
    prediction = audit.predict(opened, model)
    st.html(patient_line(opened))
    if prediction.abstained:
        st.warning("The models give no answer for this tracing. " + " ".join(prediction.quality.reasons))
        return
    groups = compared.groups(model.card)
    chosen = switch("Taught with", list(groups), keys.LABELED) if len(groups) > 1 else next(iter(groups))
    listed = groups[chosen]
    outputs = session.compare(opened, model, listed)
    html.show(compared.table(model.card, model.metrics, listed, outputs))
    present = clinical.measured(prediction, measured_labs(opened.clinical))
    for head in HEADS:
        shown = tuple(label for label in model.labels[head] if not label.silent)
        if any(head in model.card.architectures[name].labels for name in listed):
            _head(head, shown, listed, outputs, opened.recorded, present)
        else:
            st.subheader(TITLES[head][0])
            html.text(f"These models were not taught any {head}.")


def _head(
    head: Head,
    labels: tuple[Label, ...],
    models: Sequence[str],
    outputs: Mapping[str, Mapping[str, float]],
    recorded: frozenset[str],
    present: Mapping[str, str],
) -> None:
    def likeliest(label: Label) -> float:
        return max((output.get(label.code, 0.0) for output in outputs.values()), default=0.0)

    rows: list[list[str]] = []
    marked: list[int] = []
    for label in sorted(labels, key=likeliest, reverse=True)[:SHOWN]:
        known = "in the record" if label.code in recorded else present.get(label.code, "")
        cells: list[str] = [label.name, known]
        for name in models:
            value = outputs.get(name, {}).get(label.code)
            cells += [numbers.percent(value), html.Raw("" if value is None else html.bar(value))]
        if label.code in recorded:
            marked.append(len(rows))
        rows.append(cells)
    titles = [cell for name in models for cell in ("", compared.short(name))]
    each = (100 - LABEL_WIDTH - KNOWN_WIDTH) / len(models)
    widths = (LABEL_WIDTH, KNOWN_WIDTH, *(round(share * each) for _ in models for share in (0.4, 0.6)))
    right = [2 + 2 * number for number in range(len(models))]
    st.subheader(TITLES[head][0])
    html.table(
        ("Label", "Known", *titles), rows, scores.note(head, labels), numbers=right, marked=marked, widths=widths
    )
