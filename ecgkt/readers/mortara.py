"""Mortara (Welch Allyn) ELI XML: a CHANNEL element a lead, its samples base64 in an attribute.

No public specification; attribute names as open readers of real exports know them (BRAVEHEART's `load_elixml.m`,
EDFbrowser's `mortara2edf.cpp`). DURATION counts samples.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import age_of, assemble_ecg, check_count, check_scale, measured, positive, sex_of, single_file
from ecgkt.readers.lead_names import lead_name
from ecgkt.readers.xml_tree import int16_samples, parse_xml, root_name

EXPECTED = {"BITS": "16", "FORMAT": "SIGNED", "ENCODING": "BASE64", "OFFSET": "0"}


def is_mortara(content: bytes) -> bool:
    return root_name(content) == "ECG"


def read_mortara(content: bytes) -> ECG:
    """One Mortara XML file -> ECG in mV. Raises ECGError for another encoding, unequal rates, or wrong counts."""
    root = parse_xml(content)
    channels = root.findall("CHANNEL")
    rates = {positive(channel.get("SAMPLE_FREQ"), "sampling rate") for channel in channels}
    if len(rates) != 1:
        raise ECGError("The Mortara file holds no leads of one sampling rate.")
    check_count(len(channels))
    subject = root.find("SUBJECT")
    sex = subject.get("GENDER", "") if subject is not None else ""
    return assemble_ecg(
        [lead_name(channel.get("NAME", "")) for channel in channels],
        [_millivolts(channel) for channel in channels],
        rates.pop(),
        age_of(root.get("AGE", ""), root.get("AGE_UNITS") or "years"),
        sex_of(sex),
    )


def _millivolts(channel: Element) -> np.ndarray:
    if any((channel.get(key) or value).strip().upper() != value for key, value in EXPECTED.items()):
        raise ECGError("Only Mortara leads of signed 16-bit samples in base64 without an offset are read.")
    samples = int16_samples(channel.get("DATA") or channel.text or "")
    if channel.get("DURATION", str(len(samples))) != str(len(samples)):
        raise ECGError("A lead of the Mortara file holds another number of samples than it states.")
    step = 1 / positive(channel.get("UNITS_PER_MV"), "amplitude scale")
    check_scale(step)
    return measured(samples) * step


FORMAT = single_file("Mortara XML", "one .xml file", ("xml",), is_mortara, read_mortara)
