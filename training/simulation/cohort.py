"""One patient after another: state, stays, ECGs, and the rows of every table that mentions them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from training.simulation import labs as laboratory
from training.simulation.diagnoses import code
from training.simulation.effects import baseline, morphology
from training.simulation.findings import find
from training.simulation.measurements import lab_rows, vital_rows
from training.simulation.state import Patient, Stay, draw_patient, draw_stay
from training.simulation.tables import complaints, conditions, others, statements
from training.simulation.tracing import RATE, Tracing, draw_body, draw_tracing
from training.simulation.writer import Rows, write_record

FIRST_SUBJECT, FIRST_HADM, FIRST_STAY, FIRST_STUDY = 10_000_000, 20_000_000, 30_000_000, 40_000_000
RACES = ("WHITE", "BLACK/AFRICAN AMERICAN", "HISPANIC/LATINO", "ASIAN", "OTHER", "UNKNOWN")
NO_WAVE = 29999  # MIMIC-IV-ECG's number for a wave that the machine did not find


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _minutes(rng: np.random.Generator, low: float, high: float) -> timedelta:
    return timedelta(seconds=int(rng.uniform(low, high) * 60))


@lru_cache
def titles() -> dict[tuple[str, int], str]:
    """(ICD code, version) -> title of every code the cohort can hold."""
    out = {(other.icd10, 10): other.title for other in others()} | {(other.icd9, 9): other.title for other in others()}
    for row in conditions():
        out |= {(c, 10): row.title for c, _ in row.icd10} | {(c, 9): row.title for c, _ in row.icd9}
    for complaint in complaints():
        name = complaint.name.replace("_", " ").capitalize()
        out |= {(c, 10): name for c, _ in complaint.icd10} | {(c, 9): name for c, _ in complaint.icd9}
    out |= {("I130", 10): "Hypertensive heart and chronic kidney disease with heart failure"}
    out |= {("I110", 10): "Hypertensive heart disease with heart failure"}
    return out | {("I129", 10): "Hypertensive chronic kidney disease"}


def simulate_patient(seed: int, index: int, folder: Path, rows: Rows) -> None:
    """Append everything about patient `index` to `rows`, and write the tracings below `folder`."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index])))
    patient, body = draw_patient(rng, index), draw_body(rng)
    own, levels = baseline(rng, patient), laboratory.patient_levels(rng, patient)
    subject = FIRST_SUBJECT + index
    race = str(rng.choice(RACES, p=[0.6, 0.2, 0.07, 0.05, 0.05, 0.03]))
    rows["mimic-iv/hosp/patients"].append(
        (subject, "M" if patient.male else "F", 91 if patient.age >= 90 else int(patient.age), patient.year,
         "2014 - 2016", "")
    )  # fmt: skip
    rows["truth/patients"].append(
        (subject, patient.age, patient.male, patient.height, patient.weight, patient.territory)
    )
    start = datetime(patient.year, 1, 1) + timedelta(days=int(rng.integers(360)), minutes=int(rng.integers(1440)))
    days, count = 0, 1 + min(int(rng.geometric(0.72)) - 1, 4)
    for number in range(count):
        stay = draw_stay(rng, patient, number, days)
        _stay(rng, patient, stay, body, own, levels, start + timedelta(days=days), race, folder, rows)
        days += int(rng.integers(3, 500))


