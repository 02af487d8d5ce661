"""MIMIC-IV-ECG + MIMIC-IV + MIMIC-IV-ED, real or simulated, as they lie on disk -> a prepared cohort.

    python -m training prepare mimic DIR --out DIR

The tracings are read in PhysioNet's zip, if that is what there is, and MIMIC's tables where they lie.
ECGs belong to the emergency stay or else the admission at their time; an emergency stay that led to an admission counts
as one stay with it. Windows and thresholds: `training/configs/cohort.yaml`. Made again on the same files, the result
is the same; a run that was killed goes on with the signals where it was.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from ecgkt import vocabulary
from ecgkt.datasets.mimic.clinical import add_nearest_biometrics, add_nearest_labs, add_nearest_vitals, lab_items
from ecgkt.datasets.mimic.stays import AGE, PATIENT, stay_at
from ecgkt.datasets.mimic.tables import TABLES, add_views, connect, find_table
from training.cohort.assembled import About, assemble, excluded
from training.cohort.config import Config, load_config
from training.cohort.data_card import Step
from training.cohort.labels.findings import with_superclasses
from training.cohort.mimic.files import find_waveforms
from training.cohort.mimic.labels import diagnosis_labels, map_codes, report_findings
from training.cohort.mimic.labevents import keep_labs
from training.cohort.prepared import Prepared
from training.cohort.provenance import NOTHING, Stated, license_of, note_of
from training.cohort.signals.convert import Limits, convert_all
from training.cohort.splits import as_text, first_of_stay, splits_from_folds, stable_splits

NEEDED = ("record_list", "patients", "admissions", "d_labitems", "labevents", "diagnoses_icd")
NOTE = (
    "Not marked as simulated, so taken for real patients: not to be shared; findings come from the machine's reports, "
    "not from cardiologists."
)

# One row an ECG, in an order that does not depend on the files' own: patient, time, study.
_ECGS = f"""
    SELECT r.subject_id, r.study_id, r.ecg_time, r.path, m.study_id IS NOT NULL AS in_stay, m.hadm_id, m.ed_stay,
           {AGE} AS age, upper(p.gender) AS gender, p.subject_id IS NOT NULL AS known
    FROM (SELECT DISTINCT ON (study_id) * FROM record_list ORDER BY study_id, path) r
    LEFT JOIN ({stay_at("record_list")}) m ON m.study_id = r.study_id
    LEFT JOIN ({PATIENT}) p ON p.subject_id = r.subject_id
    ORDER BY r.subject_id, r.ecg_time, r.study_id"""


def _candidates(con: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, list[Step]]:
    """The ECGs of known patients within a stay, and the steps that led there."""
    listed, patients = con.execute("SELECT count(*), count(DISTINCT subject_id) FROM record_list").fetchall()[0]
    ecgs = con.execute(_ECGS).df()
    steps = [Step("listed", listed, patients, {})]
    twice = listed - len(ecgs)
    for what, reasons in (
        ("of known patients, with a time", {
            "no patient, study or path": ecgs["subject_id"].isna() | ecgs["study_id"].isna() | ecgs["path"].isna(),
            "no time": ecgs["ecg_time"].isna(),
            "patient not in the patients table": ~ecgs["known"],
        }),
        ("in a stay", {"no stay at the time of the ECG": ~ecgs["in_stay"]}),
    ):  # fmt: skip
        why = np.select([reasons[name].loc[ecgs.index] for name in reasons], list(reasons), default="")
        left_out = Counter(why[why != ""].tolist())
        if len(steps) == 1 and twice:
            left_out["listed more than once"] = twice
        ecgs = ecgs[why == ""]
        steps.append(Step(what, len(ecgs), ecgs["subject_id"].nunique(), left_out))
    ecgs = ecgs.reset_index(drop=True)
    hadm, stay = ecgs["hadm_id"].astype("Int64").astype("string"), ecgs["ed_stay"].astype("Int64").astype("string")
    ecgs["stay"] = ("h" + hadm).fillna("e" + stay)
    return ecgs, steps


def _splits(con: duckdb.DuckDBPyConnection, ecgs: pd.DataFrame, out: Path, config: Config) -> pd.Series:
    """The split of each ECG, "extra" where it is not the first usable one of its stay in validation or test."""
    if "split" in ecgs:
        split = ecgs["split"]
    else:
        groups = con.execute("""SELECT DISTINCT e.subject_id, c.label FROM coded_label c JOIN ecg e USING (row)
                                WHERE length(c.label) = 3""").df()
        split = stable_splits(ecgs, groups, out, config)
    return first_of_stay(split, ecgs["stay"], ecgs["row"])


def add_measurements(con: duckdb.DuckDBPyConnection, source: Path, out: Path, config: Config) -> list[str]:
    """Make the tables nearest_KIND and measured_KIND of `clinical.KINDS`; the labs that d_labitems lacks are returned.
    The lab rows that were looked at are kept in `out`."""
    windows, items = config["windows"], lab_items(con)
    keep_labs(con, source, list(items.values()), out, int(config["duckdb"]["threads"]))
    add_nearest_labs(con, items, windows["labs_minutes"])
    add_nearest_vitals(con, windows["vitals_minutes"], config["plausible"])
    add_nearest_biometrics(con, windows["biometrics_days"], config["plausible"])
    return [lab for lab in vocabulary.labs() if lab not in items]


def _tops(source: Path) -> Iterator[Path]:
    """`source` and the folders at whose top the parts of MIMIC carry their license."""
    yield source
    for name in ("patients", "edstays", "record_list"):
        folder = TABLES[name].folder
        if (file := find_table(source, name, folder)) is not None:
            yield file.parent.parent if folder else file.parent


def _step(what: str) -> None:
    print(f"prepare: {what}", flush=True)


def prepare_mimic(source: Path, out: Path, config: Path | None = None, stated: Stated = NOTHING) -> Prepared:
    """Prepare the cohort below `source` into `out`; `config` is a YAML merged over training/configs/cohort.yaml.

    A source that `is_simulated` is called a simulated cohort. stated: what the user says of the data. Raises ValueError
    (ECGError where a table or column is missing) when the source cannot be used.
    """
    source, out, settings = Path(source), Path(out), load_config(config)
    limits, work = Limits.of(settings), out / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _step("finding the tracings")
    waveforms = find_waveforms(source, work)
    simulated = waveforms.simulated
    name = "simulated" if simulated else "mimic"
    con = connect(settings["duckdb"]["memory_limit"], int(settings["duckdb"]["threads"]), work)
    absent = add_views(con, source, NEEDED, files=waveforms.tables)
    _step("patients and stays")
    candidates, steps = _candidates(con)
    if settings["folds"]:
        candidates["split"] = splits_from_folds(candidates, settings)
        unlisted = {"not in the file of folds": int(candidates["split"].isna().sum())}
        candidates = candidates[candidates["split"].notna()].reset_index(drop=True)
        steps.append(Step("in the file of folds", len(candidates), candidates["subject_id"].nunique(), unlisted))
    _step(f"signals of {len(candidates)} ECGs")
    records = waveforms.records(candidates["path"].tolist())
    reasons = convert_all(records, out, limits, settings["signals"]["workers"])
    unusable = Counter(reason for reason in reasons if reason)
    ecgs = candidates[np.array(reasons, dtype=object) == ""].reset_index(drop=True)
    steps.append(Step("usable", len(ecgs), ecgs["subject_id"].nunique(), unusable))
    if ecgs.empty:
        raise ValueError(f"No usable ECG: {excluded(steps)}.")
    ecgs["row"] = np.arange(len(ecgs))
    con.register("ecg_frame", ecgs[["row", "subject_id", "study_id", "ecg_time", "hadm_id", "ed_stay"]])
    con.execute("""CREATE OR REPLACE TABLE ecg AS
        SELECT row, subject_id::BIGINT AS subject_id, study_id::BIGINT AS study_id,
               ecg_time::TIMESTAMP AS ecg_time, hadm_id::BIGINT AS hadm_id, ed_stay::BIGINT AS ed_stay
        FROM ecg_frame""")

    _step("diagnoses and splits")
    unmapped = map_codes(con, settings)
    # Only now, among usable ones: the first ECG of a stay may be the one that could not be read.
    ecgs["split"] = _splits(con, ecgs, out, settings)
    con.register("split_frame", ecgs[["row", "split"]])
    con.execute("CREATE OR REPLACE TABLE split AS SELECT row, split FROM split_frame")
    diagnoses = diagnosis_labels(con, ecgs, settings)
    _step("labs, vitals and biometrics near each ECG")
    unlisted_labs = add_measurements(con, source, out, settings)
    _step("findings of the machine's reports")
    findings = with_superclasses(report_findings(con, len(ecgs)))
    _step("writing the tables")
    ecgs["ecg_id"] = ecgs["study_id"].astype("int64").astype(str)
    ecgs["subject_id"], ecgs["stay"] = as_text(ecgs["subject_id"]), ecgs["stay"].astype(str)
    remarks = [f"Tables not found: {', '.join(absent)}."] * bool(absent)
    remarks += [f"Labs not in d_labitems: {', '.join(unlisted_labs)}."] * bool(unlisted_labs)
    remarks.append(f"ICD codes without a mapping to ICD-10-CM: {unmapped}.")
    license, note = license_of(stated, simulated, _tops(source)), note_of(stated, simulated, NOTE)
    about = About(name, name, simulated, license, note)
    prepared = assemble(con, out, ecgs, findings, diagnoses, about, steps, remarks, settings)
    shutil.rmtree(work, ignore_errors=True)
    return prepared
