"""What the devices printed, read from their own files: for benchmarks/measurements.py."""

from __future__ import annotations

import re
from pathlib import Path

import pydicom

Printed = dict[str, float]  # attribute of `ecgkt.measurements.intervals.Intervals` -> value

MUSE = {
    "rate": "VentricularRate", "pr": "PRInterval", "qrs": "QRSDuration", "qt": "QTInterval", "p_axis": "PAxis",
    "qrs_axis": "RAxis", "t_axis": "TAxis",
}  # fmt: skip
PHILIPS = {
    "rate": "meanventrate", "pr": "meanprint", "qrs": "meanqrsdur", "qt": "meanqtint", "p_axis": "pfrontaxis",
    "qrs_axis": "qrsfrontaxis", "t_axis": "tfrontaxis",
}  # fmt: skip
AECG = {"p_duration": "P", "pr": "PR", "qrs": "QRS", "qt": "QT"}
DICOM = {
    "pr": r"PR interval", "qrs": r"QRS duration", "qt": r"QT interval", "p_axis": r"P axis", "qrs_axis": r"QRS axis",
    "t_axis": r"T axis",
}  # fmt: skip


def printed(path: Path) -> Printed:
    """Rate, intervals in ms and axes in degrees; empty where the file holds none, or only made-up ones."""
    if path.suffix == ".dcm":
        return _dicom(path)
    raw = path.read_bytes() if path.suffix == ".xml" else b""
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", errors="replace")
    if "<RestingECG" in text:
        found = {name: _first(rf"<{tag}>(-?\d+)<", text) for name, tag in MUSE.items()}
        onset, end = _first(r"<POnset>(\d+)<", text), _first(r"<POffset>(\d+)<", text)
        if onset and end:
            found["p_duration"] = (end - onset) * 1000 / (_first(r"<ECGSampleBase>(\d+)<", text) or 500)
    elif "PD_QT" in text:
        found = {
            name: _first(rf'code="MDC_ECG_TIME_PD_{tag}"[^<]*<value[^>]*value="(-?[\d.]+)"', text)
            for name, tag in AECG.items()
        }
    else:
        found = {name: _first(rf"<{tag}>(-?\d+)<", text) for name, tag in PHILIPS.items()}
    return {name: value for name, value in found.items() if value is not None}


def _first(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found[1]) if found else None


def _dicom(path: Path) -> Printed:
    found: Printed = {}
    for each in pydicom.dcmread(path).get("WaveformAnnotationSequence", []):
        if "NumericValue" in each and "ConceptNameCodeSequence" in each:
            meaning = str(each.ConceptNameCodeSequence[0].CodeMeaning)
            for name, words in DICOM.items():
                if re.match(words, meaning, re.IGNORECASE):
                    found.setdefault(name, float(each.NumericValue))
            if meaning == "RR Interval":
                found["rate"] = 60000 / float(each.NumericValue)
            if meaning == "Ventricular Heart Rate":
                found["rate"] = float(each.NumericValue)
    return found