def _stay(
    rng: np.random.Generator, patient: Patient, stay: Stay, body: object, own: dict[str, float],
    levels: dict[str, float], arrival: datetime, race: str, folder: Path, rows: Rows,
) -> None:  # fmt: skip
    subject = FIRST_SUBJECT + patient.index
    stay_id = FIRST_STAY + patient.index * 10 + stay.number
    hadm = FIRST_HADM + patient.index * 10 + stay.number if stay.admitted else ""
    arrival += _minutes(rng, 0, 1440)
    leave = arrival + _minutes(rng, 150, 700)
    gender = "M" if patient.male else "F"
    rows["mimic-iv-ed/ed/edstays"].append(
        (subject, hadm, stay_id, _text(arrival), _text(leave), gender, race,
         "AMBULANCE" if stay.admitted and rng.random() < 0.6 else "WALK IN", "ADMITTED" if stay.admitted else "HOME")
    )  # fmt: skip
    if stay.admitted:
        home = leave + timedelta(days=float(rng.gamma(2, 2)) + 0.3)
        rows["mimic-iv/hosp/admissions"].append(
            (subject, hadm, _text(leave), _text(home), "", "EW EMER.", "", "EMERGENCY ROOM", "HOME", "Other", "English",
             "", race, _text(arrival), _text(leave), 0)
        )  # fmt: skip
    for name, severity in stay.active.items():
        rows["truth/state"].append((subject, stay_id, name, severity))
    version = 9 if stay.icd9 else 10
    names = titles()
    for position, icd in enumerate(code(rng, patient, stay), 1):
        if position <= 9:
            rows["mimic-iv-ed/ed/diagnosis"].append(
                (subject, stay_id, position, icd, version, names[icd, version].upper())
            )
        if stay.admitted:
            rows["mimic-iv/hosp/diagnoses_icd"].append((subject, hadm, position, icd, version))
    values, vitals = laboratory.true_labs(rng, patient, stay, levels)
    ecg_time = arrival + _minutes(rng, 2, 55)
    drawn = lab_rows(rng, subject, stay, hadm, values, ecg_time, rows)
    for repeat in range(1 + int(rng.random() < 0.12)):
        m = morphology(rng, patient, stay, own, values, vitals["temperature"])
        tracing = draw_tracing(rng, patient, stay, body, m)  # type: ignore[arg-type]
        study = FIRST_STUDY + patient.index * 10 + stay.number * 2 + repeat
        when = ecg_time + repeat * _minutes(rng, 25, 150)
        _ecg(rng, patient, stay, tracing, subject, stay_id, study, when, values, drawn, folder, rows)
        if repeat == 0:
            vitals["heart_rate"] = tracing.rate
    vital_rows(rng, patient, stay, subject, stay_id, vitals, arrival, ecg_time, rows)


def _ecg(
    rng: np.random.Generator, patient: Patient, stay: Stay, tracing: Tracing, subject: int, stay_id: int, study: int,
    when: datetime, values: dict[str, float], drawn: set[str], folder: Path, rows: Rows,
) -> None:  # fmt: skip
    path = write_record(folder, subject, study, when, tracing.signal, RATE)
    codes, m, c = find(patient, stay, tracing), tracing.morphology, tracing.conduction
    rows["mimic-iv-ecg/record_list"].append((subject, study, study, _text(when), path))
    part = tracing.beat[:, 100 : 100 + int(m["qrs"] / 2)].sum(axis=1)
    wave = tracing.beat[:, 100 + int(m["qrs"] / 2) :].sum(axis=1)
    axis, t_axis = (int(np.rad2deg(np.arctan2(2 * a[5] / np.sqrt(3), a[0]))) for a in (part, wave))
    has_p = c.kind == "sinus" and not c.av and len(tracing.rhythm.p) > 0
    qrs_on = 40 + int(m["pr"]) if has_p else 240
    points = [40, 40 + int(m["p_ms"])] if has_p else [NO_WAVE, NO_WAVE]
    measured = [int(x + rng.normal(0, 3)) if x != NO_WAVE else x
                for x in (*points, qrs_on, qrs_on + m["qrs"], qrs_on + tracing.qt * 1000)]  # fmt: skip
    reports = [statements()[name] for name in codes][:18]
    rows["mimic-iv-ecg/machine_measurements"].append(
        (subject, study, 6800000 + patient.index % 40, _text(when), *reports, *[""] * (18 - len(reports)),
         "0.005-150 Hz", "60 Hz notch Baseline filter", int(tracing.rr.mean() * 1000), *measured,
         int(rng.normal(50, 15)) if has_p else NO_WAVE, axis, t_axis)
    )  # fmt: skip
    qtc = m["qtc"] + m["st_ms"]
    rows["truth/ecgs"].append(
        (subject, stay_id, study, c.kind, c.block, tracing.rate, m["pr"] if has_p else np.nan,
         m["p_ms"] if has_p else np.nan, m["qrs"], tracing.qt * 1000 + m["st_ms"], qtc, axis)
    )  # fmt: skip
    rows["truth/labs"] += [(study, key, value, key in drawn) for key, value in values.items()]
    rows["truth/findings"] += [(study, name) for name in codes]
    rows["truth/effects"] += [(study, *applied) for applied in m.applied]
    normal = tracing.rhythm.qrs[~tracing.rhythm.ectopic]
    for beat, onset in enumerate(normal[(normal > 0.3) & (normal < 9.3)][:3] * 1000):
        p = (onset - m["pr"], onset - m["pr"] + m["p_ms"]) if has_p else (np.nan, np.nan)
        rows["truth/waves"].append((study, beat, *p, onset, onset + m["qrs"], onset + tracing.qt * 1000 + m["st_ms"]))
