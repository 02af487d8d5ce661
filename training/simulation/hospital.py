"""Simulated patients as some hospital might export them: files of several formats, tables of its own, and the YAML
(training/configs/hospital.yaml) that says what is what. Something to try `prepare table` on.

    python -m training.simulation.hospital DIR [--ecgs 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import edfio
import numpy as np
import pandas as pd

from ecgkt.datasets.mimic.stays import AGE, CODES, stay_at
from ecgkt.datasets.mimic.tables import SIMULATED, add_views, connect
from ecgkt.ecg import ECG, LEADS
from ecgkt.readers import read
from training.simulation import simulate

DESCRIPTION = Path(__file__).resolve().parents[1] / "configs" / "hospital.yaml"
A_PATIENT = 1.6  # ECGs that a simulated patient has at least, over a hundred patients
# The hospital's name of a test, its unit, and the project's unit in it: test -> (lab by MIMIC's itemid, unit, factor).
TESTS = {
    "K": (50971, "mmol/L", 1.0),
    "NA": (50983, "mmol/L", 1.0),
    "CREA": (50912, "umol/L", 1 / 0.011312),
    "GLU": (50931, "mmol/L", 1 / 18.016),
    "BUN": (51006, "mg/dL", 1.0),
    "HGB": (51222, "g/L", 10.0),
    "TNT": (51003, "ng/L", 1000.0),
    "PROBNP": (50963, "pg/mL", 1.0),
}
GASES = {"lac": (50813, 1.0), "pH": (50820, 1.0), "pCO2": (50818, 1 / 7.50062)}
FINDINGS = {"af": "AFIB", "lbbb": "CLBBB", "brady": "SBRAD", "normal": "NORM"}


def write_hospital(out: Path, ecgs: int = 200, seed: int = 1) -> Path:
    """Write the export of `ecgs` simulated ECGs into `out`; the YAML there is returned. Same seed, same data."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(round(ecgs / A_PATIENT) + 20, seed, Path(folder), workers=1)  # a page of the docs has no main module
        return export(Path(folder), out, ecgs)


def export(cohort: Path, out: Path, ecgs: int) -> Path:
    """The first `ecgs` ECGs of a simulated cohort in MIMIC's layout as the hospital would export them into `out`."""
    with connect() as con:
        add_views(con, cohort)
        (out / "tracings").mkdir(parents=True, exist_ok=True)
        _listed(con, ecgs, cohort / "mimic-iv-ecg", out)
        _tables(con, pd.read_parquet(cohort / "truth" / "findings.parquet"), out)
    shutil.copyfile(cohort / SIMULATED, out / SIMULATED)
    return Path(shutil.copyfile(DESCRIPTION, out / DESCRIPTION.name))


def _listed(con: duckdb.DuckDBPyConnection, ecgs: int, records: Path, out: Path) -> None:
    """Write the tracings and ecgs.csv; make the table `ecg` of what is in it."""
    con.execute(f"""CREATE TABLE ecg AS
        SELECT row_number() OVER (ORDER BY subject_id, ecg_time, study_id) - 1 AS row, *, {AGE} AS age,
               'P' || subject_id % 1000000 AS patient_no, 'E' || study_id % 1000000 AS ecg_no
        FROM record_list JOIN ({stay_at("record_list")}) USING (study_id)
        JOIN patients USING (subject_id) ORDER BY row LIMIT {ecgs}""")
    rows = con.execute("SELECT * FROM ecg ORDER BY row").df()
    kinds = list(WRITERS)
    files = []
    for row, path, name in zip(rows["row"], rows["path"], rows["ecg_no"], strict=True):
        kind = kinds[row % len(kinds)]
        files.append(f"{kind.strip('.')}/{name}{kind}")
        target = out / "tracings" / files[-1]
        target.parent.mkdir(exist_ok=True)
        WRITERS[kind](records / f"{path}.hea", target)
    table = pd.DataFrame(
        {
            "ecg_no": rows["ecg_no"],
            "patient_no": rows["patient_no"],
            "visit_no": rows["ed_stay"],
            "recorded": rows["ecg_time"],
            "age": rows["age"],
            "sex": rows["gender"].map({"F": "w", "M": "m"}),
            "file": files,
        }
    )
    table.to_csv(out / "ecgs.csv", index=False)


