"""Philips Sierra XML (documents 1.03 and 1.04), whose leads are compressed by Philips' XLI.

What XLI is, is known from the open library sierraecg: a lead is a start and second differences, high bytes before low
ones, packed by LZW in codes of 10 bits. It is done here, since few bytes of LZW can stand for millions.

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
    check_scale,
    measured,
    positive,
    sex_of,
    single_file,
)
from ecgkt.readers.lead_names import lead_name
from ecgkt.readers.xml_tree import base64_bytes, parse_xml, root_name, words

STANDARD = {"STD-12", "10-WIRE"}  # acquisition types whose leads stand in standard order
LZW_BITS = 10
MOST_STRINGS = 1023  # the code behind them ends a lead
DELTA_OFFSET = 64
MOST_INT16 = 32767
CHUNK_HEADER = 8  # bytes: size (4), unknown (2), first value (2)


def is_sierra(content: bytes) -> bool:
    return root_name(content) == "restingecgdata"


def read_sierra(content: bytes) -> ECG:
    """One Sierra XML file -> ECG in mV. Raises ECGError for another encoding than the two documents know."""
    root = parse_xml(content)
    facts = root.find(".//signalcharacteristics")
    waves = root.find(".//parsedwaveforms")
    if facts is None or waves is None:
        raise ECGError("This Philips file holds no waveform.")
    rate = positive(words(facts, "samplingrate"), "sampling rate")
    check_rate(rate)
    seconds = positive(waves.get("durationperchannel"), "duration") / 1000
    if seconds > MAX_SECONDS:
        raise ECGError(f"Philips recordings longer than {MAX_SECONDS:.0f} s are not read.")
    unsigned = words(facts, "signalsigned").lower() == "false"
    if words(facts, "bitspersample") != "16" or words(facts, "signaloffset") != "0" or unsigned:
        raise ECGError("Only Philips leads of signed 16-bit samples without an offset are read.")
    stated = waves.get("resolution") or words(facts, "signalresolution") or words(facts, "resolution")
    scale = positive(stated, "amplitude scale") / 1000  # from uV
    check_scale(scale)
    names = _names(facts, waves)
    rows = _rows(waves, [name if name in NEEDED else "" for name in names], round(seconds * rate))
    patient = root.find(".//generalpatientdata")
    return assemble_ecg(
        list(rows),
        [measured(row) * scale for row in rows.values()],
        rate,
        age_of(words(patient, "age/years"), "years"),
        sex_of(words(patient, "sex")),
    )


def _names(facts: Element, waves: Element) -> list[str]:
    labels = (waves.get("leadlabels") or "").split(maxsplit=MAX_SIGNALS)
    if not labels and words(facts, "acquisitiontype") in STANDARD:
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
    """[samples] int16 from one lead's compressed bytes and its first value."""
    data = np.frombuffer(_lzw(chunk, 2 * samples), dtype=np.uint8)
    if len(data) != 2 * samples:
        raise ECGError("The Philips file holds another number of samples than it states.")
    deltas = (data[:samples].view(np.int8).astype(np.int64) << 8) | data[samples:]
    if samples < 3:
        return deltas.astype(np.int16)
    # value[i] = 2 value[i-1] - value[i-2] - last[i], where last[i] is the difference before, less 64.
    last = np.concatenate(([start], deltas[2:-1] - DELTA_OFFSET))
    steps = np.cumsum(np.concatenate((deltas[1:2] - deltas[:1], -last)))
    values = deltas[0] + np.concatenate(([0], np.cumsum(steps)))
    if np.abs(values).max() > MOST_INT16:
        raise ECGError("The samples of a lead in the Philips file run out of 16 bits.")
    return values.astype(np.int16)


def _lzw(chunk: bytes, most: int) -> bytes:
    """What the codes of a lead stand for: as soon as it is more than `most` bytes, no more is unpacked."""
    needed = LZW_BITS * (most + 2) // 8  # bytes: each code stands for one byte at least
    bits = np.unpackbits(np.frombuffer(chunk[:needed], dtype=np.uint8))
    whole = len(bits) // LZW_BITS
    weights = 1 << np.arange(LZW_BITS - 1, -1, -1)
    codes: list[int] = (bits[: whole * LZW_BITS].reshape(whole, LZW_BITS) @ weights).tolist()
    strings = [bytes([byte]) for byte in range(256)]
    parts: list[bytes] = []
    previous, size = b"", 0
    for code in codes:
        if code >= MOST_STRINGS or size > most:
            break
        if code > len(strings) or (code == len(strings) and not previous):
            raise ECGError("The Philips file's samples are not packed as they should be.")
        data = strings[code] if code < len(strings) else previous + previous[:1]
        if previous and len(strings) < MOST_STRINGS:
            strings.append(previous + data[:1])
        parts.append(data)
        size += len(data)
        previous = data
    return b"".join(parts)


FORMAT = single_file("Philips Sierra XML", "one .xml file", ("xml",), is_sierra, read_sierra)
