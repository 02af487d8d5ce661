"""A small cohort in MIMIC's layout, written for a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.training.cohort.signals.written_records import write_record

PATIENTS = 12
START = pd.Timestamp("2180-03-01 08:00:00")
T = pd.Timedelta


def write_cohort(top: Path) -> None:
    """Every patient: an emergency stay that led to an admission with two ECGs; one ECG a year later, outside any stay.

    Patient n has study ids 100 n, 100 n + 1 (1 h later), 100 n + 2 (outside).
    """
    tables: dict[str, list[dict[str, object]]] = {}

    def add(name: str, **row: object) -> None:
        tables.setdefault(name, []).append(row)

    ecg, hosp, ed = top / "mimic-iv-ecg", top / "mimic-iv" / "hosp", top / "mimic-iv-ed" / "ed"
    for item, label, fluid in (
        (50971, "Potassium", "Blood"),
        (50983, "Sodium", "Urine"),
        (77777, "Sodium", "Blood"),
        (51003, "Something else", "Blood"),
    ):
        add("hosp/d_labitems", itemid=item, label=label, fluid=fluid, category="Chemistry")
    for n in range(1, PATIENTS + 1):
        even = n % 2 == 0
        add("hosp/patients", subject_id=n, gender="F" if even else "M", anchor_age=50 + n, anchor_year=2178)
        add(
            "hosp/admissions",
            subject_id=n,
            hadm_id=1000 + n,
            admittime=START + T("4h"),
            dischtime=START + T("5D"),
        )
        add(
            "ed/edstays",
            subject_id=n,
            hadm_id=1000 + n,
            stay_id=5000 + n,
            intime=START,
            outtime=START + T("5h"),
        )
        times = [START + T("30min"), START + T("90min"), START + T("400D")]
        for k, time in enumerate(times):
            study, path = 100 * n + k, f"files/p{n}/s{k}/{100 * n + k}"
            write_record((ecg / path).parent, str(study), seed=study)
            add("record_list", subject_id=n, study_id=study, file_name=study, ecg_time=time, path=path)
            report = ["Sinus rhythm", "Atrial fibrillation"][even]
            extra = "Possible inferior infarct" if n == 1 else "Inferior infarct" if n == 2 else None
            add("machine_measurements", subject_id=n, study_id=study, ecg_time=time, report_0=report, report_1=extra)
        version, code = (9, "42731") if n % 4 == 0 else (10, "I4891") if even else (10, "I10")
        add("hosp/diagnoses_icd", subject_id=n, hadm_id=1000 + n, seq_num=1, icd_code=code, icd_version=version)
        add(
            "ed/diagnosis",
            subject_id=n,
            stay_id=5000 + n,
            seq_num=1,
            icd_code="I5022" if n % 3 else "I5032",
            icd_version=10,
        )
        # Fahrenheit, Celsius, and a lost decimal point: all of them 38 degrees.
        temperature = [100.4, 38, 1004][n % 3]
        vitals = {"heartrate": 80, "resprate": 16, "o2sat": 98, "sbp": 120, "dbp": 9000}
        add("ed/triage", subject_id=n, stay_id=5000 + n, temperature=temperature, **vitals)
        add(
            "ed/vitalsign",
            subject_id=n,
            stay_id=5000 + n,
            charttime=START + T("35min"),
            **{**vitals, "heartrate": 90, "temperature": None},
        )
        add("hosp/omr", subject_id=n, chartdate="2180-02-20", seq_num=1, result_name="Weight (Lbs)", result_value="200")
        add(
            "hosp/omr",
            subject_id=n,
            chartdate="2180-02-20",
            seq_num=2,
            result_name="Height (Inches)",
            result_value="70",
        )
        add("hosp/omr", subject_id=n, chartdate="2179-02-20", seq_num=1, result_name="BMI (kg/m2)", result_value="28")
        add(
            "hosp/omr",
            subject_id=n,
            chartdate="2180-02-21",
            seq_num=1,
            result_name="Blood Pressure",
            result_value="120/80",
        )
    rng = np.random.default_rng(3)
    for event in range(600):
        item = int(rng.choice([50971, 50983, 77777, 51003]))
        value = float(rng.normal(4.2, 0.9)) if item == 50971 else float(rng.normal(139, 4))
        # Whole minutes, so that ties are frequent, and both sides of the window's edge.
        time = START + T(minutes=int(rng.integers(-60, 180) // 15 * 15))
        add(
            "hosp/labevents",
            labevent_id=600 - event,
            subject_id=int(rng.integers(1, PATIENTS + 1)),
            hadm_id=None,
            itemid=item,
            charttime=time,
            valuenum=[value, 400.0][event % 50 == 0],
            ref_range_lower=3.5 if item == 50971 else None,
            ref_range_upper=5.0 if item == 50971 else None,
        )
    for folder in (hosp, ed, ecg):
        folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        place = {"hosp": hosp, "ed": ed}.get(name.split("/")[0], ecg) / f"{name.split('/')[-1]}.csv.gz"
        pd.DataFrame(rows).to_csv(place, index=False)
