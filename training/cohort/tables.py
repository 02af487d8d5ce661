"""MIMIC's tables where they lie: `.csv.gz`, `.csv` or `.parquet`, found by name and read by DuckDB column by column."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from training.cohort.config import Config

SUFFIXES = (".parquet", ".csv.gz", ".csv")
DEPTH = 3  # folders below the source in which a table may lie
RECORDS = ("files",)  # where MIMIC-IV-ECG keeps the tracings


def _folders(source: Path) -> Iterator[Path]:
    """`source` and the folders at most three below it, nearest first; not the 160,000 that hold the records."""
    level = [source]
    for _ in range(DEPTH + 1):
        yield from level
        below = [entry for folder in level for entry in sorted(folder.iterdir()) if entry.is_dir()]
        level = [folder for folder in below if folder.name not in RECORDS and not folder.name.startswith(".")]


def find_table(source: Path, name: str, folder: str = "") -> Path | None:
    """The file of a table at most three folders below `source`; `folder` names the folder it must lie in ("hosp")."""
    for place in _folders(source):
        if folder and place.name != folder:
            continue
        for suffix in SUFFIXES:
            if (file := place / (name + suffix)).is_file():
                return file
    return None


def connect(config: Config, spill: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database that spills to `spill` beyond the configured memory."""
    con = duckdb.connect()
    con.execute(f"SET memory_limit = '{config['duckdb']['memory_limit']}'")
    con.execute(f"SET threads = {int(config['duckdb']['threads'])}")
    con.execute(f"SET temp_directory = '{_quoted(spill)}'")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET enable_progress_bar = false")
    return con


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def add_view(
    con: duckdb.DuckDBPyConnection,
    source: Path,
    name: str,
    columns: dict[str, str],
    folder: str = "",
    optional: Sequence[str] = (),
) -> bool:
    """Make the view `name` with the typed `columns` (name -> SQL type); values of another type become NULL.

    Returns False when the table is not there. Columns in `optional` that the file lacks are NULL.
    Raises ValueError naming the file and the column when another one is missing.
    """
    file = find_table(source, name, folder)
    if file is None:
        return False
    path = _quoted(file)
    # Read as text and cast: a typing error in one of 158 million rows must not end the run.
    reader = (
        f"read_parquet('{path}')" if file.suffix == ".parquet" else f"read_csv('{path}', header=true, all_varchar=true)"
    )
    present = {row[0].lower() for row in con.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()}
    missing = [column for column in columns if column not in present and column not in optional]
    if missing:
        raise ValueError(f"{file.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.")
    chosen = ", ".join(
        f"TRY_CAST({column if column in present else 'NULL'} AS {kind}) AS {column}" for column, kind in columns.items()
    )
    con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {chosen} FROM {reader}")
    return True


HOSP = {
    "patients": {"subject_id": "BIGINT", "gender": "VARCHAR", "anchor_age": "DOUBLE", "anchor_year": "BIGINT"},
    "admissions": {
        "subject_id": "BIGINT",
        "hadm_id": "BIGINT",
        "admittime": "TIMESTAMP",
        "dischtime": "TIMESTAMP",
    },
    "d_labitems": {"itemid": "BIGINT", "label": "VARCHAR", "fluid": "VARCHAR"},
    "labevents": {
        "labevent_id": "BIGINT",
        "subject_id": "BIGINT",
        "itemid": "BIGINT",
        "charttime": "TIMESTAMP",
        "valuenum": "DOUBLE",
        "ref_range_lower": "DOUBLE",
        "ref_range_upper": "DOUBLE",
    },
    "diagnoses_icd": {"hadm_id": "BIGINT", "icd_code": "VARCHAR", "icd_version": "BIGINT"},
    "omr": {
        "subject_id": "BIGINT",
        "chartdate": "TIMESTAMP",
        "seq_num": "BIGINT",
        "result_name": "VARCHAR",
        "result_value": "VARCHAR",
    },
}
_VITALS = {v: "DOUBLE" for v in ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp")}
ED = {
    "edstays": {
        "subject_id": "BIGINT",
        "hadm_id": "BIGINT",
        "stay_id": "BIGINT",
        "intime": "TIMESTAMP",
        "outtime": "TIMESTAMP",
    },
    "triage": {"stay_id": "BIGINT", **_VITALS},
    "vitalsign": {"subject_id": "BIGINT", "charttime": "TIMESTAMP", **_VITALS},
    "diagnosis": {"stay_id": "BIGINT", "icd_code": "VARCHAR", "icd_version": "BIGINT"},
}
REPORTS = tuple(f"report_{i}" for i in range(18))
ECG = {
    "record_list": {"subject_id": "BIGINT", "study_id": "BIGINT", "ecg_time": "TIMESTAMP", "path": "VARCHAR"},
    "machine_measurements": {"study_id": "BIGINT", **dict.fromkeys(REPORTS, "VARCHAR")},
}
NEEDED = ("record_list", "patients", "admissions", "d_labitems", "labevents", "diagnoses_icd")


def add_views(con: duckdb.DuckDBPyConnection, source: Path) -> list[str]:
    """Views of all tables; empty ones for those a source may lack (omr, the ED, the machine's reports).

    Returns the names of the absent ones. Raises FileNotFoundError when a needed table is missing.
    """
    absent = []
    where = itertools.chain(
        (("hosp", *item) for item in HOSP.items()),
        (("ed", *item) for item in ED.items()),
        (("", *i) for i in ECG.items()),
    )
    for folder, name, columns in where:
        optional = REPORTS if name == "machine_measurements" else ()
        if not add_view(con, source, name, columns, folder, optional):
            absent.append(name)
            nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in columns.items())
            con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {nothing} WHERE false")
    lost = [name for name in absent if name in NEEDED]
    if lost:
        raise FileNotFoundError(
            f"No table {', '.join(lost)} at most {DEPTH} folders below the source (as .csv.gz, .csv or .parquet)."
        )
    return absent
