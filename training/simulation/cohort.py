"""One patient after another: state, stays, ECGs, and the rows of every table that mentions them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from ecgkt.simulation.diagnoses import code, titles
from ecgkt.simulation.findings import find
from ecgkt.simulation.tables import statements
from ecgkt.simulation.tracing import RATE, Streams, Tracing, draw_tracing
from ecgkt.simulation.truth import changes
from ecgkt.simulation.visits import FIRST_HADM, FIRST_STAY, FIRST_SUBJECT, Planned, Visit, visits
from training.simulation.layout import time_text
from training.simulation.measurements import lab_rows, minutes, vital_rows
from training.simulation.writer import Rows, write_record

RACES = ("WHITE", "BLACK/AFRICAN AMERICAN", "HISPANIC/LATINO", "ASIAN", "OTHER", "UNKNOWN")
NO_WAVE = 29999  # MIMIC-IV-ECG's number for a wave that the machine did not find


def simulate_patient(seed: int, index: int, folder: Path, rows: Rows) -> None:
    """Append everything about patient `index` to `rows`, and write the tracings below `folder`."""
    rng = Streams(seed, index)("person")
    race = str(rng.choice(RACES, p=[0.6, 0.2, 0.07, 0.05, 0.05, 0.03]))
    start = timedelta(days=int(rng.integers(360)), minutes=int(rng.integers(1440)))
    for visit in visits(seed, index):
        patient, stay = visit.patient, visit.stay
        if stay.number == 0:
            subject = FIRST_SUBJECT + index
            shown = 91 if patient.age >= 90 else int(patient.age)
            rows["mimic-iv/hosp/patients"].append(
                (subject, "M" if patient.male else "F", shown, patient.year, "2014 - 2016", "")
            )
            rows["truth/patients"].append(
                (subject, patient.age, patient.male, patient.height, patient.weight, patient.territory)
            )
        _stay(visit, datetime(patient.year, 1, 1) + start + timedelta(days=stay.days), race, folder, rows)


def _stay(visit: Visit, arrival: datetime, race: str, folder: Path, rows: Rows) -> None:
    rng, patient, stay = visit.rng, visit.patient, visit.stay
    subject = FIRST_SUBJECT + patient.index
    stay_id = FIRST_STAY + patient.index * 10 + stay.number
    hadm = FIRST_HADM + patient.index * 10 + stay.number if stay.admitted else ""
    arrival += minutes(rng, 0, 1440)
    leave = arrival + minutes(rng, 150, 700)
    gender = "M" if patient.male else "F"
    rows["mimic-iv-ed/ed/edstays"].append(
        (subject, hadm, stay_id, time_text(arrival), time_text(leave), gender, race,
         "AMBULANCE" if stay.admitted and rng.random() < 0.6 else "WALK IN", "ADMITTED" if stay.admitted else "HOME")
    )  # fmt: skip
    if stay.admitted:
        home = leave + timedelta(days=float(rng.gamma(2, 2)) + 0.3)
        rows["mimic-iv/hosp/admissions"].append(
            (subject, hadm, time_text(leave), time_text(home), "", "EW EMER.", "", "EMERGENCY ROOM", "HOME", "Other",
             "English", "", race, time_text(arrival), time_text(leave), 0)
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
    ecg_time = arrival + minutes(rng, 2, 55)
    drawn = lab_rows(rng, subject, stay, hadm, visit.labs, ecg_time, rows)
    vitals = dict(visit.vitals)
    for planned in visit.ecgs:
        tracing = draw_tracing(planned.streams, patient, stay, visit.body, planned.drawn)
        when = ecg_time + planned.repeat * minutes(rng, 25, 150)
        _ecg(rng, visit, planned, tracing, when, drawn, folder, rows)
        if planned.repeat == 0:
            vitals["heart_rate"] = tracing.rate
    vital_rows(rng, patient, stay, subject, stay_id, vitals, arrival, ecg_time, rows)


def _ecg(
    rng: np.random.Generator, visit: Visit, planned: Planned, tracing: Tracing, when: datetime, measured: set[str],
    folder: Path, rows: Rows,
) -> None:  # fmt: skip
    patient, study = visit.patient, planned.study
    subject = FIRST_SUBJECT + patient.index
    path = write_record(folder, subject, study, when, tracing.signal, RATE)
    rows["mimic-iv-ecg/record_list"].append((subject, study, study, time_text(when), path))
    codes = find(patient, tracing)
    reports = [statements()[name] for name in codes][:18]
    axis, t_axis = _axes(tracing)
    p_wave = tracing.conduction.kind == "sinus" and not tracing.conduction.av and len(tracing.rhythm.p) > 0
    rows["mimic-iv-ecg/machine_measurements"].append(
        (subject, study, 6800000 + patient.index % 40, time_text(when), *reports, *[""] * (18 - len(reports)),
         "0.005-150 Hz", "60 Hz notch Baseline filter", int(tracing.rr.mean() * 1000),
         *_machine_times(rng, tracing, p_wave), int(rng.normal(50, 15)) if p_wave else NO_WAVE, axis, t_axis)
    )  # fmt: skip
    rows["truth/labs"] += [(study, key, value, key in measured) for key, value in visit.labs.items()]
    rows["truth/findings"] += [(study, name) for name in codes]
    rows["truth/effects"] += [(study, *applied) for applied in tracing.morphology.applied]
    changed = changes(planned.streams, visit.stay, visit.body, planned.drawn, tracing)
    rows["truth/changes"] += [(study, *row) for row in changed]
    _true_times(visit, study, tracing, p_wave, axis, rows)


def _axes(tracing: Tracing) -> tuple[int, int]:
    """Frontal axes of QRS and of ST-T, degrees, from areas in I and aVF; aVF is scaled up to I's bipolar size."""
    onset = 100  # sample of QRS onset in `Tracing.beat`
    end = onset + int(tracing.morphology["qrs"] / 2)  # ms -> samples at 500 Hz
    areas = tracing.beat[:, onset:end].sum(axis=1), tracing.beat[:, end:].sum(axis=1)
    qrs, t = (int(np.rad2deg(np.arctan2(2 * area[5] / np.sqrt(3), area[0]))) for area in areas)
    return qrs, t


