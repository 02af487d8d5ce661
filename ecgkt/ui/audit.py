"""The audit log: which tracing was shown what by which model, and when. Off unless ECGKT_AUDIT_LOG names a file.

A JSON object a line: `time` (UTC), `ecg` (SHA-256 of the samples and their rate, so that whoever holds the file can
find its lines and nobody can find the file from them), `model` (SHA-256 of its weights) and `outcome`. No name,
identifier, file name, age, sex or score. Where a log is asked for and cannot be written, nothing is shown.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.ecg import ECG
from ecgkt.prediction import Prediction
from ecgkt.ui.session import Opened, remember

if TYPE_CHECKING:
    from ecgkt.model.model import Model

LOG = "ECGKT_AUDIT_LOG"  # environment variable: path of a file, whose folder exists


def predict(opened: Opened, model: Model) -> Prediction:
    """What `model` says of the ECG, noted once a session: "scores" or "abstained"."""
    prediction = model.predict(opened.analyzed)
    outcome = "abstained" if prediction.abstained else "scores"
    if os.environ.get(LOG):
        remember(("audit", opened.key, model.sha256), partial(note, opened.ecg, model, outcome))
    return prediction


def note(ecg: ECG, model: Model, outcome: str) -> None:
    """A line of the log, if there is to be one; stops the page where it cannot be written."""
    path = os.environ.get(LOG)
    if not path:
        return
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "ecg": fingerprint(ecg),
        "model": model.sha256,
        "outcome": outcome,
    }
    try:
        # In one write to the file's end, so that lines of several processes do not run into each other.
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, (json.dumps(line) + "\n").encode())
        finally:
            os.close(file)
    except OSError:
        st.error("The audit log cannot be written, so nothing is shown.")
        st.stop()


def fingerprint(ecg: ECG) -> str:
    """SHA-256 over the rate and the samples in mV, as they were read."""
    digest = hashlib.sha256(f"{ecg.rate:g} Hz\n".encode())
    digest.update(ecg.signal.astype("<f4").tobytes())
    return digest.hexdigest()
