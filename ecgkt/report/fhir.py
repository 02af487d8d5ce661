"""A report as HL7 FHIR R4B: a DiagnosticReport, its Observations and the Device that made them, in one Bundle.

R4B, since what is used of it is the same in R4, which servers speak. Everything is preliminary and says that it is for
research use. Codes: LOINC and UCUM where a measurement has one that means the same, else the labels' own.
Needs the extra `ecgkt[fhir]`, which validates what is written.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

from ecgkt import __version__
from ecgkt.ecg import ECGError
from ecgkt.prediction import HEADS, TITLES
from ecgkt.prediction_json import ScoreJSON
from ecgkt.report import words
from ecgkt.report.data import MeasurementData, ReportData

LOINC, UCUM, HL7 = "http://loinc.org", "http://unitsofmeasure.org", "http://terminology.hl7.org/CodeSystem"
# Made once by uuid4, for codes that are nobody else's: labels of a bundle, keys of measurements.
OWN = "urn:uuid:dd2440f2-4c01-448e-bfba-e90ea0b2fb2a"
STUDY = ("11524-6", "EKG study")
MEASUREMENTS = {
    "rate": ("8867-4", "Heart rate"),
    "pr": ("8625-6", "P-R Interval"),
    "qrs": ("8633-0", "QRS duration"),
    "qt": ("8634-8", "Q-T interval"),
    "qtcf": ("76634-5", "Q-T interval corrected based on Fridericia formula"),
    "qtcb": ("76635-2", "Q-T interval corrected based on Bazett formula"),
}
UNITS = {"\N{DEGREE SIGN}": "deg", "V lead": "1"}  # in UCUM; the others are called the same there
FLAGS = {"low": ("L", "Low"), "normal": ("N", "Normal"), "high": ("H", "High")}


def available() -> bool:
    """Is the extra `ecgkt[fhir]` installed?"""
    return find_spec("fhir") is not None and find_spec("fhir.resources") is not None


def as_fhir(data: ReportData, issued: datetime | None = None) -> bytes:
    """The Bundle as JSON. issued: now by default. Raises ECGError where the extra is missing, or FHIR does not take a
    word of it."""
    if not available():
        raise ECGError("FHIR needs one more package: pip install 'ecgkt[fhir]'.")
    from fhir.resources.R4B.bundle import Bundle

    when = (issued or datetime.now(UTC)).isoformat(timespec="seconds")
    device = _address()
    measured = [_measurement(key, row) for key, row in data["intervals"]["measurements"].items()]
    scores = [_superclass(code, value) for code, value in data["superclasses"].items()]
    scores += [_score(score, TITLES[head][1]) for head in HEADS for score in data[head]]
    observations = {_address(): _observation(each, data, when, device) for each in measured + scores}
    resources = {
        _address(): _report(data, when, list(observations)),
        device: _device(data),
        **observations,
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": when,
        "entry": [{"fullUrl": address, "resource": resource} for address, resource in resources.items()],
    }
    try:
        checked = Bundle.model_validate(bundle)
    except ValueError:  # its words quote the report
        raise ECGError("This report holds words that FHIR does not take.") from None
    return (json.dumps(json.loads(checked.model_dump_json()), ensure_ascii=False) + "\n").encode()


def _address() -> str:
    return f"urn:uuid:{uuid4()}"


def _report(data: ReportData, when: str, results: list[str]) -> dict[str, Any]:
    said = [data["notice"], words.remark(data), "Simulated patient." if data["patient"]["simulated"] else ""]
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "category": [_concept(f"{HL7}/v2-0074", "EC", "Electrocardiac (e.g., EKG, EEC, Holter)")],
        "code": _concept(LOINC, *STUDY, text="12-lead ECG report"),
        "issued": when,
        "result": [{"reference": each} for each in results],
        "conclusion": " ".join(part for part in said if part),
    }
    if data["patient"]["given"]:
        report["subject"] = {"display": data["patient"]["given"]}
    return report


def _device(data: ReportData) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "identifier": [{"type": {"text": "SHA-256 of the model's weights"}, "value": data["model"]["sha256"]}],
        "deviceName": [{"name": f"ecgkt, model {data['model']['name']}", "type": "model-name"}],
        "version": [{"value": __version__}],
        "type": {"text": "software, research use only"},
        "note": [{"text": data["notice"]}],
    }


def _observation(own: dict[str, Any], data: ReportData, when: str, device: str) -> dict[str, Any]:
    """What all have, and what is `own` to one; its notes come before the notice."""
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [_concept(f"{HL7}/observation-category", "procedure", "Procedure")],
        "issued": when,
        "device": {"reference": device},
        **own,
    }
    observation["note"] = [*own.get("note", []), {"text": data["notice"]}]
    if data["patient"]["given"]:
        observation["subject"] = {"display": data["patient"]["given"]}
    return observation


def _measurement(key: str, row: MeasurementData) -> dict[str, Any]:
    coded = MEASUREMENTS.get(key)
    code = _concept(LOINC, *coded, text=row["name"]) if coded else _concept(OWN, key, row["name"])
    if row["value"] is None:
        absent = _concept(f"{HL7}/data-absent-reason", "unknown", "Unknown", text=row["reason"] or "")
        return {"code": code, "dataAbsentReason": absent}
    own: dict[str, Any] = {"code": code, "valueQuantity": _quantity(row["value"], row["unit"])}
    limits = {side: _quantity(row[side], row["unit"]) for side in ("low", "high") if row[side] is not None}
    if limits:
        own["referenceRange"] = [{**limits, "text": row["source"]}]
    if row["flag"]:
        own["interpretation"] = [_concept(f"{HL7}/v3-ObservationInterpretation", *FLAGS[row["flag"]])]
    return own


def _superclass(code: str, probability: float) -> dict[str, Any]:
    text = f"Probability of the PTB-XL superclass {code}, predicted from the ECG"
    return {"code": _concept(OWN, code, code, text=text), "valueQuantity": _quantity(probability, "1")}


def _score(score: ScoreJSON, about: str) -> dict[str, Any]:
    """A probability with its threshold, which is no diagnosis: no code of one, and neither positive nor negative."""
    note = f"{about}; learned from {score['learned_from']} patients"
    if score["auroc"]:
        value, low, high = score["auroc"]
        note += f"; AUROC {value:.2f} (95% interval {low:.2f} to {high:.2f}) on {score['measured_on']} test ECGs"
    text = f"Probability of {score['name']}, predicted from the ECG"
    threshold = {"code": {"text": "Threshold"}, "valueQuantity": _quantity(score["threshold"], "1")}
    return {
        "code": _concept(OWN, score["code"], score["name"], text=text),
        "valueQuantity": _quantity(score["probability"], "1"),
        "interpretation": [{"text": "above its threshold" if score["positive"] else "below its threshold"}],
        "component": [threshold],
        "note": [{"text": f"{note}."}],
    }


def _concept(system: str, code: str, display: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": text or display}


def _quantity(value: float | None, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": UNITS.get(unit, unit)}
