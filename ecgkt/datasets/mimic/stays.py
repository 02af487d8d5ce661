"""Which stay an ECG belongs to and the ICD codes of that stay, as SQL over the views of `tables.add_views`."""

from __future__ import annotations

# Age in years at the ECG: MIMIC shifts dates by patient and gives the age in one (shifted) year.
AGE = "anchor_age + year(ecg_time) - anchor_year"
PATIENT = "SELECT DISTINCT ON (subject_id) * FROM patients ORDER BY subject_id"


def stay_at(records: str) -> str:
    """SQL (study_id, hadm_id, ed_stay): the stay at the time of each ECG of `records`, the emergency stay or else the
    admission; the latest of several. ECGs outside any stay are left out.

    records: name of a relation with subject_id, study_id, ecg_time.
    """
    return f"""
        SELECT study_id, hadm_id, ed_stay FROM (
            SELECT r.study_id, s.hadm_id, s.ed_stay, row_number() OVER (
                       PARTITION BY r.study_id ORDER BY s.rank, s.start DESC, s.hadm_id, s.ed_stay) AS place
            FROM {records} r JOIN (
                SELECT subject_id, hadm_id, stay_id AS ed_stay, intime AS start, outtime AS stop, 0 AS rank FROM edstays
                UNION ALL SELECT subject_id, hadm_id, NULL, admittime, dischtime, 1 FROM admissions
            ) s ON s.subject_id = r.subject_id AND r.ecg_time BETWEEN s.start AND s.stop
        ) WHERE place = 1"""


# (row, code without dot, version 9 or 10) from the table `ecg` (row, hadm_id, ed_stay): the admission's codes and those
# of its emergency stays, or the emergency stay's alone.
CODES = """
    SELECT DISTINCT e.row, upper(replace(trim(d.icd_code), '.', '')) AS code, d.icd_version AS version
    FROM ecg e JOIN diagnoses_icd d ON d.hadm_id = e.hadm_id WHERE d.icd_version IN (9, 10)
    UNION
    SELECT DISTINCT e.row, upper(replace(trim(d.icd_code), '.', '')), d.icd_version
    FROM (SELECT row, ed_stay AS stay_id FROM ecg
          UNION SELECT e.row, s.stay_id FROM ecg e JOIN edstays s ON s.hadm_id = e.hadm_id) e
    JOIN diagnosis d ON d.stay_id = e.stay_id WHERE d.icd_version IN (9, 10)"""
