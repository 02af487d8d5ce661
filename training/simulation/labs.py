"""Labs and vitals at the moment of an ECG: a healthy distribution moved by the conditions, then drawn or not drawn.

The null labs (MCV, platelets, ALT) have no shift by any condition and no effect on the ECG, so nothing about
them can be learnt from a tracing; they are the check that a result is not an artefact.
"""

from __future__ import annotations

from math import log, log10

import numpy as np

from training.simulation.state import Patient, Stay
from training.simulation.tables import Lab, labs, panels, shifts

NULL_LABS = ("mcv", "platelets", "alt")
VITALS = ("heart_rate", "sbp", "dbp", "temperature", "resp_rate", "o2sat")


def patient_levels(rng: np.random.Generator, patient: Patient) -> dict[str, float]:
    """A patient's own z score for each lab that is not derived from others; constant over the stays."""
    return {lab.key: float(rng.normal()) for lab in labs() if lab.scale != "derived"}


def _moved(active: dict[str, float], complaint: str) -> dict[str, float]:
    moved: dict[str, float] = {}
    table = shifts()
    for name, severity in (*active.items(), (complaint, 0.5)):
        for quantity, present, per_severity in table.get(name, ()):
            moved[quantity] = moved.get(quantity, 0.0) + present + per_severity * severity
    return moved


def true_labs(
    rng: np.random.Generator, patient: Patient, stay: Stay, levels: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """(lab -> true value in its unit, vital -> true value) at the time of the stay's ECG.

    Vitals: sbp, dbp mmHg; temperature deg C; resp_rate per minute; o2sat %. The heart rate comes from the ECG.
    """
    moved = _moved(stay.active, stay.complaint)
    out: dict[str, float] = {}
    for lab in labs():
        if lab.scale == "derived":
            continue
        z = np.sqrt(lab.patient_share) * levels[lab.key] + np.sqrt(1 - lab.patient_share) * rng.normal()
        change = lab.spread * float(z) + moved.get(lab.key, 0.0) + _demographics(lab.key, patient)
        out[lab.key] = lab.centre + change if lab.scale == "linear" else lab.centre * float(np.exp(change))
    out["ast"] *= (out["alt"] / 24) ** 0.45
    out["calcium"] += 0.35 * (out["albumin"] - 4.05)  # bound calcium follows albumin: demo rank correlation .59
    out["potassium"] -= 0.03 * (out["bicarbonate"] - 24.8)
    out["urea_nitrogen"] *= (out["creatinine"] / 0.86) ** 0.25
    out["haemoglobin"] = max(out["haemoglobin"], 3.2)
    out["haematocrit"] = 3.0 * out["haemoglobin"] + float(rng.normal(0, 0.6))
    out["rbc"] = 10 * out["haematocrit"] / out["mcv"]
    out["bicarbonate"], out["anion_gap"] = max(out["bicarbonate"], 3.0), max(out["anion_gap"], 2.0)
    out["chloride"] = out["sodium"] - out["bicarbonate"] - out["anion_gap"]
    out["pt"] = 11.4 * out["inr"] + float(rng.normal(0, 0.25))
    out["pco2"] = max(out["pco2"], 10.0)
    out["ph"] = 6.1 + log10(out["bicarbonate"] / (0.0307 * out["pco2"]))
    for lab in labs():
        low, high = lab.plausible
        out[lab.key] = float(np.clip(out[lab.key], low + 1e-3, high))
    vitals = {
        "sbp": 130 + 0.18 * (patient.age - 60) + moved.get("sbp", 0.0) + rng.normal(0, 18),
        "dbp": 75 + moved.get("dbp", 0.0) + rng.normal(0, 11),
        "temperature": 36.75 + moved.get("temperature", 0.0) * rng.gamma(3, 1 / 3) + rng.normal(0, 0.3),
        "resp_rate": max(8.0, 17.0 + moved.get("resp_rate", 0.0) + rng.normal(0, 2.0)),
        "o2sat": min(100.0, 98.0 + moved.get("o2sat", 0.0) + rng.normal(0, 1.4)),
    }
    return out, {key: float(value) for key, value in vitals.items()}


def _demographics(lab: str, patient: Patient) -> float:
    older = (patient.age - 60) / 10
    return {
        "haemoglobin": (0.9 if patient.male else -0.35) - 0.12 * older,
        "creatinine": (0.12 if patient.male else -0.08) + 0.03 * older,
        "urea_nitrogen": 0.07 * older,
        "albumin": -0.06 * older,
        "nt_probnp": 0.26 * older,
        "troponin_t": 0.12 * older,
        "glucose": 0.006 * (patient.bmi - 28),
        "d_dimer": 0.14 * older,
        "bilirubin": 0.08 if patient.male else -0.08,
    }.get(lab, 0.0)


def draw_panels(rng: np.random.Generator, stay: Stay) -> set[str]:
    """The panels drawn near the ECG: likelier when a condition or complaint makes somebody think of them."""
    reasons = {*stay.active, stay.complaint}
    drawn = set()
    for panel in panels():
        odds = log(panel.probability / (1 - panel.probability))
        odds += sum(size for name, size in panel.raised_by if name in reasons)
        if rng.random() < 1 / (1 + np.exp(-odds)):
            drawn.add(panel.name)
    return drawn


def measure(rng: np.random.Generator, lab: Lab, value: float) -> float:
    """What the laboratory reports: analytic and biological noise of minutes (3 %, sodium and pH far less), rounded."""
    noise = {"sodium": 0.008, "chloride": 0.008, "ph": 0.0015, "calcium": 0.015, "mcv": 0.01}.get(lab.key, 0.03)
    return round(float(np.clip(value * (1 + rng.normal(0, noise)), *lab.plausible)), lab.digits)
