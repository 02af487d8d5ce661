"""The small tables: hospital, emergency department, and the lists of ECGs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import simple_icd_10_cm as icd10cm

from benchmarks.mimic_shaped.cohort import SEED, Columns, times
from benchmarks.mimic_shaped.labevents import lab_items
from training.simulation.layout import TABLES
from training.simulation.writer import record_path

REPORTS = (
    "Sinus rhythm", "Normal ECG", "Sinus tachycardia", "Sinus bradycardia", "Atrial fibrillation", "Abnormal ECG",
    "Left axis deviation", "Right bundle branch block", "Left bundle branch block", "Nonspecific T wave changes",
    "Possible inferior infarct - age undetermined", "Left ventricular hypertrophy", "Prolonged QT interval",
    "First degree A-V block", "PVCs", "Low QRS voltages in precordial leads", "Borderline ECG",
)  # fmt: skip
ICD9 = (
    "4019", "2724", "42731", "25000", "4280", "41401", "5849", "5990", "2449", "53081", "486", "51881", "2859", "2720",
    "3051", "5859", "311", "V5861", "40390", "2851", "41071", "42789", "78650", "7802", "2761", "2767", "2768", "4241",
)  # fmt: skip


def write_table(target: Path, table: str, columns: Mapping[str, Any]) -> None:
    """Write `columns` in the order of the layout's `table`; those that are not given stay empty."""
    frame = pd.DataFrame(columns)
    chosen = ", ".join(name if name in frame else f"NULL AS {name}" for name in TABLES[table])
    compression = "gzip" if target.name.removesuffix(".tmp").endswith(".gz") else "none"
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        con.register("frame", frame)
        con.execute(f"COPY (SELECT {chosen} FROM frame) TO '{target}' (FORMAT csv, HEADER, COMPRESSION {compression})")


def _vitals(rng: np.random.Generator, rows: int) -> Columns:
    normal = {
        "temperature": (98.4, 1.0), "heartrate": (85, 18), "resprate": (18, 3), "o2sat": (97, 2), "sbp": (132, 22),
        "dbp": (75, 14),
    }  # fmt: skip
    return {name: np.round(rng.normal(*shape, rows), 1) for name, shape in normal.items()}


def _codes(rng: np.random.Generator, rows: int) -> Columns:
    """ICD codes of both versions; a few are common and thousands are rare."""
    leaves = np.array([code for code in icd10cm.get_all_codes(with_dots=False) if icd10cm.is_leaf(code)])
    ten = rng.permutation(leaves)[np.minimum(rng.zipf(1.4, rows) - 1, len(leaves) - 1)]
    nine = rng.random(rows) < 0.3
    return {
        "icd_code": np.where(nine, np.array(ICD9)[rng.integers(0, len(ICD9), rows)], ten),
        "icd_version": np.where(nine, 9, 10),
    }


def small_tables(patients: Columns, stays: Columns) -> dict[str, dict[str, Any]]:
    """All tables of the hospital and the emergency department but `labevents`."""
    rng = np.random.default_rng([SEED, 2])
    inside = stays["hadm_id"] >= 0
    hadm = pd.Series(stays["hadm_id"], dtype="Int64").where(inside)
    many = rng.poisson(10, inside.sum()) + 1
    diagnosed = rng.poisson(1.2, len(inside)) + 1
    looked = rng.poisson(3, len(inside)) + 1
    weighed = np.flatnonzero(rng.random(len(inside)) < 0.6)
    admission, triaged, seen = (np.repeat(np.flatnonzero(inside), many), np.repeat(np.arange(len(inside)), diagnosed),
                                np.repeat(np.arange(len(inside)), looked))  # fmt: skip
    spent = stays["leave"] - stays["start"]
    ids = {name: stays[name] for name in ("subject_id", "stay_id")}
    return {
        "mimic-iv/hosp/patients": {**patients, "anchor_year_group": "2014 - 2016"},
        "mimic-iv/hosp/admissions": {
            "subject_id": stays["subject_id"][inside], "hadm_id": stays["hadm_id"][inside],
            "admittime": times(stays["leave"])[inside], "dischtime": times(stays["home"])[inside],
            "admission_type": "EW EMER.", "race": "UNKNOWN", "hospital_expire_flag": 0,
        },
        "mimic-iv/hosp/d_labitems": {str(name): column for name, column in lab_items()[0].items()},
        "mimic-iv/hosp/diagnoses_icd": {
            "subject_id": stays["subject_id"][admission], "hadm_id": stays["hadm_id"][admission],
            "seq_num": np.arange(len(admission)) - np.repeat(np.cumsum(many) - many, many) + 1,
            **_codes(rng, len(admission)),
        },
        "mimic-iv/hosp/omr": {
            "subject_id": np.repeat(stays["subject_id"][weighed], 2),
            "chartdate": np.repeat(times(stays["start"])[weighed].astype("datetime64[D]").astype(str), 2),
            "seq_num": 1, "result_name": np.tile(["Weight (Lbs)", "Height (Inches)"], len(weighed)),
            "result_value": np.round(rng.normal((175, 66), (35, 4), (len(weighed), 2)), 1).ravel().astype(str),
        },
        "mimic-iv-ed/ed/edstays": {
            **ids, "hadm_id": hadm, "intime": times(stays["start"]), "outtime": times(stays["leave"]),
            "gender": patients["gender"][stays["patient"]], "disposition": np.where(inside, "ADMITTED", "HOME"),
        },
        "mimic-iv-ed/ed/triage": {
            **ids, **_vitals(rng, len(inside)), "acuity": 3, "chiefcomplaint": "Chest pain"
        },
        "mimic-iv-ed/ed/vitalsign": {
            **{name: column[seen] for name, column in ids.items()}, **_vitals(rng, len(seen)),
            "charttime": times(stays["start"][seen] + rng.random(len(seen)) * spent[seen]),
        },
        "mimic-iv-ed/ed/diagnosis": {
            **{name: column[triaged] for name, column in ids.items()}, "seq_num": 1, **_codes(rng, len(triaged)),
        },
    }  # fmt: skip


def ecg_tables(stays: Columns, ecgs: Columns) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng([SEED, 3])
    subject, rows = stays["subject_id"][ecgs["stay"]], len(ecgs["stay"])
    study = 40_000_000 + np.arange(rows)
    common = {"subject_id": subject, "study_id": study, "ecg_time": times(ecgs["time"])}
    lines = np.array(REPORTS, dtype=object)[np.minimum(rng.zipf(1.5, (4, rows)) - 1, len(REPORTS) - 1)]
    paths = [record_path(s, e) for s, e in zip(subject.tolist(), study.tolist(), strict=True)]
    return {
        "mimic-iv-ecg/record_list": {**common, "file_name": study, "path": np.array(paths, dtype=object)},
        "mimic-iv-ecg/machine_measurements": {
            **common, **{f"report_{i}": line for i, line in enumerate(lines)}, "bandwidth": "0.005-150 Hz",
            "filtering": "60 Hz notch Baseline filter", "rr_interval": rng.integers(500, 1100, rows),
        },
    }  # fmt: skip
