"""What stands in MIMIC's tables of labs and vitals: who drew what when, and the dirt that real tables have."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from ecgkt.simulation import labs as laboratory
from ecgkt.simulation.state import Patient, Stay
from ecgkt.simulation.tables import Lab, complaints, labs
from ecgkt.simulation.visits import FIRST_SUBJECT
from training.simulation.layout import time_text
from training.simulation.writer import Rows

# Chance that a panel's tube is run at the ECG's time, and that it is drawn again some hours later in the department.
NEAR, AGAIN = 0.93, {"troponin": 0.5, "lactate": 0.4}
AGAIN_OTHERS = 0.15
# From the demo: rows that occur twice, results without a number. Chosen, where the demo has none: haemolysed tubes (the
# literature on emergency departments has 2 to 10 %), impossible numbers.
DUPLICATE, UNREPORTED, UNREPORTED_COAGULATION = 0.001, 0.001, 0.010
HAEMOLYSED, IMPOSSIBLE = 0.02, 0.0003
NO_NUMBER = 999999.0
LINKED = 0.7  # the share of draws that carry the admission's number
HAEMOLYSIS = "HEMOLYSIS FALSELY ELEVATES THIS RESULT."
# Of temperature (deg C), heart rate, respiratory rate, saturation, systolic, diastolic: 1 SD between readings, chance
# that a row of vital signs lacks it.
READING_NOISE = np.array([0.15, 6.0, 1.0, 0.7, 6.0, 5.0])
MISSING = (0.06, 0.02, 0.02, 0.02, 0.02, 0.02)
STEADY = ("sodium", "chloride", "ph", "mcv")  # these hardly move within hours


def minutes(rng: np.random.Generator, low: float, high: float) -> timedelta:
    """So many minutes, drawn evenly, in whole seconds as MIMIC's times are."""
    return timedelta(seconds=int(rng.uniform(low, high) * 60))


@lru_cache
def _labs_of() -> dict[str, tuple[Lab, ...]]:
    by_panel: dict[str, list[Lab]] = {}
    for lab in labs():
        by_panel.setdefault(lab.panel, []).append(lab)
    return {panel: tuple(members) for panel, members in by_panel.items()}


def _draws(rng: np.random.Generator, stay: Stay, ecg_time: datetime) -> list[tuple[datetime, list[str]]]:
    """(time, panels) of each draw: near the ECG, an hour or two after it, again, and on the ward in the first day."""
    intensity = laboratory.workup(rng, stay)
    asked = laboratory.draw_panels(rng, stay, intensity)
    near = [rng.random() < NEAR for _ in asked]
    again = [panel for panel in asked if rng.random() < AGAIN.get(panel, AGAIN_OTHERS)]
    first = ecg_time + minutes(rng, -30, 50)
    draws = [
        (first, [panel for panel, soon in zip(asked, near, strict=True) if soon]),
        (ecg_time + minutes(rng, 65, 140), [panel for panel, soon in zip(asked, near, strict=True) if not soon]),
        (ecg_time + minutes(rng, 180, 480), again),
    ]
    if stay.admitted:
        draws.append((ecg_time + minutes(rng, 180, 1080), laboratory.draw_panels(rng, stay, intensity, ward=True)))
    return draws


def lab_rows(
    rng: np.random.Generator, subject: int, stay: Stay, hadm: object, values: dict[str, float], ecg_time: datetime,
    rows: Rows,
) -> set[str]:  # fmt: skip
    """Append the stay's rows of labevents; returns the labs measured within an hour of the ECG.

    values: lab -> true value in the vocabulary's unit. hadm: the admission's number, or "".
    """
    table, measured = rows["mimic-iv/hosp/labevents"], set()
    base = (subject - FIRST_SUBJECT) * 2000 + stay.number * 330
    number = 0
    for specimen, (time, panels) in enumerate(_draws(rng, stay, ecg_time)):
        later = specimen > 1
        admission = hadm if rng.random() < LINKED else ""
        drawn, stored = time_text(time), time_text(time + minutes(rng, 20, 90))
        haemolysed = rng.random() < HAEMOLYSED
        members = [lab for panel in panels for lab in _labs_of()[panel]]
        chances, noise = rng.random((len(members), 2)).tolist(), rng.normal(size=(len(members), 2)).tolist()
        for lab, chance, (z, drift) in zip(members, chances, noise, strict=True):
            value = values[lab.key]
            if later and lab.key not in STEADY:
                value *= 1 + 0.05 * drift
            comment = ""
            if haemolysed and lab.key == "potassium":
                value, comment = value + rng.gamma(2, 0.3), HAEMOLYSIS
            shown, result, flag = _report(lab, value, z, chance[0])
            for _ in range(1 + int(chance[1] < DUPLICATE)):
                number += 1
                table.append(
                    (base + number, subject, admission, 50_000_000 + base + specimen, lab.itemid, "", drawn, stored,
                     shown, result, lab.unit, f"{lab.low:g}", f"{lab.high:g}", flag, "ROUTINE" if later else "STAT",
                     comment)
                )  # fmt: skip
            if specimen == 0 and result:
                measured.add(lab.key)
    return measured


