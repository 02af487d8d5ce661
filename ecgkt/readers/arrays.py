"""Bare tables of numbers as NumPy's .npy, which say neither rate nor unit nor leads; and what CSV has in common."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

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


def is_npy(content: bytes) -> bool:
    return content.startswith(NPY_MAGIC)


def refuse(content: bytes) -> ECG:
    """What reading without a layout says. Raises ECGError, always."""
    raise ECGError(f"This table of numbers does not say its sampling rate and unit. {HOW_TO_SAY}")


def read_npy(content: bytes, layout: TableLayout) -> ECG:
    """A .npy file of two dimensions, leads along either -> ECG in mV, no pickle. Raises ECGError."""
    stream = BytesIO(content)
    version = np.lib.format.read_magic(stream)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if header is None:
        raise ECGError("This version of .npy files is not read.")
    shape, by_column, kind = header(stream)
    if kind.kind not in "fiu" or kind.itemsize > 8:
        raise ECGError("The .npy file holds something else than real numbers.")
    if len(shape) != 2 or stream.tell() + shape[0] * shape[1] * kind.itemsize != len(content):
        raise ECGError("The .npy file is no table of leads and samples, or is not as long as it states.")
    table = np.frombuffer(content, dtype=kind, offset=stream.tell()).reshape(shape, order="F" if by_column else "C")
    count = len(layout.leads)
    if (shape[0] == count) == (shape[1] == count):
        raise ECGError(f"The .npy file must have {count} rows or {count} columns, one for each lead named.")
    return ecg_of_table(table if shape[0] == count else table.T, layout.leads, layout)


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
