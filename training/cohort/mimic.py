"""MIMIC-IV-ECG + MIMIC-IV + MIMIC-IV-ED, real or simulated, as they lie on disk -> a prepared cohort.

    python -m training prepare mimic DIR --out DIR

ECGs belong to the emergency stay or else the admission at their time; an emergency stay that led to an admission counts
as one stay with it. Windows and thresholds: `training/configs/cohort.yaml`. Made again on the same files, the result
is the same; a run that was killed goes on with the signals where it was.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from ecgkt.mimic.stays import AGE, PATIENT, stay_at
from ecgkt.mimic.tables import add_views, connect, find_table, is_simulated
from training.cohort import clinical
from training.cohort.card import write_card
from training.cohort.config import Config, load_config, recorded
from training.cohort.findings import described, with_superclasses
from training.cohort.labels import enough, lab_labels
from training.cohort.mimic_labels import diagnosis_labels, report_findings
from training.cohort.prepared import Prepared, write_prepared
from training.cohort.signals import convert_all
from training.cohort.splits import first_of_stay, split_of, splits_from_folds

NEEDED = ("record_list", "patients", "admissions", "d_labitems", "labevents", "diagnoses_icd")

# One row an ECG, in an order that does not depend on the files' own: patient, time, study.
_ECGS = f"""
    SELECT r.subject_id, r.study_id, r.ecg_time, r.path, m.study_id IS NOT NULL AS in_stay, m.hadm_id, m.ed_stay,
           {AGE} AS age, upper(p.gender) AS gender, p.subject_id IS NOT NULL AS known
    FROM (SELECT DISTINCT ON (study_id) * FROM record_list ORDER BY study_id, path) r
    LEFT JOIN ({stay_at("record_list")}) m ON m.study_id = r.study_id
    LEFT JOIN ({PATIENT}) p ON p.subject_id = r.subject_id
    ORDER BY r.subject_id, r.ecg_time, r.study_id"""


def _candidates(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, Counter[str]]:
    """The ECGs of known patients within a stay, and how many were left out for which reason."""
    ecgs = con.execute(_ECGS).df()
    reason = np.select(
        [ecgs["subject_id"].isna() | ecgs["study_id"].isna() | ecgs["path"].isna(), ecgs["ecg_time"].isna(),
         ~ecgs["known"], ~ecgs["in_stay"]],
        ["no patient, study or path", "no time", "patient not in the patients table", "no stay at the time of the ECG"],
        default="",
    )  # fmt: skip
    kept = ecgs[reason == ""].reset_index(drop=True)
    hadm, stay = kept["hadm_id"].astype("Int64").astype("string"), kept["ed_stay"].astype("Int64").astype("string")
    kept["stay"] = ("h" + hadm).fillna("e" + stay)
    return kept, Counter(reason[reason != ""].tolist())


def _records(source: Path, paths: pd.Series) -> list[Path]:
    """Paths of the records, relative to the folder of record_list. Raises ValueError for one that leaves it."""
    listed = find_table(source, "record_list")
    assert listed is not None
    if paths.str.contains(r"(?:^|/)\.\.(?:/|$)|^/").any():
        raise ValueError("record_list names a path outside its own folder.")
    return [listed.parent / path for path in paths]


def _splits(ecgs: pd.DataFrame, config: Config) -> pd.Series:
    if config["folds"]:
        return splits_from_folds(ecgs, config)
    patients = {patient: split_of(str(patient), config) for patient in ecgs["subject_id"].unique()}
    return ecgs["subject_id"].map(patients)


def prepare_mimic(source: Path, out: Path, config: Path | None = None) -> Prepared:
    """Prepare the cohort below `source` into `out`; `config` is a YAML merged over training/configs/cohort.yaml.

    A source that `is_simulated` is called a simulated cohort. Raises ValueError (ECGError where a table or column
    is missing) when the source cannot be used.
    """
    source, out, settings = Path(source), Path(out), load_config(config)
    out.mkdir(parents=True, exist_ok=True)
    record_list = find_table(source, "record_list")
    simulated = record_list is not None and is_simulated(source, record_list)
    name = "simulated" if simulated else "mimic"
    spill = out / "spill"
    con = connect(settings["duckdb"]["memory_limit"], int(settings["duckdb"]["threads"]), spill)
    absent = add_views(con, source, NEEDED)
    candidates, excluded = _candidates(con)
    listed = int(con.execute("SELECT count(*) FROM record_list").fetchall()[0][0])
    if settings["folds"]:
        candidates["split"] = _splits(candidates, settings)
        excluded["not in the file of folds"] = int(candidates["split"].isna().sum())
        candidates = candidates[candidates["split"].notna()].reset_index(drop=True)
    signals = settings["signals"]
    reasons = convert_all(_records(source, candidates["path"]), out, signals["max_gap_seconds"], signals["workers"])
    excluded.update(reason for reason in reasons if reason)
    ecgs = candidates[np.array(reasons, dtype=object) == ""].reset_index(drop=True)
    if ecgs.empty:
        raise ValueError(f"No usable ECG: {dict(excluded)}.")
    if "split" not in ecgs:
        ecgs["split"] = _splits(ecgs, settings)
    # Only now, among usable ones: the first ECG of a stay may be the one that could not be read.
    ecgs["split"] = first_of_stay(ecgs["split"], ecgs["stay"], pd.Series(range(len(ecgs))))
    ecgs["row"] = np.arange(len(ecgs))
    con.register("ecg_frame", ecgs[["row", "subject_id", "study_id", "ecg_time", "hadm_id", "ed_stay", "split"]])
    con.execute("""CREATE OR REPLACE TABLE ecg AS
        SELECT row, subject_id::BIGINT AS subject_id, study_id::BIGINT AS study_id,
               ecg_time::TIMESTAMP AS ecg_time, hadm_id::BIGINT AS hadm_id, ed_stay::BIGINT AS ed_stay
        FROM ecg_frame""")
    con.execute("CREATE OR REPLACE TABLE split AS SELECT row, split FROM ecg_frame")

    unlisted = clinical.add_measurements(con, settings)
    table = clinical.clinical_table(con, ecgs)
    labs, lab_descriptions = lab_labels(table, clinical.lab_limits(con))
    kept_labs = enough(labs, ecgs["split"], settings["min_positives"]["labs"])
    findings = with_superclasses(report_findings(con, len(ecgs)))
    kept_findings = enough(findings, ecgs["split"], settings["min_positives"]["findings"])
    diagnoses, diagnosis_descriptions, unmapped = diagnosis_labels(con, ecgs, settings)
    lags = con.execute("""SELECT item, count(*) AS measured, median(abs(lag_seconds)) / 60 AS minutes
                          FROM nearest_lab GROUP BY item ORDER BY item""").df()
    con.close()
    shutil.rmtree(spill, ignore_errors=True)

    frame = pd.DataFrame(
        {
            "ecg_id": ecgs["study_id"].astype("int64").astype(str),
            "patient": f"{name}:" + ecgs["subject_id"].astype("int64").astype(str),
            "stay": ecgs["stay"].astype(str),
            "source": name,
            "split": ecgs["split"],
            "age": ecgs["age"],
            "sex": ecgs["gender"].map({"M": "male", "F": "female"}),
            "path": ecgs["path"],
        }
    )
    info: dict[str, Any] = {
        "name": out.name,
        "source": name,
        "simulated": simulated,
        "labels": {
            "findings": [described(code) for code in kept_findings],
            "diagnoses": diagnosis_descriptions,
            "labs": [d for d in lab_descriptions if d["code"] in kept_labs],
        },
        "excluded": {reason: n for reason, n in sorted(excluded.items()) if n},
        "config": recorded(settings),
        "licence": "Apache-2.0 (simulated data)" if simulated else "PhysioNet Credentialed Health Data License 1.5.0",
        "note": "Simulated patients: nothing here was measured on a person."
        if simulated
        else "Real patients: not to be shared; findings come from the machine's reports, not from cardiologists.",
    }
    tables = {
        "ecgs": frame,
        "clinical": table,
        "findings": findings[kept_findings],
        "diagnoses": diagnoses,
        "labs": labs[kept_labs],
    }
    prepared = write_prepared(out, info, tables)
    remarks = [f"Tables not found: {', '.join(absent)}."] * bool(absent)
    remarks += [f"Labs not in d_labitems: {', '.join(unlisted)}."] * bool(unlisted)
    remarks.append(f"ICD codes without a mapping to ICD-10-CM: {unmapped}.")
    write_card(prepared, listed, remarks, lags)
    return prepared
