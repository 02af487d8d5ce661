"""MIMIC-IV-ECG's records in the order of patients and time, with what MIMIC-IV's tables say of each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from ecgkt import vocabulary
from ecgkt.datasets.files import LeftOut, quiet
from ecgkt.datasets.mimic import clinical
from ecgkt.datasets.mimic.reports import statements
from ecgkt.datasets.mimic.stays import AGE, CODES, PATIENT, stay_at
from ecgkt.datasets.mimic.tables import REPORTS, add_views, connect, is_simulated, lines_left_out
from ecgkt.datasets.table_files import Held
from ecgkt.ecg import ECGError

if TYPE_CHECKING:
    import duckdb

LARGEST_LABEVENTS = 200 * 2**20  # bytes; the full table (2.5 GB) takes minutes to scan, too long for opening a page
MEMORY, SECONDS = "1GB", 60.0  # that opening a folder may take
EVERY = 1.0  # s between two looks at the clock
OLDEST = 130


@dataclass(frozen=True)
class MimicRecord:
    """One ECG: its file, which patient of the list and which of the patient's ECGs, and what the tables say of it.

    hours: since the patient's first ECG of the list; None where the list has no time for one of the two.
    """

    path: Path
    simulated: bool
    patient: int
    ecg: int
    hours: float | None
    findings: tuple[str, ...]
    diagnoses: tuple[str, ...]
    clinical: dict[str, float]


def mimic_records(root: Path, record_list: Path, most: int, left_out: LeftOut | None = None) -> list[MimicRecord]:
    """The first `most` ECGs, by patient and time; lines of the tables that cannot be read are counted in `left_out`.

    Raises ECGError naming the column that a table lacks.
    """
    base = record_list.parent
    simulated = is_simulated(root, record_list)
    with Held(root.resolve()) as held, _bounded() as con:
        absent = add_views(con, root, largest={"labevents": LARGEST_LABEVENTS}, lenient=True, held=held)
        con.execute(
            "CREATE TABLE listed AS SELECT row_number() OVER (ORDER BY subject_id, ecg_time, study_id) AS row, * "
            "FROM record_list WHERE path IS NOT NULL ORDER BY row LIMIT ?",
            [most],
        )
        con.execute(f"CREATE TABLE ecg AS SELECT * FROM listed LEFT JOIN ({stay_at('listed')}) USING (study_id)")
        values = _clinical(con, absent)
        findings = _findings(con)
        diagnoses = _diagnoses(con)
        rows = con.execute(
            "SELECT row, path, dense_rank() OVER (ORDER BY subject_id), "
            "row_number() OVER (PARTITION BY subject_id ORDER BY row), "
            "epoch(ecg_time - min(ecg_time) OVER (PARTITION BY subject_id)) / 3600 FROM ecg ORDER BY row"
        ).fetchall()
        if left_out is not None:
            left_out.lines += lines_left_out(con)
    records = []
    for row, path, patient, ecg, hours in rows:
        file = base / f"{path}.hea"
        if not quiet(lambda file=file: file.is_file() and file.resolve().is_relative_to(base.resolve())):  # type: ignore[misc]
            continue  # a folder may hold a part of the records that its list names
        records.append(MimicRecord(file, simulated, patient, ecg, hours, findings[row], diagnoses[row], values[row]))
    return records


@contextmanager
def _bounded() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that writes nothing to disk and is ended when it takes too long: a file of some kilobytes can hold
    billions of rows. Raises ECGError for it."""
    import duckdb

    with connect(MEMORY) as con:
        con.execute("SET temp_directory = ''")
        done, until = Event(), time.monotonic() + SECONDS

        def watch() -> None:
            while not done.wait(EVERY):
                if time.monotonic() > until:
                    con.interrupt()

        Thread(target=watch, daemon=True).start()
        try:
            yield con
        except duckdb.Error:  # its message may quote the data
            raise ECGError("The tables of this folder are damaged, or larger than can be opened here.") from None
        finally:
            done.set()


def _clinical(con: duckdb.DuckDBPyConnection, absent: list[str]) -> dict[int, dict[str, float]]:
    """Row -> "lab:potassium", "vital:sbp", "biometric:age" ... -> value; what was not measured is absent."""
    values: dict[int, dict[str, float]] = defaultdict(dict)
    patients = con.execute(f"SELECT row, {AGE}, upper(gender) FROM ecg JOIN ({PATIENT}) USING (subject_id)").fetchall()
    for row, age, gender in patients:
        if age is not None and 0 <= age <= OLDEST:
            values[row]["biometric:age"] = float(age)
        if gender in ("F", "M"):
            values[row]["biometric:sex"] = float(gender == "M")
    own = {code: lab.itemid for code, lab in vocabulary.labs().items()}
    if "labevents" not in absent:
        clinical.add_nearest_labs(con, own if "d_labitems" in absent else clinical.lab_items(con))
        _add(con, values, "lab")
    clinical.add_nearest_vitals(con)
    _add(con, values, "vital")
    clinical.add_nearest_biometrics(con)
    _add(con, values, "biometric")
    return values


def _add(con: duckdb.DuckDBPyConnection, values: dict[int, dict[str, float]], kind: str) -> None:
    for row, item, value in con.execute(f"SELECT row, item, value FROM nearest_{kind}").fetchall():
        values[row][f"{kind}:{item}"] = float(value)


def _findings(con: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    query = f"SELECT row, {', '.join(REPORTS)} FROM ecg JOIN machine_measurements USING (study_id)"
    for row, *lines in con.execute(query).fetchall():
        found[row] = statements(line for line in lines if line)
    return found


def _diagnoses(con: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, ...]]:
    """ICD-10-CM codes of the stay, cut at 5 characters, with ancestors.

    ICD-9 codes are left out here: they only serve to filter the list, and the mapping belongs to training.
    """
    found: dict[int, set[str]] = defaultdict(set)
    for row, code in con.execute(f"SELECT row, code FROM ({CODES}) WHERE version = 10").fetchall():
        found[row] |= {code[:length] for length in range(3, min(5, len(code)) + 1)}
    return defaultdict(tuple, {row: tuple(sorted(codes)) for row, codes in found.items()})
