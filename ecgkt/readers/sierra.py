"""Philips Sierra XML (documents 1.03 and 1.04), whose leads are compressed by Philips' XLI; sierraecg decompresses.

III, aVR, aVL and aVF are stored as what the derivation from I and II leaves over, a rounding; they are derived anew.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.readers.format import (
    MAX_SECONDS,
    MAX_SIGNALS,
    NEEDED,
    age_of,
    assemble_ecg,
    check_rate,
    measured,
    positive,
    sex_of,
    single_file,
)
from ecgkt.readers.lead_names import lead_name
from ecgkt.readers.xml_tree import base64_bytes, parse_xml, root_name, words

STANDARD = {"STD-12", "10-WIRE"}  # acquisition types whose leads stand in standard order
LZW_BITS = 10
CHUNK_HEADER = 8  # bytes: size (4), unknown (2), first value (2)


def is_sierra(content: bytes) -> bool:
    return root_name(content) == "restingecgdata"


def read_sierra(content: bytes) -> ECG:
    """One Sierra XML file -> ECG in mV. Raises ECGError for another encoding than the two documents know."""
    root = parse_xml(content)
    facts = root.find(".//{*}signalcharacteristics")
    waves = root.find(".//{*}parsedwaveforms")
    if facts is None or waves is None:
        raise ECGError("This Philips file holds no waveform.")
    rate = positive(words(facts, "{*}samplingrate"), "sampling rate")
    check_rate(rate)
    seconds = positive(waves.get("durationperchannel"), "duration") / 1000
    if seconds > MAX_SECONDS:
        raise ECGError(f"Philips recordings longer than {MAX_SECONDS:.0f} s are not read.")
    unsigned = words(facts, "{*}signalsigned").lower() == "false"
    if words(facts, "{*}bitspersample") != "16" or words(facts, "{*}signaloffset") != "0" or unsigned:
        raise ECGError("Only Philips leads of signed 16-bit samples without an offset are read.")
    stated = waves.get("resolution") or words(facts, "{*}signalresolution") or words(facts, "{*}resolution")
    scale = positive(stated, "amplitude scale") / 1000  # from uV
    names = _names(facts, waves)
    rows = _rows(waves, [name if name in NEEDED else "" for name in names], round(seconds * rate))
    patient = root.find(".//{*}generalpatientdata")
    return assemble_ecg(
        list(rows),
        [measured(row) * scale for row in rows.values()],
        rate,
        age_of(words(patient, "{*}age/{*}years"), "years"),
        sex_of(words(patient, "{*}sex")),
    )


def _names(facts: Element, waves: Element) -> list[str]:
    labels = (waves.get("leadlabels") or "").split()
    if not labels and words(facts, "{*}acquisitiontype") in STANDARD:
        labels = list(LEADS)
    if not labels or len(labels) > MAX_SIGNALS:
        raise ECGError("The Philips file does not name its leads.")
    names = [lead_name(label) for label in labels]
    if len({name for name in names if name}) != len([name for name in names if name]):
        raise ECGError("A lead is in the file twice.")
    return names


def _rows(waves: Element, names: list[str], samples: int) -> dict[str, np.ndarray]:
    """Lead -> [samples] int16, for the leads that have a name here."""
    if waves.get("dataencoding") != "Base64":
        raise ECGError("The Philips file's samples are in an unknown encoding.")
    data = base64_bytes(waves.text or "")
    method = waves.get("compressmethod") or waves.get("compression") or "Uncompressed"
    if method == "Uncompressed":
        if len(data) != 2 * samples * len(names):
            raise ECGError("The Philips file holds another number of samples than it states.")
        table = np.frombuffer(data, dtype="<i2").reshape(len(names), samples)
        return {name: row for name, row in zip(names, table, strict=True) if name}
    if method != "XLI":
        raise ECGError("The Philips file's samples are compressed in an unknown way.")
    rows, position = {}, 0
    for name in names:
        size = int.from_bytes(data[position : position + 4], "little")
        start = int.from_bytes(data[position + 6 : position + CHUNK_HEADER], "little", signed=True)
        chunk = data[position + CHUNK_HEADER : position + CHUNK_HEADER + size]
        if not size or len(chunk) != size:
            raise ECGError("The Philips file's samples end too early.")
        position += CHUNK_HEADER + size
        if name:
            rows[name] = _expand(chunk, start, samples)
    return rows


def _expand(chunk: bytes, start: int, samples: int) -> np.ndarray:
    from sierraecg.lzw import LzwDecoder
    from sierraecg.xli import xli_decode_deltas

    decoder = LzwDecoder(chunk, bits=LZW_BITS)
    values: list[int] = []
    # A few bytes of LZW can stand for millions: no more are taken than the file says there are.
    while len(values) <= 2 * samples and (value := decoder.read()) >= 0:
        values.append(value)
    if len(values) != 2 * samples:
        raise ECGError("The Philips file holds another number of samples than it states.")
    return xli_decode_deltas(values, start)


FORMAT = single_file("Philips Sierra XML", "one .xml file", ("xml",), is_sierra, read_sierra)
