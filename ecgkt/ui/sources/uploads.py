"""Uploads: files -> one ECG of this session. Names and bytes are not shown, logged or cached."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.intake import Outcome, read_upload
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.readers import TableLayout
from ecgkt.ui.session import Opened, remember
from ecgkt.ui.widgets import html

UNITS = {"mV": 1.0, "µV": 1000.0, "ADC units": None}  # units in 1 mV
USUAL_SPAN = (0.1, 20.0)  # mV, of a lead; beyond it the unit is doubted


def receive() -> Opened:
    """The record uploaded (one is chosen if there are several); a sentence and no more when there is none."""
    files = st.file_uploader(
        "A 12-lead ECG: WFDB (.hea with its .dat or .mat, together), DICOM, XML of GE MUSE or CardioSoft, Philips, "
        "Mortara or HL7, SCP-ECG, EDF, ISHNE, CSV, .npy, or a zip of these",
        accept_multiple_files=True,
        key="upload",
    )
    if not files:
        html.text(
            "The tracing is read in memory, on the computer that runs the dashboard, and deleted when the tab is "
            "closed. Only the patient's age band and sex are shown."
        )
        st.stop()
    opened = read_one(files)
    if opened is None:
        st.stop()
    return opened


def read_one(files: Sequence[UploadedFile], slot: str = "") -> Opened | None:
    """The ECG in `files` (one is chosen if there are several); None when there is none, after saying why.

    slot: tells the widgets of two uploads on one page apart.
    """
    given = {file.name: file.getvalue() for file in files}
    layout = None
    try:
        outcomes = _outcomes(given)
        if any(outcome.is_table for outcome in outcomes):
            layout = _layout(slot)
            outcomes = _outcomes(given, layout)
    except ECGError as error:
        st.error(str(error))
        return None
    opened, problems = [], []
    for number, outcome in enumerate(outcomes, start=1):
        name = f"Upload {number} ({outcome.format})" if outcome.format else f"Upload {number}"
        if outcome.ecg is None:
            problems.append(f"{name}: {outcome.refusal}")
            continue
        key = f"upload:{layout}:{outcome.digest}"
        opened.append(remember((key, name), partial(_open, outcome.ecg, key, name)))
        if outcome.is_table:
            _preview(name, outcome.ecg)
    for problem in problems:
        st.error(problem)
    if len(opened) < 2:
        return opened[0] if opened else None
    chosen = st.selectbox(
        "Record", range(len(opened)), format_func=lambda i: opened[i].source, key=f"upload_record{slot}"
    )
    return opened[chosen or 0]


def _outcomes(files: Mapping[str, bytes], layout: TableLayout | None = None) -> list[Outcome]:
    """What was read of the files, or why not; kept either way, so that no rerun of the page reads them again."""
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode(errors="replace"))
        digest.update(content)
    return remember(("upload", digest.hexdigest(), str(layout)), partial(read_upload, files, layout))


def _open(ecg: ECG, key: str, name: str) -> Opened:
    return Opened(key, AnalyzedECG(ecg), name)


def _layout(slot: str) -> TableLayout:
    """What a table of numbers does not say, asked once for all that were uploaded."""
    html.text(
        "A table of numbers seldom states how it was recorded. These settings apply to every table that does not."
    )
    columns = st.columns(3)
    rate = columns[0].number_input("Sampling rate (Hz)", 50.0, 2000.0, 500.0, key=f"layout_rate{slot}")
    unit = columns[1].selectbox("Unit", list(UNITS), key=f"layout_unit{slot}")
    scale = UNITS[unit]
    if scale is None:
        scale = columns[2].number_input("ADC units in 1 mV", 0.001, 1e6, 200.0, key=f"layout_gain{slot}")
    leads = st.text_input(
        "Lead of each column, in order",
        ", ".join(LEADS),
        key=f"layout_leads{slot}",
        help="Columns with other names (such as time) are ignored. A CSV's own header takes precedence.",
    )
    return TableLayout(float(rate), float(scale), tuple(leads.replace(",", " ").split()))


def _preview(name: str, ecg: ECG) -> None:
    """What was understood of a table, so that a wrong rate or unit is seen."""
    finite = ecg.signal[:, np.isfinite(ecg.signal).all(axis=0)]
    span = float(np.median(np.ptp(finite, axis=1))) if finite.size else float("nan")
    html.text(
        f"{name} was read as 12 leads of {ecg.samples:,} samples, {ecg.seconds:.1f} s at {ecg.rate:g} Hz; "
        + (f"a lead spans {span:.2g} mV (median)." if np.isfinite(span) else "it holds no numbers.")
    )
    if np.isfinite(span) and span > 0 and not USUAL_SPAN[0] <= span <= USUAL_SPAN[1]:
        st.warning("This is not a plausible range for an ECG lead. Is the unit right?")
