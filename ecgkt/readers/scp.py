"""SCP-ECG (EN 1064, ISO 11073-91064): numbered sections, the rhythm Huffman-coded differences or plain numbers.

Read are sections 0 (pointers), 1 (age and sex only), 2 (Huffman table), 3 (leads) and 6 (rhythm). Rhythm data from
which a reference beat was subtracted, or which were decimated outside the QRS (bimodal), are refused: without a real
file to hold a decoder against, a wrongly rebuilt QRS would look like a right one.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

import numpy as np

from ecgkt.ecg import ECG, ECGError, Sex
from ecgkt.readers.format import (
    LEAD_CODES,
    MAX_SECONDS,
    MAX_SIGNALS,
    age_of,
    assemble_ecg,
    check_rate,
    check_scale,
    measured,
    single_file,
)
from ecgkt.readers.scp_huffman import DEFAULT, LONGEST_PREFIX, MAX_CODES, Codes, Lookup

PREAMBLE = 6  # bytes: checksum (2), length of the record (4)
SECTION_HEADER = 16  # bytes: checksum (2), number (2), length (4), versions (2), reserved (6)
AGE, SEX, END = 4, 8, 255  # tags of section 1
AGE_UNITS = {1: "years", 2: "months", 3: "weeks", 4: "days", 5: "hours"}
SEXES: dict[int, Sex] = {1: "male", 2: "female"}
SUBTRACTED = 0x01  # flag of section 3
DEFAULT_TABLE = 19999
FILLED = 16  # bits: a lead takes whole bytes, an even number of them
MAX_SECTIONS = 1024
MAX_TAGS = 1024  # of section 1, which has some 40 and may repeat a few
READ_SECTIONS = frozenset({1, 2, 3, 6})


@dataclass(frozen=True)
class Leads:
    """names: "" for other leads than the 12; samples: how many each has, at the least and at the most.

    Section 3 counts samples from 1. Where it says 0, some recorders mean one sample fewer than first to last.
    """

    names: tuple[str, ...]
    fewest: int
    most: int


def is_scp(content: bytes) -> bool:
    """Section 0 comes first; its reserved bytes spell SCPECG (its older form leaves them empty)."""
    return content[16:22] == b"SCPECG" or (
        len(content) > PREAMBLE + SECTION_HEADER
        and content[8:10] == b"\0\0"
        and int.from_bytes(content[2:6], "little") == len(content)
        and binascii.crc_hqx(content[2:], 0xFFFF) == int.from_bytes(content[:2], "little")
    )


def read_scp(content: bytes) -> ECG:
    """One SCP-ECG file -> ECG in mV. Raises ECGError for a damaged file and for the compressions named above."""
    if int.from_bytes(content[2:PREAMBLE], "little") != len(content):
        raise ECGError("The SCP-ECG file is not as long as it states.")
    if int.from_bytes(content[:2], "little") != binascii.crc_hqx(content[2:], 0xFFFF):
        raise ECGError("The SCP-ECG file does not fit its checksum: it is damaged.")
    sections = _sections(content)
    if not sections.get(3) or not sections.get(6):
        raise ECGError("The SCP-ECG file holds no rhythm.")
    leads = _leads(sections[3])
    codes = _codes(sections[2]) if sections.get(2) else None
    rows, rate = _rhythm(sections[6], leads, codes)
    age, sex = _patient(sections.get(1, memoryview(b"")))
    return assemble_ecg(leads.names, rows, rate, age, sex)


def _sections(content: bytes) -> dict[int, memoryview]:
    """Number -> content without header, of those that are read: views of the file, since pointers may overlap."""
    size = int.from_bytes(content[PREAMBLE + 4 : PREAMBLE + 8], "little")
    found: dict[int, memoryview] = {}
    first = PREAMBLE + SECTION_HEADER
    for place in range(first, min(PREAMBLE + size, len(content), first + 10 * MAX_SECTIONS) - 9, 10):
        number, length, index = struct.unpack_from("<HII", content, place)
        if length <= SECTION_HEADER or number not in READ_SECTIONS:
            continue
        if index < 1 or index - 1 + length > len(content):
            raise ECGError("A section of the SCP-ECG file lies outside the file.")
        found[number] = memoryview(content)[index - 1 + SECTION_HEADER : index - 1 + length]
    return found


def _leads(body: memoryview) -> Leads:
    count, flags = body[0], body[1]
    if not 1 <= count <= MAX_SIGNALS:
        raise ECGError(f"The SCP-ECG file names {count} leads; 1 to {MAX_SIGNALS} are read.")
    if flags & SUBTRACTED:
        raise ECGError("SCP-ECG files from which a reference beat was subtracted are not read.")
    entries = [struct.unpack_from("<IIB", body, 2 + 9 * i) for i in range(count)]
    spans = {(start, end) for start, end, _ in entries}
    if len(spans) != 1:
        raise ECGError("The leads of the SCP-ECG file were not recorded at the same time.")
    start, end = spans.pop()
    if end <= start:
        raise ECGError("The tracing has no samples.")
    return Leads(tuple(LEAD_CODES.get(code, "") for _, _, code in entries), end - start + (start > 0), end - start + 1)


def _codes(body: memoryview) -> Codes:
    """The Huffman table: the default one, or one of the file's own."""
    (tables,) = struct.unpack_from("<H", body)
    if tables == DEFAULT_TABLE:
        return DEFAULT
    if tables != 1:
        raise ECGError("SCP-ECG files of several Huffman tables are not read.")
    (count,) = struct.unpack_from("<H", body, 2)
    if count > MAX_CODES:
        raise ECGError("The SCP-ECG file's Huffman table is malformed.")
    codes: Codes = {}
    for i in range(count):
        prefix, total, keep, value, code = struct.unpack_from("<BBBhI", body, 4 + 9 * i)
        if not keep or not 1 <= prefix <= min(total, LONGEST_PREFIX) or total > 32:
            raise ECGError("The SCP-ECG file's Huffman table is malformed.")
        # The code's first bit is the number's lowest.
        codes[format(code, "032b")[::-1][:prefix]] = (value, total - prefix)
    return codes


