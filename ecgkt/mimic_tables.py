"""MIMIC-IV's tables where they lie (`.csv.gz`, `.csv`, `.parquet`), joined to MIMIC-IV-ECG's records by DuckDB.

Columns are selected by name. A lab value belongs to an ECG if it is the nearest one within 60 min, a vital sign within
30 min, weight and height within 30 days; ties go to the earlier, then to the smaller labevent_id.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgkt import vocabulary
from ecgkt.ecg import ECGError
from ecgkt.report import statements

if TYPE_CHECKING:
    import duckdb

SIMULATED = "SIMULATED.md"  # stands at the top of every simulated cohort
DEPTH = 3  # folders below the top in which a table may lie
SUFFIXES = (".parquet", ".csv.gz", ".csv")
LARGEST_LABEVENTS = 200 * 2**20  # bytes; the full table (2.5 GB) takes minutes to scan, too long for opening a page
LAB_MINUTES, VITAL_MINUTES, BIOMETRIC_DAYS = 60, 30, 30

# Limits beyond which a value is a typing error (temperature in Celsius, weight in kg, height in cm).
PLAUSIBLE = {
    "temperature": (25, 45), "heartrate": (15, 320), "resprate": (2, 80), "o2sat": (30, 100), "sbp": (30, 300),
    "dbp": (10, 200), "weight": (20, 400), "height": (100, 230), "bmi": (8, 110),
}  # fmt: skip
VITALS = ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp")
# Fahrenheit or Celsius, either with its decimal point lost (986 for 98.6).
CELSIUS = """CASE WHEN v BETWEEN 80 AND 115 THEN (v - 32) / 1.8 WHEN v BETWEEN 800 AND 1150 THEN (v / 10 - 32) / 1.8
             WHEN v BETWEEN 25 AND 45 THEN v WHEN v BETWEEN 250 AND 450 THEN v / 10 END"""
POUND, INCH = 0.45359237, 2.54  # kg, cm


@dataclass(frozen=True)
class MimicRecord:
    """One ECG: its file, which patient of the list and which of the patient's ECGs, and what the tables say of it."""

    path: Path
    simulated: bool
    patient: int
    ecg: int
    findings: tuple[str, ...]
    diagnoses: tuple[str, ...]
    clinical: dict[str, float]


def find_table(root: Path, name: str, folder: str = "") -> Path | None:
    """The file of a table at most `DEPTH` folders below `root`; `folder` names the folder it must lie in ("hosp")."""
    for depth in range(DEPTH + 1):
        for suffix in SUFFIXES:
            for file in sorted(root.glob("*/" * depth + name + suffix)):
                if not folder or file.parent.name == folder:
                    return file
    return None


def mimic_records(root: Path, record_list: Path, most: int) -> list[MimicRecord]:
    """The first `most` ECGs, by patient and time. Raises ECGError naming the column that a table lacks."""
    import duckdb  # a tenth of a second, needed by this layout only

    base = record_list.parent
    simulated = (root / SIMULATED).is_file() or (base / SIMULATED).is_file()
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        _view(con, "record_list", record_list, ("subject_id", "study_id", "ecg_time", "path"))
        con.execute(
            "CREATE TABLE ecg AS SELECT row_number() OVER (ORDER BY subject_id, ecg_time, study_id) AS row, * "
            "FROM record_list WHERE path IS NOT NULL ORDER BY row LIMIT ?",
            [most],
        )
        clinical = _clinical(con, root)
        findings = _findings(con, root)
        diagnoses = _diagnoses(con, root)
        rows = con.execute(
            "SELECT row, path, dense_rank() OVER (ORDER BY subject_id), "
            "row_number() OVER (PARTITION BY subject_id ORDER BY row) FROM ecg ORDER BY row"
        ).fetchall()
    records = []
    for row, path, patient, ecg in rows:
        file = base / f"{path}.hea"
        if not file.resolve().is_relative_to(base.resolve()) or not file.is_file():
            continue  # a folder may hold a part of the records that its list names
        records.append(MimicRecord(file, simulated, patient, ecg, findings[row], diagnoses[row], clinical[row]))
    return records