def _machine_times(rng: np.random.Generator, tracing: Tracing, p_wave: bool) -> list[int]:
    """p_onset, p_end, qrs_onset, qrs_end, t_end in ms as the cart reads them: from an arbitrary zero, with errors."""
    m = tracing.morphology
    qrs = 40 + int(m["pr"]) if p_wave else 240
    atrial = [40, 40 + int(m["p_ms"])] if p_wave else [NO_WAVE, NO_WAVE]
    times = (*atrial, qrs, qrs + m["qrs"], qrs + tracing.qt * 1000 + m["st_ms"])
    return [int(time + rng.normal(0, 3)) if time != NO_WAVE else NO_WAVE for time in times]


def _true_times(visit: Visit, study: int, tracing: Tracing, p_wave: bool, axis: int, rows: Rows) -> None:
    """Append the rows of truth/ecgs and, of the first three conducted beats that lie well inside, truth/waves."""
    m, c, stay_id = tracing.morphology, tracing.conduction, FIRST_STAY + visit.patient.index * 10 + visit.stay.number
    rows["truth/ecgs"].append(
        (FIRST_SUBJECT + visit.patient.index, stay_id, study, c.kind, c.block, tracing.rate,
         m["pr"] if p_wave else np.nan, m["p_ms"] if p_wave else np.nan, m["qrs"], tracing.qt * 1000 + m["st_ms"],
         m["qtc"] + m["st_ms"], axis, tracing.fault)
    )  # fmt: skip
    normal = tracing.rhythm.qrs[~tracing.rhythm.ectopic]
    for beat, onset in enumerate(normal[(normal > 0.3) & (normal < 9.3)][:3] * 1000):
        p = (onset - m["pr"], onset - m["pr"] + m["p_ms"]) if p_wave else (np.nan, np.nan)
        rows["truth/waves"].append((study, beat, *p, onset, onset + m["qrs"], onset + tracing.qt * 1000 + m["st_ms"]))
