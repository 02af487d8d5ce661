"""Real and simulated recordings in one form: SCP-ECG codes as labels, patient, age and sex, and the tracing on demand.

Real: PTB-XL as recorded ("ptbxl_native") and with modeled amplitudes ("ptbxl"), LUDB (each lead spans 1 mV), the CinC
Challenge's records (amplitudes as recorded).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from ecgkt import readers
from ecgkt.datasets import ptbxl
from ecgkt.ecg import ECG, ECGError
from ecgkt.model.preprocessing import MODEL_SECONDS
from training.simulation.fitting.shapes import FOLDS

SETS = ("ptbxl_native", "ptbxl", "ludb", "cinc")
COLUMNS = ("name", "patient", "age", "male", "codes", "file")
# The stage "sinus" allows any sinus rate; a normal tracing has no other code than these and NORM.
SINUS = frozenset({"SR", "SBRAD", "STACH", "SARRH"})

# SNOMED CT concepts of the Challenge -> SCP-ECG codes (Alday et al. 2020, Reyna et al. 2021, scored classes).
SNOMED = {
    "426783006": "SR", "426177001": "SBRAD", "427084000": "STACH", "427393009": "SARRH", "164889003": "AFIB",
    "164890007": "AFLT", "270492004": "1AVB", "164909002": "CLBBB", "733534002": "CLBBB", "59118001": "CRBBB",
    "713427006": "CRBBB", "713426002": "IRBBB", "445118002": "LAFB", "427172004": "PVC", "164884008": "PVC",
    "17338001": "PVC", "284470004": "PAC", "63593006": "PAC", "164873001": "LVH", "10370003": "PACE",
    "251146004": "LVOLT", "698252002": "IVCD", "164865005": "MI", "164867002": "MI", "54329005": "AMI",
    "428750005": "NST_", "164930006": "NST_", "429622005": "STD_", "164934002": "TAB_", "59931005": "INVT",
    "55930002": "NST_", "39732003": "LAD", "47665007": "RAD", "251259000": "HVOLT", "55827005": "VCLVH",
}  # fmt: skip
# Phrases of ludb.csv, in lower case -> SCP-ECG codes.
LUDB = {
    "sinus rhythm": "SR", "sinus bradycardia": "SBRAD", "sinus tachycardia": "STACH", "sinus arrhythmia": "SARRH",
    "atrial fibrillation": "AFIB", "atrial flutter": "AFLT", "i degree av block": "1AVB",
    "iii degree av-block": "3AVB", "complete left bundle branch block": "CLBBB",
    "incomplete left bundle branch block": "ILBBB", "complete right bundle branch block": "CRBBB",
    "incomplete right bundle branch block": "IRBBB", "left anterior hemiblock": "LAFB",
    "non-specific intravintricular conduction delay": "IVCD", "ventricular extrasystole": "PVC",
    "atrial extrasystole": "PAC", "pacemaker presence": "PACE", "scar formation: inferior wall": "IMI",
    "scar formation: anterior wall": "AMI", "scar formation: septal": "ASMI", "stemi": "STE_", "ischemia": "ISC_",
    "undefined ischemia": "ISC_", "scar formation": "MI", "left ventricular hypertrophy": "LVH",
    "wandering atrial pacemaker": "OTHER", "irregular sinus rhythm": "OTHER", "sinoatrial blockade": "OTHER",
    "non-specific repolarization": "NDT", "early repolarization": "OTHER",
}  # fmt: skip


def read(file: Path) -> ECG:
    """The first 10 s. Raises ECGError for what cannot be used (shorter, or a lead without signal)."""
    ecg = readers.read(file.with_name(f"{file.name}.hea")).crop(0, MODEL_SECONDS)
    if ecg.seconds < MODEL_SECONDS:
        raise ECGError("shorter than 10 s")
    signal = np.nan_to_num(ecg.signal)
    if (np.ptp(signal, axis=1) < 1e-6).any():
        raise ECGError("a lead without signal")
    return ECG(signal, ecg.rate, ecg.age, ecg.sex)


def _table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def real(source: str, data: Path) -> pd.DataFrame:
    """One row an ECG with `COLUMNS`; codes is a space-separated text, male 1, 0 or NaN."""
    read_ = {"ptbxl_native": _ptbxl_native, "ptbxl": _ptbxl, "ludb": _ludb, "cinc": _cinc}[source]
    return read_(data / source)


def _ptbxl_native(folder: Path) -> pd.DataFrame:
    return _ptbxl(folder, high=True)


def _ptbxl(folder: Path, high: bool = False) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for each in ptbxl.recordings(folder / ptbxl.DATABASE, ("ecg_id", "patient_id", "age", "sex", "scp_codes")):
        male = {"male": 1.0, "female": 0.0}.get(each.sex or "", np.nan)
        age = np.nan if each.age is None else each.age
        rows.append((each.ecg_id, each.patient, age, male, " ".join(each.statements or ()),
                     folder / (each.high if high else each.low)))  # fmt: skip
    return _table(rows)


def unseen(data: Path, source: str = "ptbxl") -> set[str]:
    """Names of PTB-XL's recordings (of either copy) to which no shape was fitted (`fitting.shapes`)."""
    listed = ptbxl.recordings(data / source / ptbxl.DATABASE, ("ecg_id", "strat_fold"))
    return {each.ecg_id for each in listed if each.fold not in FOLDS}


