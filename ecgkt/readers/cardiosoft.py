"""GE CardioSoft and MAC XML ("CardiologyXML"): a strip of leads, each a list of whole numbers parted by commas.

No public specification; element names as open readers of real exports know them (those of UK Biobank's resting ECGs;
BRAVEHEART's `load_cardiosoftxml.m`). StripData is the recording, MedianSamples an average beat; the FullDisclosure of
an exercise test is another recording, of other leads as a rule, and is not read.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import (
    MAX_RATE,
    MAX_SECONDS,
    age_of,
    assemble_ecg,
    check_count,
    check_scale,
    measured,
    positive,
    sex_of,
    single_file,
)
from ecgkt.readers.lead_names import lead_name
from ecgkt.readers.xml_tree import parse_xml, root_name, words

UNITS = {"uvperlsb": 1e-3, "mvperlsb": 1.0}  # mV
MOST_SAMPLES = int(MAX_SECONDS * MAX_RATE)


def is_cardiosoft(content: bytes) -> bool:
    return root_name(content) == "CardiologyXML"


def read_cardiosoft(content: bytes) -> ECG:
    """One CardioSoft XML file -> ECG in mV of its strip, NaN where a number was left out.

    Raises ECGError for a file without strip, a lead whose count does not fit, and an unknown unit.
    """
    root = parse_xml(content)
    strips = [strip for strip in root.findall("StripData") if strip.find("WaveformData") is not None]
    if not strips:
        raise ECGError("The CardioSoft file holds no strip of a resting ECG.")
    strip = max(strips, key=lambda found: sum(len(lead.text or "") for lead in found.findall("WaveformData")))
    resolution, patient = strip.find("Resolution"), root.find("PatientInfo")
    scale = UNITS.get((resolution.get("units") or "").strip().lower()) if resolution is not None else None
    if scale is None:
        raise ECGError("The CardioSoft file's unit is neither mV nor uV.")
    scale *= positive(words(strip, "Resolution"), "amplitude scale")
    check_scale(scale)
    rate = strip.find("SampleRate")
    if rate is not None and (rate.get("units") or "Hz").strip().lower() != "hz":
        raise ECGError("The file does not state its sampling rate.")
    leads = strip.findall("WaveformData")
    check_count(len(leads))
    count = words(strip, "ChannelSampleCountTotal")
    age = patient.find("Age") if patient is not None else None
    return assemble_ecg(
        [lead_name(lead.get("lead", "")) for lead in leads],
        [_samples(lead, count) * scale for lead in leads],
        positive(words(strip, "SampleRate"), "sampling rate"),
        age_of(words(patient, "Age"), (age.get("units") if age is not None else None) or "years"),
        sex_of(words(patient, "Gender")),
    )


def _samples(lead: Element, count: str) -> np.ndarray:
    """[samples] in the file's unit. Lines end with a comma here and there; nothing between two is a lost sample."""
    text = (lead.text or "").strip().removesuffix(",")
    if text.count(",") >= MOST_SAMPLES:
        raise ECGError("A lead of the CardioSoft file is longer than is read.")
    numbers = [number.strip() for number in text.split(",")]
    try:
        values = np.array([number or "nan" for number in numbers], dtype=np.float64)
    except ValueError:
        raise ECGError("A lead of the CardioSoft file holds what is not a number.") from None
    if count and count != str(len(values)):
        raise ECGError("A lead of the CardioSoft file holds another number of samples than it states.")
    return measured(values)


FORMAT = single_file("GE CardioSoft XML", "one .xml file", ("xml",), is_cardiosoft, read_cardiosoft)
