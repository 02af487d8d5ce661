"""One ECG, three models side by side; which of them saw labs and vitals is written over each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.prediction import HEADS, TITLES, Head, Label
from ecgkt.results import names, numbers
from ecgkt.ui import audit, session
from ecgkt.ui.reading import clinical, scores
from ecgkt.ui.reading.page import patient_line
from ecgkt.ui.session import Opened
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

SEES = {
    names.TRANSFER: "trained with labs and vitals; here it sees the ECG alone",
    names.SIGNAL: "never saw labs or vitals",
    names.MULTIMODAL: "sees the ECG and this patient's labs and vitals",
}
SHOWN = 6  # labels per head
WIDTHS = (22, 15, 8, 13, 8, 13, 8, 13)  # per cent


def show(opened: Opened, model: Model) -> None:
    """For each head the labels that any of the models holds most likely, with one bar per model."""
    prediction = audit.predict(opened, model)
    st.html(patient_line(opened))
    if prediction.abstained:
        st.warning("The models give no answer for this tracing. " + " ".join(prediction.quality.reasons))
        return
    outputs = session.compare(opened, model)
    rows = [
        (names.title(name), sees if name in outputs else f"{sees}: not shown, this ECG has no clinical table")
        for name, sees in SEES.items()
    ]
    html.table(("Model", "What it sees"), rows, marked=range(len(rows)))
    present = clinical.beside(prediction, opened.clinical)
    for head in HEADS:
        shown = tuple(label for label in model.labels[head] if not label.silent)
        _head(head, shown, outputs, opened.recorded, present)


def _head(
    head: Head,
    labels: tuple[Label, ...],
    outputs: dict[str, dict[str, float]],
    recorded: frozenset[str],
    present: dict[str, str],
) -> None:
    def likeliest(label: Label) -> float:
        return max((output.get(label.code, 0.0) for output in outputs.values()), default=0.0)

    rows: list[list[str]] = []
    marked: list[int] = []
    for label in sorted(labels, key=likeliest, reverse=True)[:SHOWN]:
        known = "in the record" if label.code in recorded else present.get(label.code, "")
        cells: list[str] = [label.name, known]
        for name in SEES:
            value = outputs.get(name, {}).get(label.code)
            cells += [numbers.percent(value), html.Raw("" if value is None else html.bar(value))]
        if label.code in recorded:
            marked.append(len(rows))
        rows.append(cells)
    titles = [cell for name in SEES for cell in ("", names.title(name))]
    st.subheader(TITLES[head][0])
    html.table(
        ("Label", "Known", *titles), rows, scores.note(head, labels), numbers=(2, 4, 6), marked=marked, widths=WIDTHS
    )