def _copied(record: Path, target: Path) -> None:
    """The WFDB record, whose header names its samples."""
    header = record.read_text(encoding="ascii").replace(record.stem, target.stem)
    target.write_text(header, encoding="ascii")
    shutil.copyfile(record.with_suffix(".dat"), target.with_suffix(".dat"))


def _microvolts(ecg: ECG) -> np.ndarray:
    return np.rint(ecg.signal * 1000).astype(np.int16)


def _edf(record: Path, target: Path) -> None:
    ecg = read(record)
    signals = [
        edfio.EdfSignal(
            row.astype(float), ecg.rate, label=lead, physical_dimension="uV", physical_range=(-32768, 32767)
        )
        for lead, row in zip(LEADS, _microvolts(ecg), strict=True)
    ]
    edfio.Edf(signals).write(target)


def _npy(record: Path, target: Path) -> None:
    np.save(target, _microvolts(read(record)), allow_pickle=False)


def _csv(record: Path, target: Path) -> None:
    pd.DataFrame(_microvolts(read(record)).T, columns=list(LEADS)).to_csv(target, index=False)


WRITERS: dict[str, Callable[[Path, Path], None]] = {".hea": _copied, ".edf": _edf, ".npy": _npy, ".csv": _csv}


def _tables(con: duckdb.DuckDBPyConnection, findings: pd.DataFrame, out: Path) -> None:
    """Write what is measured, coded and read of the ECGs in the table `ecg`."""
    whose = "(SELECT DISTINCT subject_id, patient_no FROM ecg)"
    tests = pd.DataFrame([(test, *about) for test, about in TESTS.items()], columns=["test", "itemid", "unit", "times"])
    con.register("test", tests.astype({"test": "object", "unit": "object"}))
    con.execute(f"""SELECT patient_no, charttime AS taken, test, round(valuenum * times, 4) AS result, unit,
                    ref_range_lower * times AS ref_low, ref_range_upper * times AS ref_high
                    FROM labevents JOIN test USING (itemid) JOIN {whose} USING (subject_id)
                    ORDER BY labevent_id""").df().to_parquet(out / "labs.parquet", index=False)  # fmt: skip
    gases = ", ".join(
        f"round(any_value(valuenum) FILTER (itemid = {item}) * {times}, 3) AS {name}"
        for name, (item, times) in GASES.items()
    )
    near = "abs(epoch(charttime) - epoch(ecg_time)) <= 3600"
    con.execute(f"""SELECT ecg_no, {gases} FROM ecg JOIN labevents USING (subject_id) WHERE {near}
                    AND itemid IN ({", ".join(str(item) for item, _ in GASES.values())})
                    GROUP BY ecg_no ORDER BY ecg_no""").df().to_csv(out / "blood_gas.csv", index=False)  # fmt: skip
    con.execute(f"""SELECT patient_no, charttime AS taken, heartrate AS hr, resprate AS rr, o2sat AS spo2, sbp AS sys,
                    dbp AS dia, temperature AS temp FROM (
                        SELECT subject_id, charttime, COLUMNS(['heartrate', 'resprate', 'o2sat', 'sbp', 'dbp',
                        'temperature']) FROM vitalsign
                        UNION ALL BY NAME SELECT e.subject_id, e.intime AS charttime, t.* EXCLUDE (stay_id)
                        FROM triage t JOIN edstays e USING (stay_id))
                    JOIN {whose} USING (subject_id) ORDER BY ALL""").df().to_csv(out / "vitals.csv", index=False)
    con.execute(f"""SELECT DISTINCT ed_stay AS visit_no, code AS icd, 'ICD-' || version || '-CM' AS system
                    FROM ({CODES}) JOIN ecg USING (row) ORDER BY ALL""").df().to_csv(out / "codes.csv", index=False)
    read_by_us = con.execute("SELECT ecg_no, study_id FROM ecg ORDER BY row").df()
    for column, code in FINDINGS.items():
        read_by_us[column] = read_by_us["study_id"].isin(findings.loc[findings["code"] == code, "study_id"]).astype(int)
    read_by_us.drop(columns="study_id").to_csv(out / "read_by_us.csv", index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ecgs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(write_hospital(options.out, options.ecgs, options.seed))
