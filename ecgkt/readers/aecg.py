"""HL7 annotated ECG (ANSI/HL7 V3 ECG R1-2004): sequences of numbers by lead, with origin, scale and increment."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import (
    MAX_RATE,
    MAX_SECONDS,
    NEEDED,
    age_of,
    assemble_ecg,
    check_count,
    check_scale,
    incomplete,
    measured,
    positive,
    scale_of,
    sex_of,
    single_file,
)
from ecgkt.readers.lead_names import lead_name
from ecgkt.readers.xml_tree import parse_xml, root_name

REPORTED_AGE = "21612-7"  # LOINC
MOST_SAMPLES = int(MAX_SECONDS * MAX_RATE)
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}  # UCUM


def is_aecg(content: bytes) -> bool:
    return root_name(content) == "AnnotatedECG"


def read_aecg(content: bytes) -> ECG:
    """One HL7 aECG file -> ECG in mV of its longest recorded set of leads (a derived series is an average beat).

    Raises ECGError when no set holds all leads at once, or a unit or number is not what the standard says.
    """
    root = parse_xml(content)
    sets = [_leads(found) for found in root.findall("component/series/component/sequenceSet")]
    names = [{lead_name(name) for name in found} for found in sets]
    full = [found for found, held in zip(sets, names, strict=True) if held >= NEEDED]
    if not full:
        most = max(names, key=lambda held: len(held & NEEDED), default=set())
        raise ECGError(f"This HL7 aECG file holds no recording of all 12 leads at once: {incomplete(list(most))}.")
    leads = max(full, key=lambda found: sum(len(value.findtext("digits") or "") for value in found.values()))
    rate = 1 / _increment(root, leads)
    check_count(len(leads))
    sex = root.find(".//administrativeGenderCode")
    return assemble_ecg(
        [lead_name(name) for name in leads],
        [_millivolts(value) for value in leads.values()],
        rate,
        _age(root),
        sex_of(sex.get("code", "") if sex is not None else ""),
    )


def _leads(sequence_set: Element) -> dict[str, Element]:
    """What each lead's code says -> its list of numbers; under "" the set's time."""
    found: dict[str, Element] = {}
    for sequence in sequence_set.findall("component/sequence"):
        code, value = sequence.find("code"), sequence.find("value")
        if code is None or value is None:
            continue
        name = code.get("code", "")
        if not lead_name(name) and lead_name(code.get("displayName", "")):
            name = code.get("displayName", "")
        if name in found:
            raise ECGError("A lead is in the file twice.")
        found[name] = value
    return found


def _increment(root: Element, leads: dict[str, Element]) -> float:
    """Seconds between two samples of the set, and its time sequence taken out of `leads`."""
    for name in [name for name in leads if name.startswith("TIME_")]:
        step = leads.pop(name).find("increment")
        if step is not None and step.get("unit") in SECONDS:
            return positive(step.get("value"), "sampling rate") * SECONDS[step.get("unit", "")]
    raise ECGError("The file does not state its sampling rate.")


def _millivolts(value: Element) -> np.ndarray:
    origin, scale = value.find("origin"), value.find("scale")
    if scale is None:
        raise ECGError("The file does not state its amplitude scale.")
    words = (value.findtext("digits") or "").split(maxsplit=MOST_SAMPLES)
    if len(words) > MOST_SAMPLES:
        raise ECGError("A lead of the HL7 aECG file is longer than is read.")
    try:
        digits = np.array(words, dtype=np.float64)
        zero = float(origin.get("value", "0")) if origin is not None else 0.0
        if not math.isfinite(zero):
            raise ValueError
    except ValueError:
        raise ECGError("A lead of the HL7 aECG file holds what is not a number.") from None
    zero *= scale_of(origin.get("unit", "")) if origin is not None else 0.0
    step = positive(scale.get("value"), "amplitude scale") * scale_of(scale.get("unit", ""))
    check_scale(step)
    return measured(digits) * step + zero


def _age(root: Element) -> float | None:
    for observation in root.findall("controlVariable/relatedObservation"):
        code, value = observation.find("code"), observation.find("value")
        if code is not None and value is not None and code.get("code") == REPORTED_AGE:
            return age_of(value.get("value", ""), value.get("unit", ""))
    return None


FORMAT = single_file("HL7 aECG", "one .xml file", ("xml",), is_aecg, read_aecg)
