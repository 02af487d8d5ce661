"""The report of the ECG on the page, to download as PDF, PNG, JSON or FHIR; made when a button is pressed."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.prediction import Attribution, Prediction
from ecgkt.report import fhir
from ecgkt.sheet.layout import Paper
from ecgkt.ui import audit
from ecgkt.ui.reading import interpretation
from ecgkt.ui.session import Opened
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

FORMATS = {
    "pdf": ("PDF, to scale", "application/pdf"),
    "png": ("PNG of the tracing", "image/png"),
    "json": ("JSON, complete", "application/json"),
}
if fhir.available():
    FORMATS["fhir.json"] = ("FHIR R4B, DiagnosticReport", "application/fhir+json")
NAME = "ecg-report"  # of every file, so that no file's name tells whose ECG it holds


def offer(opened: Opened, prediction: Prediction, model: Model, paper: Paper, attribution: Attribution | None) -> None:
    """The menu with its three buttons; `paper` as it is on the screen, `attribution` of the score chosen there."""
    with st.popover("Report", width="stretch"):
        html.text(
            "A4: the tracing in this layout, to scale when printed at actual size, then scores, measurements and "
            "what contributes to the chosen score."
        )
        # An input of its own for each ECG: words for one patient must not stand in the report of the next.
        ecg = hashlib.sha256(opened.key.encode()).hexdigest()[:12]
        patient = st.text_input(
            "Text for the patient line",
            key=f"report_patient_{ecg}",
            max_chars=80,
            help="Printed as entered. Without it the report shows only sex and age band.",
        )
        recorded = st.text_input(
            "Time of recording",
            key=f"report_recorded_{ecg}",
            max_chars=40,
            help="Printed as entered: no time is read from files, since a date can tell who a patient is.",
        )
        make = partial(_file, opened, prediction, model, paper, attribution, patient, recorded)
        for suffix, (words, mime) in FORMATS.items():
            st.download_button(
                words,
                partial(make, suffix),
                f"{NAME}.{suffix}",
                mime,
                key=f"report_{suffix}",
                on_click="ignore",
                width="stretch",
            )


def _file(
    opened: Opened,
    prediction: Prediction,
    model: Model,
    paper: Paper,
    attribution: Attribution | None,
    patient: str,
    recorded: str,
    suffix: str,
) -> bytes:
    from ecgkt.report import content, document  # bring matplotlib, which the first page should not wait for

    record = interpretation.record_of(opened)
    data = content.build(
        opened.analyzed, prediction, model, paper, attribution, opened.simulated, patient, record=record,
        recorded=recorded,
    )  # fmt: skip
    audit.note(opened.ecg, model, f"report {suffix}")
    return document.FORMATS[suffix](data)
