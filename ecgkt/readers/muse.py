"""GE MUSE XML ("RestingECG"): base64 of 16-bit samples by lead, as a rule eight leads of which the others follow.

No public specification; element names as in exports of MUSE 5 to 9.
"""

from __future__ import annotations

import zlib
from xml.etree.ElementTree import Element

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import (
    NEEDED,
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
from ecgkt.readers.xml_tree import int16_samples, parse_xml, root_name, words

UNITS = {"MICROVOLTS": 1e-3, "MILLIVOLTS": 1.0}  # mV


def is_muse(content: bytes) -> bool:
    return root_name(content) == "RestingECG"


def read_muse(content: bytes) -> ECG:
    """One MUSE XML file -> ECG in mV of its longest rhythm waveform (the other one is a median beat).

    Raises ECGError for a file without rhythm, a lead whose counts or checksum do not fit, and an unknown unit.
    """
    root = parse_xml(content)
    rhythms = [wave for wave in root.findall("Waveform") if words(wave, "WaveformType").lower() == "rhythm"]
    if not rhythms:
        raise ECGError("The MUSE file holds no rhythm waveform.")
    rhythm = max(rhythms, key=_leads_and_length)
    leads = rhythm.findall("LeadData")
    check_count(len(leads))
    patient = root.find("PatientDemographics")
    return assemble_ecg(
        [lead_name(words(lead, "LeadID")) for lead in leads],
        [_millivolts(lead) for lead in leads],
        _rate(rhythm),
        age_of(words(patient, "PatientAge"), words(patient, "AgeUnits") or "years"),
        sex_of(words(patient, "Gender")),
        [f"The longest of {len(rhythms)} rhythm waveforms is read"] if len(rhythms) > 1 else [],
    )


def _rate(wave: Element) -> float:
    exponent = words(wave, "SampleExponent") or "0"
    if exponent.lstrip("-") not in {"0", "1", "2", "3"}:
        raise ECGError("The file does not state its sampling rate.")
    return positive(words(wave, "SampleBase"), "sampling rate") * 10.0 ** int(exponent)


def _leads_and_length(wave: Element) -> tuple[int, float]:
    """How many of the needed leads a waveform has, then its seconds: the larger, the rather it is read."""
    leads = wave.findall("LeadData")
    longest = max((len(words(lead, "WaveFormData")) for lead in leads), default=0)
    try:
        return len(NEEDED & {lead_name(words(lead, "LeadID")) for lead in leads}), longest / _rate(wave)
    except ECGError:  # to be said of the waveform that is read
        return 0, 0.0


def _millivolts(lead: Element) -> np.ndarray:
    scale = UNITS.get(words(lead, "LeadAmplitudeUnits").upper())
    if scale is None:
        raise ECGError("A lead's unit in the MUSE file is neither mV nor uV.")
    if words(lead, "LeadSampleSize") not in {"", "2"} or words(lead, "LeadOffsetFirstSample") not in {"", "0"}:
        raise ECGError("Only MUSE leads of 16-bit samples that begin together are read.")
    samples = int16_samples(words(lead, "WaveFormData"))
    count = words(lead, "LeadSampleCountTotal")
    if count and count != str(len(samples)):
        raise ECGError("A lead of the MUSE file holds another number of samples than it states.")
    checksum = words(lead, "LeadDataCRC32")
    if checksum not in {"", "0", str(zlib.crc32(samples.tobytes()))}:  # 0: not computed
        raise ECGError("A lead of the MUSE file does not fit its checksum: the file is damaged.")
    scale *= positive(words(lead, "LeadAmplitudeUnitsPerBit"), "amplitude scale")
    check_scale(scale)
    return measured(samples) * scale


FORMAT = single_file("GE MUSE XML", "one .xml file", ("xml",), is_muse, read_muse)
