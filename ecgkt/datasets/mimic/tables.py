"""MIMIC's tables where they lie: `.csv.gz`, `.csv` or `.parquet`, found by name and read by DuckDB column by column."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgkt.datasets import table_files
from ecgkt.datasets.files import quiet
from ecgkt.ecg import ECGError

if TYPE_CHECKING:
    import duckdb  # a tenth of a second, so imported only where a table is opened

SIMULATED = "SIMULATED.md"  # stands at the top of every simulated cohort
SUFFIXES = (".parquet", ".csv.gz", ".csv")
PLAIN = """, delim=',', quote='"', escape='"'"""  # DuckDB would try others on a packed line without end, for minutes
MOST_REJECTS = 1000  # lines kept in mind
DEPTH = 3  # folders below the source in which a table may lie
RECORDS = "files"  # where MIMIC-IV-ECG keeps the tracings, beside record_list
VITALS = ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp")
REPORTS = tuple(f"report_{i}" for i in range(18))


@dataclass(frozen=True)
class Table:
    """What is read of a table. folder: the folder it must lie in ("" for any); columns: name -> SQL type.

    Columns in `optional` are NULL where the file lacks them.
    """

    folder: str
    columns: dict[str, str]
    optional: tuple[str, ...] = ()


_VITAL_COLUMNS = dict.fromkeys(VITALS, "DOUBLE")
_RANGE = {"ref_range_lower": "DOUBLE", "ref_range_upper": "DOUBLE"}
TABLES = {
    "patients": Table(
        "hosp", {"subject_id": "BIGINT", "gender": "VARCHAR", "anchor_age": "DOUBLE", "anchor_year": "BIGINT"}
    ),
    "admissions": Table(
        "hosp", {"subject_id": "BIGINT", "hadm_id": "BIGINT", "admittime": "TIMESTAMP", "dischtime": "TIMESTAMP"}
    ),
    "d_labitems": Table("hosp", {"itemid": "BIGINT", "label": "VARCHAR", "fluid": "VARCHAR"}),
    "labevents": Table(
        "hosp",
        {
            "labevent_id": "BIGINT",
            "subject_id": "BIGINT",
            "itemid": "BIGINT",
            "charttime": "TIMESTAMP",
            "valuenum": "DOUBLE",
            "valueuom": "VARCHAR",
            **_RANGE,
        },
        ("valueuom", *_RANGE),
    ),
    "diagnoses_icd": Table("hosp", {"hadm_id": "BIGINT", "icd_code": "VARCHAR", "icd_version": "BIGINT"}),
    "omr": Table(
        "hosp",
        {
            "subject_id": "BIGINT",
            "chartdate": "TIMESTAMP",
            "seq_num": "BIGINT",
            "result_name": "VARCHAR",
            "result_value": "VARCHAR",
        },
    ),
    "edstays": Table(
        "ed",
        {
            "subject_id": "BIGINT",
            "hadm_id": "BIGINT",
            "stay_id": "BIGINT",
            "intime": "TIMESTAMP",
            "outtime": "TIMESTAMP",
        },
    ),
    "triage": Table("ed", {"stay_id": "BIGINT", **_VITAL_COLUMNS}),
    "vitalsign": Table("ed", {"subject_id": "BIGINT", "charttime": "TIMESTAMP", **_VITAL_COLUMNS}),
    "diagnosis": Table("ed", {"stay_id": "BIGINT", "icd_code": "VARCHAR", "icd_version": "BIGINT"}),
    "record_list": Table(
        "", {"subject_id": "BIGINT", "study_id": "BIGINT", "ecg_time": "TIMESTAMP", "path": "VARCHAR"}
    ),
    "machine_measurements": Table("", {"study_id": "BIGINT", **dict.fromkeys(REPORTS, "VARCHAR")}, REPORTS),
}


def folders(source: Path) -> Iterator[Path]:
    """`source` and the folders at most three below it, nearest first, each level sorted.

    Hidden folders and the 160,000 that hold MIMIC-IV-ECG's records (`files`, beside record_list) are left out;
    PhysioNet's own folder `files`, which holds whole data sets, is not. A folder is looked into once for each name that
    leads to it: links to the folders above would else double them at every level.
    """
    level, seen = [source], {(source.name, source.resolve())}
    for depth in range(DEPTH + 1):
        yield from level
        if depth < DEPTH:
            below = {(place.name, place.resolve()): place for folder in level for place in _below(folder)}
            level = [place for known, place in below.items() if known not in seen]
            seen |= below.keys()


def _below(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError):
        raise  # the source itself, which is named wrongly
    except OSError:
        return []
    records = any(entry.name == f"record_list{suffix}" for entry in found for suffix in SUFFIXES)
    names = [entry.name for entry in found if not entry.name.startswith(".") and quiet(entry.is_dir)]
    return [folder / name for name in sorted(names) if not (records and name == RECORDS)]


def find_table(source: Path, name: str, folder: str = "") -> Path | None:
    """The file of a table at most three folders below `source`; `folder` names the folder it must lie in ("hosp")."""
    for place in folders(source):
        if folder and place.name != folder:
            continue
        for suffix in SUFFIXES:
            if quiet((file := place / (name + suffix)).is_file):
                return file
    return None


def connect(memory_limit: str = "", threads: int = 0, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory database; it spills to the folder `spill` beyond `memory_limit` ("4GB"). Empty: DuckDB's default."""
    import duckdb

    con = duckdb.connect()
    if memory_limit:
        con.execute(f"SET memory_limit = '{memory_limit}'")
    if threads:
        con.execute(f"SET threads = {threads}")
    if spill is not None:
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
    largest: int | None = None,
    file: Path | None = None,
    *,
    lenient: bool = False,
    held: table_files.Held | None = None,
) -> bool:
    """Make the view `name` of `TABLES[name]`, from `file` where it is given; values of another type become NULL.

    lenient: lines of a CSV that are not as the others are passed over, and counted (`lines_left_out`). held: keeps the
    file open for as long as the view is used.
    Returns False when the table is not there or its file has more than `largest` bytes. Raises ECGError naming the
    table, the column and the file when the file lacks a column or cannot be read at all.
    """
    import duckdb

    table = TABLES[name]
    file = file or find_table(source, name, table.folder)
    if file is None:
        return False
    try:
        place, size = held.hold(file) if held else (file, file.stat().st_size)
    except OSError:
        raise ECGError(f"The table {name} cannot be read ({file.name}).") from None
    if largest is not None and size > largest:
        return False
    # Read as text and cast: a typing error in one of 158 million rows must not end the run.
    options = PLAIN + (f", ignore_errors=true, store_rejects=true, rejects_limit={MOST_REJECTS}" if lenient else "")
    options += f", compression='{'gzip' if file.suffix == '.gz' else 'none'}'"
    reader = table_files.parquet(place) if file.suffix == ".parquet" else table_files.csv(place, options)
    try:
        present = {row[0].lower() for row in con.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()}
    except duckdb.InterruptException:  # its time is over, which whoever interrupts it has words for
        raise
    except duckdb.Error:  # its message may quote the data
        raise ECGError(f"The table {name} cannot be read ({file.name}).") from None
    missing = [column for column in table.columns if column not in present and column not in table.optional]
    if missing:
        plural = "s" * (len(missing) > 1)
        raise ECGError(f"The table {name} lacks the column{plural} {', '.join(missing)} ({file.name}).")
    chosen = ", ".join(
        f"TRY_CAST({column if column in present else 'NULL'} AS {kind}) AS {column}"
        for column, kind in table.columns.items()
    )
    con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {chosen} FROM {reader}")
    return True


