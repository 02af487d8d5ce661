"""Uploads: files -> one ECG of this session. Names and bytes are not shown, logged or cached."""

from __future__ import annotations

import hashlib

import streamlit as st

import ecgkt
from ecgkt.ecg import ECGError
from ecgkt.readers import group_uploads
from ecgkt.ui import html
from ecgkt.ui.resources import Opened


def receive() -> Opened:
    """The record uploaded (one is chosen if there are several); a sentence and no more when there is none."""
    files = st.file_uploader(
        "A 12-lead ECG: WFDB (.hea with its .dat or .mat, together) or DICOM",
        accept_multiple_files=True,
        key="upload",
    )
    if not files:
        html.text(
            "The tracing is read in memory on this computer and is gone when the tab is closed. "
            "Of the patient, only age band and sex are shown."
        )
        st.stop()
    opened, problems = [], []
    for number, record in enumerate(group_uploads({file.name: file.getvalue() for file in files}), start=1):
        key = "upload:" + hashlib.sha256(b"".join(record[name] for name in sorted(record))).hexdigest()
        try:
            opened.append(Opened(key, ecgkt.read(record), f"Upload {number}"))
        except ECGError as error:
            problems.append(f"Upload {number}: {error}")
    for problem in problems:
        st.error(problem)
    if not opened:
        st.stop()
    if len(opened) == 1:
        return opened[0]
    chosen = st.selectbox("Record", range(len(opened)), format_func=lambda i: opened[i].source, key="upload_record")
    return opened[chosen or 0]