def _report(lab: Lab, value: float, z: float, chance: float) -> tuple[str, str, str]:
    """(value, valuenum, flag) as the laboratory writes them; valuenum is empty where there is no number."""
    if chance < (UNREPORTED_COAGULATION if lab.panel == "coag" else UNREPORTED):
        return "___", "", ""
    result = laboratory.measure(lab, value, z)
    if chance > 1 - IMPOSSIBLE:
        result = NO_NUMBER if chance > 1 - IMPOSSIBLE / 2 else 0.0
    flag = "abnormal" if result > lab.high or result < lab.low else ""
    if result < lab.least:
        return f"<{lab.least:g}", f"{lab.least:g}", flag
    if lab.most < result < NO_NUMBER:
        return f">{lab.most:g}", f"{lab.most:g}", flag
    shown = f"{result:.10g}"
    return shown, shown, flag


def vital_rows(
    rng: np.random.Generator, patient: Patient, stay: Stay, subject: int, stay_id: int, vitals: dict[str, float],
    arrival: datetime, ecg_time: datetime, rows: Rows,
) -> None:  # fmt: skip
    """Append the stay's rows of triage, vitalsign and omr; vitals: all of `labs.VITALS`."""
    complaint = next(c for c in complaints() if c.name == stay.complaint)
    rows["mimic-iv-ed/ed/triage"].append(
        (subject, stay_id, *_reading(rng, vitals), int(rng.integers(0, 11)), triage_level(rng, stay), complaint.text)
    )
    times = [
        ecg_time + minutes(rng, -25, 28),
        *(arrival + minutes(rng, 60, 400) for _ in range(int(rng.poisson(1.2)))),
    ]
    for time in sorted(times):
        rows["mimic-iv-ed/ed/vitalsign"].append(
            (subject, stay_id, time_text(time), *_reading(rng, vitals), "", int(rng.integers(0, 11)))
        )
    if rng.random() < 0.62:
        day = f"{arrival:%Y-%m-%d}"
        results = (
            ("Weight (Lbs)", f"{patient.weight * 2.20462 * (1 + rng.normal(0, 0.01)):.1f}"),
            ("Height (Inches)", f"{patient.height / 2.54:.1f}"),
            ("BMI (kg/m2)", f"{patient.bmi:.1f}"),
            ("Blood Pressure", f"{vitals['sbp']:.0f}/{vitals['dbp']:.0f}"),
        )
        rows["mimic-iv/hosp/omr"] += [(subject, day, 1, name, value) for name, value in results]


def triage_level(rng: np.random.Generator, stay: Stay) -> int:
    """Emergency Severity Index, 1 (dying) to 5."""
    level = 3.6 - 0.6 * sum(stay.acute.values()) - 1.2 * laboratory.acuity(stay) + rng.normal(0, 0.5)
    return min(max(round(level), 1), 5)


def _reading(rng: np.random.Generator, vitals: dict[str, float]) -> tuple[object, ...]:
    """temperature, heartrate, resprate, o2sat, sbp, dbp as somebody typed them; "" where nobody did."""
    noise = rng.normal(size=6) * READING_NOISE
    celsius = vitals["temperature"] + noise[0]
    out: list[object] = [
        round(celsius if rng.random() < 0.01 else celsius * 1.8 + 32, 1),
        round(vitals["heart_rate"] + noise[1]),
        2 * round((vitals["resp_rate"] + noise[2]) / 2),  # counted for half a minute
        round(min(100.0, vitals["o2sat"] + noise[3])),
        round(vitals["sbp"] + noise[4]),
        round(vitals["dbp"] + noise[5]),
    ]
    chance = rng.random(6)
    if rng.random() < 0.002:  # typing errors
        position = int(rng.integers(6))
        wrong = ((9.8, 986.0, 0.0), (0, 8, 800), (0, 180), (9, 0), (0, 12, 1200), (0, 7, 750))[position]
        out[position] = wrong[int(rng.integers(len(wrong)))]
    return tuple("" if c < missing else value for value, c, missing in zip(out, chance, MISSING, strict=True))
