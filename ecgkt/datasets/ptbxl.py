"""PTB-XL's table ptbxl_database.csv, read line by line: the one place that knows its columns and their quirks.

Wagner et al. 2020 (doi 10.1038/s41597-020-0495-6) and the description on PhysioNet.
"""

from __future__ import annotations

import ast
import csv
import math
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import TextIOWrapper
from pathlib import Path

from ecgkt.ecg import ECGError, Sex
from ecgkt.readers.opening import open_file

DATABASE = "ptbxl_database.csv"
LARGEST = 64 * 2**20  # bytes; the table has 7 MB
LONGEST_LINE = 2**16  # characters
LONGEST_STATEMENTS = 4096  # characters
OLDEST = 90.0  # years; ages above 89 are hidden as 300, and stand here as this
SEX: dict[str, Sex] = {"0": "male", "1": "female"}


@dataclass(frozen=True)
class Recording:
    """One line of the table. ecg_id, patient: digits, "" where unknown. age: years, `OLDEST` for 90 and more. height:
    cm, weight: kg, as they were typed. statements: SCP-ECG codes whatever their likelihood, since rhythm and form
    statements carry 0; None where the cell cannot be read. fold: 1 to 10. low, high: paths of the tracing at 100 and
    at 500 Hz below the table's folder, without extension, "" where there is none.
    """

    ecg_id: str
    patient: str
    age: float | None
    sex: Sex | None
    height: float | None
    weight: float | None
    time: datetime | None
    statements: tuple[str, ...] | None
    fold: int | None
    low: str
    high: str


def recordings(
    database: Path,
    needed: Collection[str],
    unreadable: Callable[[], None] | None = None,
    within: Path | None = None,
) -> Iterator[Recording]:
    """The lines of the table, in its order. within: see `open_file`. Raises ECGError where a column of `needed` is
    missing, or both of those that name the tracings; and at a line that cannot be read, unless `unreadable` is called
    for it."""
    with TextIOWrapper(open_file(database, within), encoding="utf-8", errors="replace", newline="") as file:
        if os.fstat(file.fileno()).st_size > LARGEST:
            raise ECGError(f"{DATABASE} is larger than {LARGEST // 2**20} MB.")
        table = csv.DictReader(iter(partial(file.readline, LONGEST_LINE), ""))
        present = set(table.fieldnames or ())
        missing = [column for column in needed if column not in present]
        if not present & {"filename_lr", "filename_hr"}:
            missing.append("filename_lr")
        if missing:
            raise ECGError(f"{DATABASE} lacks the column {', '.join(missing)}.")
        while True:
            try:
                row = next(table)
            except StopIteration:
                return
            except csv.Error:
                if unreadable is None:
                    raise ECGError(f"A line of {DATABASE} cannot be read.") from None
                unreadable()
                continue
            yield _recording({key: value or "" for key, value in row.items() if key})


def _recording(row: dict[str, str]) -> Recording:
    age, fold = _number(row, "age"), _number(row, "strat_fold")
    return Recording(
        ecg_id=_digits(row, "ecg_id"),
        patient=_digits(row, "patient_id"),
        age=None if age is None or age < 0 else OLDEST if age >= OLDEST else age,
        sex=SEX.get(_digits(row, "sex")),
        height=_number(row, "height"),
        weight=_number(row, "weight"),
        time=_time(row.get("recording_date", "")),
        statements=_statements(row.get("scp_codes", "")),
        fold=None if fold is None else int(fold),
        low=row.get("filename_lr", ""),
        high=row.get("filename_hr", ""),
    )


def _number(row: dict[str, str], column: str) -> float | None:
    try:
        value = float(row.get(column, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _digits(row: dict[str, str], column: str) -> str:
    """A whole number without the ".0" that it has where the column has gaps."""
    return row.get(column, "").strip().removesuffix(".0")


def _time(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=None)  # the table's times have no zone
    except ValueError:
        return None


def _statements(cell: str) -> tuple[str, ...] | None:
    """The keys of a cell such as "{'NORM': 100.0, 'SR': 0.0}"."""
    if len(cell) > LONGEST_STATEMENTS:
        return None
    try:
        codes = ast.literal_eval(cell)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(str(code) for code in codes) if isinstance(codes, dict) else None