def _rhythm(body: memoryview, leads: Leads, codes: Codes | None) -> tuple[list[np.ndarray], float]:
    """Leads, each [samples] in mV, and their rate in Hz."""
    nanovolts, microseconds, order, bimodal = struct.unpack_from("<HHBB", body)
    if bimodal:
        raise ECGError("SCP-ECG files of bimodal compression are not read.")
    if not nanovolts or not microseconds or order > 2:
        raise ECGError("The SCP-ECG file does not state its amplitude scale, sampling rate or kind of differences.")
    check_scale(nanovolts * 1e-6)
    rate = 1e6 / microseconds
    check_rate(rate)
    if leads.most > MAX_SECONDS * rate:
        raise ECGError(f"SCP-ECG recordings longer than {MAX_SECONDS:.0f} s are not read.")
    sizes = struct.unpack_from(f"<{len(leads.names)}H", body, 6)
    position, packed = 6 + 2 * len(sizes), []
    for size in sizes:
        packed.append(body[position : position + size])
        if len(packed[-1]) != size:
            raise ECGError("The SCP-ECG file's samples end too early.")
        position += size
    rows = [np.frombuffer(data, dtype="<i2") for data in packed] if codes is None else _unpacked(packed, leads, codes)
    if any(not leads.fewest <= len(row) <= leads.most for row in rows):
        raise ECGError("A lead of the SCP-ECG file holds another number of samples than it states.")
    # Differences have no lowest value that could stand for no sample.
    return [(_integrate(row.astype(float), order) if order else measured(row)) * nanovolts * 1e-6 for row in rows], rate


def _unpacked(packed: list[memoryview], leads: Leads, codes: Codes) -> list[np.ndarray]:
    """Numbers of each lead, as many as there are: what fills the last byte may look like one more."""
    lookup = Lookup.of(codes)
    decoded = [lookup.decode(data, leads.fewest) for data in packed]
    if leads.most > leads.fewest and any(len(rest) >= FILLED or "1" in rest for _, rest in decoded):
        decoded = [lookup.decode(data, leads.most) for data in packed]
    return [values for values, _ in decoded]


def _integrate(values: np.ndarray, order: int) -> np.ndarray:
    """Samples from differences; the first `order` numbers are samples themselves."""
    if order == 2 and len(values) > 1:
        values = values.copy()
        values[1] -= values[0]
        values[1:] = np.cumsum(values[1:])
    return np.cumsum(values) if order else values


def _patient(body: memoryview) -> tuple[float | None, Sex | None]:
    """Age and sex. Other tags (names, identifiers, dates) are passed over unread."""
    age, sex, position = None, None, 0
    for _ in range(MAX_TAGS):
        if position + 3 > len(body) or body[position] == END:
            break
        tag, size = struct.unpack_from("<BH", body, position)
        value = body[position + 3 : position + 3 + size]
        if tag == AGE and len(value) == 3 and any(value):
            age = age_of(str(int.from_bytes(value[:2], "little")), AGE_UNITS.get(value[2], ""))
        elif tag == SEX and len(value) == 1:
            sex = SEXES.get(value[0])
        position += 3 + size
    return age, sex


FORMAT = single_file("SCP-ECG", "one .scp file", ("scp",), is_scp, read_scp)