def _ludb(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "ludb.csv", dtype=str).fillna("")
    rows: list[tuple[object, ...]] = []
    for entry in table.to_dict("records"):
        file = folder / "data" / entry["ID"].strip()
        if not file.with_suffix(".hea").is_file():
            continue
        said = [line.strip().lower() for value in list(entry.values())[3:] for line in value.splitlines()]
        codes = {code for line in said for phrase, code in LUDB.items() if line.startswith(phrase)}
        if codes & {"IMI", "AMI", "ASMI"}:
            codes.discard("MI")
        if codes & SINUS and codes <= SINUS:
            codes.add("NORM")
        age = re.search(r"\d+", entry["Age"])
        male = {"m": 1.0, "f": 0.0}.get(entry["Sex"].strip().lower(), np.nan)
        rows.append((file.name, file.name, float(age[0]) if age else np.nan, male, " ".join(sorted(codes)), file))
    return _table(rows)


def _cinc(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "records.csv", dtype=str).fillna("")
    rows: list[tuple[object, ...]] = []
    for name, labels in zip(table["record"], table["labels"], strict=True):
        header = (folder / f"{name}.hea").read_text("latin-1").lower()
        age = re.search(r"#\s*age:\s*(\d+)", header)
        sex = re.search(r"#\s*sex:\s*(\w)", header)
        concepts = [c for c in labels.split(",") if c]
        if not concepts:  # not read by anybody, so not known to be free of anything
            continue
        codes = {SNOMED.get(c, "OTHER") for c in concepts}
        if codes & SINUS and codes <= SINUS:
            codes.add("NORM")
        male = {"m": 1.0, "f": 0.0}.get(sex[1] if sex else "", np.nan)
        rows.append((name, name, float(age[1]) if age else np.nan, male, " ".join(sorted(codes)), folder / name))
    return _table(rows)


def simulated(cohort: Path) -> pd.DataFrame:
    """`COLUMNS` and study_id, stay_id for the first ECG of every stay of a simulated cohort."""
    listed = pd.read_csv(cohort / "mimic-iv-ecg" / "record_list.csv")
    ecgs = pd.read_parquet(cohort / "truth" / "ecgs.parquet", columns=["subject_id", "stay_id", "study_id"])
    people = pd.read_parquet(cohort / "truth" / "patients.parquet")
    findings = pd.read_parquet(cohort / "truth" / "findings.parquet")
    codes = findings.groupby("study_id")["code"].agg(" ".join)
    table = ecgs.drop_duplicates("stay_id").merge(listed[["study_id", "path"]], on="study_id")
    table = table.merge(people[["subject_id", "age", "male"]], on="subject_id").reset_index(drop=True)
    return pd.DataFrame(
        {
            "name": table["study_id"].astype(str),
            "patient": table["subject_id"].astype(str),
            "age": table["age"],
            "male": table["male"].astype(float),
            "codes": table["study_id"].map(codes).fillna(""),
            "file": [cohort / "mimic-iv-ecg" / path for path in table["path"]],
            "study_id": table["study_id"],
            "stay_id": table["stay_id"],
        }
    )


def has(table: pd.DataFrame, *codes: str) -> np.ndarray:
    """[rows] bool: any of `codes` stated."""
    return np.array([bool(set(codes) & set(text.split())) for text in table["codes"]])


def normal(table: pd.DataFrame) -> np.ndarray:
    """[rows] bool: stated normal, and sinus rhythm of any rate and nothing else."""
    return np.array([(s := set(text.split())) >= {"NORM"} and s <= SINUS | {"NORM"} for text in table["codes"]])


def narrow_sinus(table: pd.DataFrame) -> np.ndarray:
    """[rows] bool: sinus rhythm without block, pacing, ectopy or infarction (small sets have too few normal ones)."""
    other = ("CLBBB", "CRBBB", "ILBBB", "IVCD", "PACE", "PVC", "PAC", "IMI", "AMI", "ASMI", "ALMI", "LMI", "MI",
             "WPW", "2AVB", "3AVB", "AFIB", "AFLT", "STE_", "INJAS", "INJIN", "INJLA", "OTHER")  # fmt: skip
    return has(table, *SINUS) & ~has(table, *other)