def _view(con: duckdb.DuckDBPyConnection, name: str, file: Path, columns: tuple[str, ...]) -> None:
    path = str(file).replace("'", "''")
    options = "" if file.suffix == ".parquet" else ", header = true, all_varchar = true"
    source = f"read_{'parquet' if file.suffix == '.parquet' else 'csv'}('{path}'{options})"
    present = {row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    if missing := [column for column in columns if column not in present]:
        raise ECGError(f"The table {name} lacks the column {', '.join(missing)}.")
    # Read as text and cast, so that a typing error is a missing value and not the end of it.
    casts = ", ".join(f'TRY_CAST("{column}" AS {_kind(column)}) AS "{column}"' for column in columns)
    con.execute(f"CREATE VIEW {name} AS SELECT {casts} FROM {source}")


def _kind(column: str) -> str:
    """SQL type by MIMIC's own habits of naming."""
    if column.endswith("_id") or column in ("itemid", "seq_num", "icd_version"):
        return "BIGINT"
    if column.endswith("time") or column == "chartdate":
        return "TIMESTAMP"
    return "DOUBLE" if column in (*VITALS, "valuenum", "anchor_age", "anchor_year") else "VARCHAR"


def _has(con: duckdb.DuckDBPyConnection, root: Path, name: str, folder: str, columns: tuple[str, ...]) -> bool:
    """Make the view of an optional table; False where it is not there."""
    file = find_table(root, name, folder)
    if file is None or (name == "labevents" and file.stat().st_size > LARGEST_LABEVENTS):
        return False
    _view(con, name, file, columns)
    return True


def _clinical(con: duckdb.DuckDBPyConnection, root: Path) -> dict[int, dict[str, float]]:
    values: dict[int, dict[str, float]] = defaultdict(dict)
    if _has(con, root, "patients", "hosp", ("subject_id", "gender", "anchor_age", "anchor_year")):
        for row, age, gender in con.execute(
            "SELECT row, anchor_age + year(ecg_time) - anchor_year, upper(gender) "
            "FROM ecg JOIN patients USING (subject_id)"
        ).fetchall():
            if age is not None and 0 <= age <= 130:
                values[row]["biometric:age"] = float(age)
            if gender in ("F", "M"):
                values[row]["biometric:sex"] = float(gender == "M")
    events = ("labevent_id", "subject_id", "itemid", "charttime", "valuenum")
    if _has(con, root, "labevents", "hosp", events):
        con.execute("CREATE TABLE item (itemid BIGINT, item VARCHAR, least DOUBLE, most DOUBLE)")
        con.executemany(
            "INSERT INTO item VALUES (?, ?, ?, ?)",
            [
                (lab.itemid, f"lab:{lab.code}", lab.plausible_low, lab.plausible_high)
                for lab in vocabulary.labs().values()
            ],
        )
        labs = """SELECT subject_id, charttime AS taken, labevent_id AS tie, item, valuenum AS value
                  FROM labevents JOIN item USING (itemid) WHERE valuenum BETWEEN least AND most"""
        _add_nearest(con, values, labs, LAB_MINUTES * 60)
    if vitals := _vitals(con, root):
        _add_nearest(con, values, vitals, VITAL_MINUTES * 60)
    omr = ("subject_id", "chartdate", "seq_num", "result_name", "result_value")
    if _has(con, root, "omr", "hosp", omr):
        # A name without a unit ("Weight") is in pounds or inches like the names with one.
        bodies = f"""SELECT subject_id, chartdate AS taken, seq_num AS tie, item, {_plausible()} FROM (
            SELECT subject_id, chartdate, seq_num, 'biometric:' || word AS item,
                   TRY_CAST(result_value AS DOUBLE) * CASE WHEN word = 'bmi' OR result_name ILIKE '%(kg)%'
                   OR result_name ILIKE '%(cm)%' THEN 1 WHEN word = 'weight' THEN {POUND} ELSE {INCH} END AS value
            FROM (SELECT *, lower(regexp_extract(result_name, '(?i)^(weight|height|bmi)')) AS word FROM omr)
            WHERE word != '')"""
        _add_nearest(con, values, f"SELECT * FROM ({bodies}) WHERE value IS NOT NULL", BIOMETRIC_DAYS * 86400)
    return values


def _plausible() -> str:
    cases = " ".join(f"WHEN '{name}' THEN value BETWEEN {low} AND {high}" for name, (low, high) in PLAUSIBLE.items())
    return f"CASE WHEN CASE split_part(item, ':', 2) {cases} END THEN value END AS value"


def _vitals(con: duckdb.DuckDBPyConnection, root: Path) -> str:
    """SQL of all vital signs; triage has no time of its own and is taken at arrival. "" without any table."""
    stays = ("subject_id", "stay_id", "hadm_id", "intime", "outtime")
    tables = []
    columns = ", ".join(VITALS)
    if _has(con, root, "vitalsign", "ed", ("subject_id", "charttime", *VITALS)):
        tables.append(f"SELECT subject_id, charttime AS taken, 0 AS tie, {columns} FROM vitalsign")
    if _has(con, root, "edstays", "ed", stays) and _has(con, root, "triage", "ed", ("stay_id", *VITALS)):
        arrivals = "triage JOIN edstays USING (stay_id)"
        tables.append(f"SELECT subject_id, intime AS taken, 1 AS tie, {columns} FROM {arrivals}")
    if not tables:
        return ""
    both = f"({' UNION ALL '.join(tables)})"
    parts = [
        f"SELECT subject_id, taken, tie, 'vital:{vital}' AS item, "
        f"{CELSIUS if vital == 'temperature' else 'v'} AS value "
        f"FROM (SELECT subject_id, taken, tie, {vital} AS v FROM {both})"
        for vital in VITALS
    ]
    signs = f"SELECT subject_id, taken, tie, item, {_plausible()} FROM ({' UNION ALL '.join(parts)})"
    return f"SELECT * FROM ({signs}) WHERE value IS NOT NULL"


def _add_nearest(
    con: duckdb.DuckDBPyConnection, values: dict[int, dict[str, float]], measured: str, seconds: int
) -> None:
    """`measured`: SQL giving subject_id, taken, tie, item, value."""
    for row, item, value in con.execute(
        f"""SELECT row, item, arg_min(value, (abs(epoch(taken) - epoch(ecg_time)), taken, tie))
            FROM ecg JOIN ({measured}) USING (subject_id)
            WHERE abs(epoch(taken) - epoch(ecg_time)) <= {seconds} GROUP BY row, item"""
    ).fetchall():
        values[row][item] = float(value)


def _findings(con: duckdb.DuckDBPyConnection, root: Path) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    file = find_table(root, "machine_measurements")
    if file is None:
        return found
    reports = [f"report_{i}" for i in range(18)]
    _view(con, "machine_measurements", file, ("study_id", *reports))
    query = f"SELECT row, {', '.join(reports)} FROM ecg JOIN machine_measurements USING (study_id)"
    for row, *lines in con.execute(query).fetchall():
        found[row] = statements([line for line in lines if line])
    return found


def _diagnoses(con: duckdb.DuckDBPyConnection, root: Path) -> dict[int, tuple[str, ...]]:
    """ICD-10-CM codes of the hospital and emergency stays during which the ECG was taken, with ancestors.

    ICD-9 codes are left out here: they only serve to filter the list, and the mapping belongs to training.
    """
    stays = ("subject_id", "hadm_id", "admittime", "dischtime")
    queries = []
    views = {name[0] for name in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
    hospital = _has(con, root, "diagnoses_icd", "hosp", ("hadm_id", "icd_code", "icd_version"))
    if hospital and _has(con, root, "admissions", "hosp", stays):
        queries.append("""SELECT row, icd_code, icd_version FROM ecg JOIN admissions a ON a.subject_id = ecg.subject_id
            AND ecg_time BETWEEN admittime AND dischtime JOIN diagnoses_icd USING (hadm_id)""")
    if "edstays" in views:
        during = "FROM ecg JOIN edstays s ON s.subject_id = ecg.subject_id AND ecg_time BETWEEN intime AND outtime"
        if _has(con, root, "diagnosis", "ed", ("stay_id", "icd_code", "icd_version")):
            queries.append(f"SELECT row, icd_code, icd_version {during} JOIN diagnosis USING (stay_id)")
        if hospital:  # an emergency stay that ended in an admission
            queries.append(f"SELECT row, icd_code, icd_version {during} JOIN diagnoses_icd USING (hadm_id)")
    found: dict[int, set[str]] = defaultdict(set)
    if queries:
        for row, code, version in con.execute(" UNION ".join(queries)).fetchall():
            if version == 10 and code:
                code = code.strip().replace(".", "").upper()
                found[row] |= {code[:length] for length in range(3, min(5, len(code)) + 1)}
    return defaultdict(tuple, {row: tuple(sorted(codes)) for row, codes in found.items()})
