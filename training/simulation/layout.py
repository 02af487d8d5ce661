"""MIMIC's columns, file by file, and the lead order of its records."""

from __future__ import annotations

from datetime import datetime

from ecgkt.ecg import LEADS

VERSION = "3"

TABLES: dict[str, tuple[str, ...]] = {
    "mimic-iv-ecg/record_list": ("subject_id", "study_id", "file_name", "ecg_time", "path"),
    "mimic-iv-ecg/machine_measurements": (
        "subject_id", "study_id", "cart_id", "ecg_time", *(f"report_{i}" for i in range(18)), "bandwidth", "filtering",
        "rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end", "p_axis", "qrs_axis", "t_axis",
    ),
    "mimic-iv/hosp/patients": ("subject_id", "gender", "anchor_age", "anchor_year", "anchor_year_group", "dod"),
    "mimic-iv/hosp/admissions": (
        "subject_id", "hadm_id", "admittime", "dischtime", "deathtime", "admission_type", "admit_provider_id",
        "admission_location", "discharge_location", "insurance", "language", "marital_status", "race", "edregtime",
        "edouttime", "hospital_expire_flag",
    ),
    "mimic-iv/hosp/labevents": (
        "labevent_id", "subject_id", "hadm_id", "specimen_id", "itemid", "order_provider_id", "charttime", "storetime",
        "value", "valuenum", "valueuom", "ref_range_lower", "ref_range_upper", "flag", "priority", "comments",
    ),
    "mimic-iv/hosp/d_labitems": ("itemid", "label", "fluid", "category"),
    "mimic-iv/hosp/diagnoses_icd": ("subject_id", "hadm_id", "seq_num", "icd_code", "icd_version"),
    "mimic-iv/hosp/d_icd_diagnoses": ("icd_code", "icd_version", "long_title"),
    "mimic-iv/hosp/omr": ("subject_id", "chartdate", "seq_num", "result_name", "result_value"),
    "mimic-iv-ed/ed/edstays": (
        "subject_id", "hadm_id", "stay_id", "intime", "outtime", "gender", "race", "arrival_transport", "disposition",
    ),
    "mimic-iv-ed/ed/triage": (
        "subject_id", "stay_id", "temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp", "pain", "acuity",
        "chiefcomplaint",
    ),
    "mimic-iv-ed/ed/vitalsign": (
        "subject_id", "stay_id", "charttime", "temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp", "rhythm",
        "pain",
    ),
    "mimic-iv-ed/ed/diagnosis": ("subject_id", "stay_id", "seq_num", "icd_code", "icd_version", "icd_title"),
}  # fmt: skip

TRUTH: dict[str, tuple[str, ...]] = {
    "patients": ("subject_id", "age", "male", "height_cm", "weight_kg", "territory"),
    "state": ("subject_id", "stay_id", "condition", "severity"),
    "ecgs": (
        "subject_id", "stay_id", "study_id", "rhythm", "block", "heart_rate", "pr_ms", "p_ms", "qrs_ms", "qt_ms",
        "qtc_ms", "qrs_axis", "fault",
    ),
    "labs": ("study_id", "lab", "value", "measured"),
    "findings": ("study_id", "code"),
    "waves": ("study_id", "beat", "p_onset_ms", "p_end_ms", "qrs_onset_ms", "qrs_end_ms", "t_end_ms"),
    "effects": ("study_id", "source", "parameter", "size"),
    # What each cause changed (`truth.changes`): rate in bpm, intervals in ms, waves in uV (root mean square) by lead.
    "changes": (
        "study_id", "source", "rate", "pr_ms", "qrs_ms", "qt_ms",
        *(f"{part}_{lead}" for lead in LEADS for part in ("P", "QRS", "ST", "T")),
    ),
}  # fmt: skip

# MIMIC-IV-ECG stores aVF before aVL.
LEAD_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
FROM_STANDARD = (0, 1, 2, 3, 5, 4, 6, 7, 8, 9, 10, 11)
GAIN = 200  # ADC units per mV


def time_text(time: datetime) -> str:
    """A time as MIMIC's tables have it: 2150-03-01 12:00:00."""
    return time.isoformat(" ", "seconds")