def add_views(
    con: duckdb.DuckDBPyConnection,
    source: Path,
    needed: Sequence[str] = ("record_list",),
    largest: Mapping[str, int] | None = None,
    files: Mapping[str, Path] | None = None,
    *,
    lenient: bool = False,
    held: table_files.Held | None = None,
) -> list[str]:
    """Views of all `TABLES`; empty ones for those a source may lack or whose file is larger than `largest` (bytes).

    files: where tables lie that are not below `source`. Returns the names of the absent ones. Raises ECGError when a
    needed table is missing or a column of any.
    """
    absent = []
    for name, table in TABLES.items():
        file = (files or {}).get(name)
        if not add_view(con, source, name, (largest or {}).get(name), file, lenient=lenient, held=held):
            absent.append(name)
            nothing = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in table.columns.items())
            con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {nothing} WHERE false")
    if lost := [name for name in absent if name in needed]:
        raise ECGError(
            f"No table {', '.join(lost)} at most {DEPTH} folders below the source (as .csv.gz, .csv or .parquet)."
        )
    return absent


def lines_left_out(con: duckdb.DuckDBPyConnection) -> int:
    """How many lines of the tables that were read leniently were passed over, `MOST_REJECTS` a table at the most."""
    import duckdb

    try:
        rows = con.execute(
            "SELECT count(DISTINCT (file_path, line)) FROM reject_errors JOIN reject_scans USING (scan_id, file_id)"
        ).fetchall()
    except duckdb.CatalogException:  # nothing was read leniently
        return 0
    return int(rows[0][0])


def is_simulated(root: Path, record_list: Path) -> bool:
    """Does SIMULATED.md stand at the top of the cohort, at `root`, or anywhere between, as a simulator leaves it?

    The folder above the records counts too, so that a simulated cohort is known as one from inside.
    """
    base = record_list.parent.resolve()
    between = [folder for folder in base.parents if folder.is_relative_to(root.resolve())]
    return any((folder / SIMULATED).is_file() for folder in (root, base, base.parent, *between))
