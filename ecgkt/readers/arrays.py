"""Bare tables of numbers: CSV and NumPy's .npy. They say neither rate nor unit, and a .npy not even its leads."""

from __future__ import annotations

import re
from io import BytesIO, StringIO

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers.format import MAX_RATE, MAX_SECONDS, MAX_SIGNALS, TableLayout, assemble_ecg, lead_name, single_file

NPY_MAGIC = b"\x93NUMPY"
SNIFFED = 64 * 1024  # bytes
FEWEST_LEADS = 8  # I, II, V1-V6
MAX_ROWS = int(MAX_SECONDS * MAX_RATE)
_NUMBER = re.compile(r"^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?$|^nan$", re.IGNORECASE)


def is_npy(content: bytes) -> bool:
    return content.startswith(NPY_MAGIC)


def is_csv(content: bytes) -> bool:
    """Do the first lines (a heading allowed) hold as many numbers each as an ECG has leads?"""
    lines = _lines(content[:SNIFFED])[:-1] if len(content) > SNIFFED else _lines(content)
    if len(lines) < 3:
        return False
    mark = _separator(lines[1])
    return all(_is_numbers(_split(line, mark)) for line in lines[1:3])


def refuse(content: bytes) -> ECG:
    """What reading without a layout says. Raises ECGError, always."""
    raise ECGError("This table of numbers does not say its sampling rate and unit; give them with it.")


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
    return _ecg(table if shape[0] == count else table.T, layout.leads, layout)


def read_csv(content: bytes, layout: TableLayout) -> ECG:
    """A CSV file, a line a sample, a column a lead -> ECG in mV.

    Columns are parted by comma, semicolon (then a comma may be the decimal sign), tab or spaces. A heading that names
    leads goes before `layout.leads`. Raises ECGError for lines of unequal length and for what is not a number.
    """
    import pandas as pd

    lines = _lines(content)
    if len(lines) > MAX_ROWS + 1:
        raise ECGError(f"The table has more than {MAX_ROWS} lines.")
    mark = _separator(lines[1])
    heading = [] if _is_numbers(_split(lines[0], mark)) else _split(lines[0], mark)
    rows = [_split(line, mark) for line in (lines[1:] if heading else lines)]
    columns = {len(row) for row in rows} | ({len(heading)} if heading else set())
    if len(columns) != 1 or columns.pop() > 4 * MAX_SIGNALS:
        raise ECGError("The lines of the table are not equally long.")
    joined = "\n".join(";".join(row) for row in rows).replace(",", ".")
    try:
        table = pd.read_csv(StringIO(joined), sep=";", header=None, dtype=np.float64).to_numpy().T
    except ValueError:
        raise ECGError("The table holds what is not a number.") from None
    named = [lead_name(word.strip("\"'")) for word in heading]
    leads = tuple(named) if len([name for name in named if name]) >= FEWEST_LEADS else layout.leads
    if len(leads) != len(table):
        raise ECGError(f"The table has {len(table)} columns, but {len(leads)} leads are named.")
    return _ecg(table, leads, layout)


def _ecg(table: np.ndarray, leads: tuple[str, ...], layout: TableLayout) -> ECG:
    if not (np.isfinite(layout.units_per_mv) and layout.units_per_mv > 0):
        raise ECGError("The unit must be a number above 0 of units in 1 mV.")
    names = [lead_name(word) for word in leads]
    kept = [i for i, name in enumerate(names) if name]
    if len(kept) > MAX_SIGNALS:
        raise ECGError("More leads are named than an ECG has.")
    rows = [table[i].astype(np.float64) / layout.units_per_mv for i in kept]
    return assemble_ecg([names[i] for i in kept], rows, layout.rate, None, None)


def _lines(content: bytes) -> list[str]:
    """Lines that are neither empty nor comments; none where the content is no text."""
    if b"\0" in content:
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    stripped = (line.strip() for line in re.split(r"\r\n|\n|\r", text))
    return [line for line in stripped if line and not line.startswith("#")]


def _separator(line: str) -> str | None:
    """Of semicolon, tab and comma the first that parts enough columns; None stands for any white space."""
    return next((mark for mark in (";", "\t", ",") if line.count(mark) >= FEWEST_LEADS - 1), None)


def _split(line: str, mark: str | None) -> list[str]:
    return [word.strip() for word in line.split(mark)]


def _is_numbers(words: list[str]) -> bool:
    return len(words) >= FEWEST_LEADS and all(_NUMBER.match(word) for word in words)


NPY = single_file("NumPy", "one .npy file", ("npy",), is_npy, refuse, read_npy)
CSV = single_file("CSV", "one .csv or .txt file", ("csv", "txt"), is_csv, refuse, read_csv)
