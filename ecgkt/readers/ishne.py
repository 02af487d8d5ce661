"""ISHNE Holter files (Badilini, The ISHNE Holter Standard Output File Format, Ann. Noninvasive Electrocardiol. 1998).

A fixed header, a block of any length, then 16-bit samples of all leads in turn.
"""

from __future__ import annotations

import binascii
import struct

import numpy as np

from ecgkt.ecg import ECG, ECGError, Sex
from ecgkt.readers.format import assemble_ecg, check_rate, first_minute, single_file

MAGIC = b"ISHNE1.0"
CHECKED_FROM, FIXED = 10, 522  # bytes: magic and checksum; these and the fixed block
MAX_LEADS = 12
LEADS = {5: "I", 6: "II", 7: "III", 8: "aVR", 9: "aVL", 10: "aVF",
         11: "V1", 12: "V2", 13: "V3", 14: "V4", 15: "V5", 16: "V6"}  # fmt: skip
SEXES: dict[int, Sex] = {1: "male", 2: "female"}
FAULT = -32768  # a sample without electrode contact


def is_ishne(content: bytes) -> bool:
    return content.startswith(MAGIC)


def read_ishne(content: bytes) -> ECG:
    """One ISHNE file -> ECG in mV of its first minute, lost samples NaN.

    Raises ECGError for a damaged or truncated file and a lead that is missing. Age is not stated (only dates are).
    """
    block, samples = struct.unpack_from("<ii", content, CHECKED_FROM)
    (sex,) = struct.unpack_from("<h", content, 128)
    (count,) = struct.unpack_from("<h", content, 156)
    codes = struct.unpack_from("<12h", content, 158)
    nanovolts = struct.unpack_from("<12h", content, 206)
    (rate,) = struct.unpack_from("<h", content, 272)
    start = FIXED + block
    if block < 0 or start > len(content):
        raise ECGError("The ISHNE file is shorter than its header declares.")
    if not 1 <= count <= MAX_LEADS or any(step <= 0 for step in nanovolts[:count]):
        raise ECGError("The ISHNE file does not state its leads and their amplitude scale.")
    checksum = binascii.crc_hqx(content[CHECKED_FROM:start], 0xFFFF)
    # Both byte orders are in use; 0 is written by recorders that compute none.
    if content[8:10] not in {checksum.to_bytes(2, "little"), checksum.to_bytes(2, "big"), b"\0\0"}:
        raise ECGError("The ISHNE file does not fit its checksum: it is damaged.")
    check_rate(rate)
    held = (len(content) - start) // (2 * count)
    # The number counts samples of one lead, by some recorders of all leads.
    if samples not in (held, held * count):
        raise ECGError("The ISHNE file is not as long as its header declares.")
    table, notes = first_minute(
        np.frombuffer(content, dtype="<i2", count=held * count, offset=start).reshape(held, count).T, rate
    )
    values = np.where(table == FAULT, np.nan, table * (np.array(nanovolts[:count])[:, None] * 1e-6))
    return assemble_ecg(
        [LEADS.get(code, "") for code in codes[:count]], list(values), float(rate), None, SEXES.get(sex), notes
    )


FORMAT = single_file("ISHNE", "one .ecg file", ("ecg",), is_ishne, read_ishne)
