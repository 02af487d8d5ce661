"""Bare tables of numbers as NumPy's .npy, which say neither rate nor unit nor leads; and what CSV has in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import (
    HOW_TO_SAY,
    MAX_SIGNALS,
    TableLayout,
    assemble_ecg,
    check_rate,
    check_scale,
    first_minute,
    measured,
    single_file,
)
from ecgkt.readers.lead_names import lead_name

NPY_MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 1024  # bytes; NumPy writes some 120
# The header is a Python literal ("numpy.lib.format"). Three of its entries are looked for: Python's own parser runs out
# of memory at a few thousand signs, and warns in words that quote the file.
_KIND = re.compile(rb"'descr'\s{0,4}+:\s{0,4}+'([<>|=][iu][1248]|[<>=]f[248])'")
_ORDER = re.compile(rb"'fortran_order'\s{0,4}+:\s{0,4}+(True|False)")
_SHAPE = re.compile(
    rb"'shape'\s{0,4}+:\s{0,4}+\(\s{0,4}+(\d{1,9}+)L?+\s{0,4}+,\s{0,4}+(\d{1,9}+)L?+\s{0,4}+,?+\s{0,4}+\)"
)


def is_npy(content: bytes) -> bool:
    return content.startswith(NPY_MAGIC)


def refuse(content: bytes) -> ECG:
    """What reading without a layout says. Raises ECGError, always."""
    raise ECGError(f"This table of numbers does not say its sampling rate and unit. {HOW_TO_SAY}")


def read_npy(content: bytes, layout: TableLayout) -> ECG:
    """A .npy file of two dimensions, leads along either -> ECG in mV, no pickle. Raises ECGError."""
    sizes = {b"\1\0": 2, b"\2\0": 4}  # bytes that say how long the header is, by version
    place = len(NPY_MAGIC) + 2
    size = sizes.get(content[len(NPY_MAGIC) : place])
    if size is None:
        raise ECGError("This version of .npy files is not read.")
    start = place + size + int.from_bytes(content[place : place + size], "little")
    header = content[place + size : min(start, place + size + LONGEST_HEADER)]
    kind, order, shape = _KIND.search(header), _ORDER.search(header), _SHAPE.search(header)
    if kind is None:
        raise ECGError("The .npy file holds something else than real numbers.")
    number = np.dtype(kind[1].decode())
    rows, columns = (int(shape[1]), int(shape[2])) if shape else (0, 0)
    if order is None or start + rows * columns * number.itemsize != len(content):
        raise ECGError("The .npy file is no table of leads and samples, or is not as long as it states.")
    values = np.frombuffer(content, number, offset=start)
    table = values.reshape(rows, columns, order="F" if order[1] == b"True" else "C")
    count = len(layout.leads)
    if (rows == count) == (columns == count):
        raise ECGError(f"The .npy file must have {count} rows or {count} columns, one for each lead named.")
    return ecg_of_table(table if rows == count else table.T, layout.leads, layout)


def ecg_of_table(table: np.ndarray, leads: tuple[str, ...], layout: TableLayout, notes: Sequence[str] = ()) -> ECG:
    """A table [columns, samples] in the layout's unit, its columns by lead -> ECG in mV."""
    if not (np.isfinite(layout.units_per_mv) and layout.units_per_mv > 0):
        raise ECGError("The unit must be a number above 0 of units in 1 mV.")
    names = [lead_name(word) for word in leads]
    kept = [i for i, name in enumerate(names) if name]
    if len(kept) > MAX_SIGNALS:
        raise ECGError("More leads are named than an ECG has.")
    check_rate(layout.rate)
    check_scale(1 / layout.units_per_mv)
    table, cut = first_minute(table, layout.rate)
    rows = [measured(table[i]) / layout.units_per_mv for i in kept]
    return assemble_ecg([names[i] for i in kept], rows, layout.rate, None, None, [*notes, *cut])


NPY = single_file("NumPy", "one .npy file", ("npy",), is_npy, refuse, read_npy)
