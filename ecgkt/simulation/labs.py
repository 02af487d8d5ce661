"""Labs and vitals at the moment of an ECG: a healthy distribution moved by the conditions and by acuity.

What is left when these are known is correlated too (lab_correlations.csv): a Gaussian copula, since each lab is a
monotonic function of its own z score. The null labs (MCV, platelets, ALT) have no shift by any condition nor by acuity,
no effect on the ECG and no correlation with a lab that has one, so nothing about them can be learned from a tracing;
they are the check that a result is not an artifact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, log10

import numpy as np

from ecgkt.simulation.state import Patient, Stay
from ecgkt.simulation.tables import Lab, Panel, labs, panels, rows, shifts, spreads

NULL_LABS = ("mcv", "platelets", "alt")
VITALS = ("heart_rate", "sbp", "dbp", "temperature", "resp_rate", "o2sat")
# What two measurements minutes apart differ by, analytic and biological (1 SD, relative); 3 % where none is named.
NOISE = {"sodium": 0.008, "chloride": 0.008, "ph": 0.0015, "calcium": 0.015, "mcv": 0.01}
OTHER_NOISE = 0.03
# mg/dL of total calcium per g/dL of albumin: the bound part (chosen; Payne's correction, BMJ 1973, is 0.8, which is
# known to be too much in the ill), around the healthy mean of albumin.
BOUND_CALCIUM, HEALTHY_ALBUMIN = 0.35, 4.05
SECONDS = 10.9  # of prothrombin time at an INR of 1: the demo's mean ratio


@dataclass(frozen=True)
class Quantities:
    """Everything that has a z score of its own, in the order of labs.csv (without the derived) and vitals.csv.

    center, own (square root of the patient's share of the variance), visit (of the rest): [n]; below, above: [2, n],
    going home and admitted; root: [n, n] Cholesky factor of the correlations; moves: condition -> (present [n], per
    severity [n]).
    """

    keys: tuple[str, ...]
    index: dict[str, int]
    log: np.ndarray
    center: np.ndarray
    below: np.ndarray
    above: np.ndarray
    own: np.ndarray
    visit: np.ndarray
    root: np.ndarray
    moves: dict[str, tuple[np.ndarray, np.ndarray]]


def correlations(keys: tuple[str, ...]) -> np.ndarray:
    """[n, n] correlation matrix of z scores from lab_correlations.csv; pairs that it does not name are 0."""
    matrix = np.eye(len(keys))
    for row in rows("lab_correlations"):
        i, j = keys.index(row["first"]), keys.index(row["second"])
        matrix[i, j] = matrix[j, i] = float(row["rho"])
    return matrix


@lru_cache
def quantities() -> Quantities:
    own = [lab for lab in labs() if lab.scale != "derived"]
    table = [(lab.key, lab.scale == "log", lab.center, lab.below, lab.above, lab.patient_share) for lab in own]
    table += [
        (r["vital"], False, float(r["center"]), spreads(r, "below"), spreads(r, "above"), float(r["patient_share"]))
        for r in rows("vitals")
    ]
    keys, logs, center, below, above, share = zip(*table, strict=True)
    index = {key: i for i, key in enumerate(keys)}
    moves = {}
    for name, changes in shifts().items():
        moves[name] = np.zeros(len(keys)), np.zeros(len(keys))
        for quantity, present, severity in changes:
            moves[name][0][index[quantity]] += present
            moves[name][1][index[quantity]] += severity
    part = np.array(share)
    return Quantities(
        keys, index, np.array(logs), np.array(center), np.array(below).T, np.array(above).T, np.sqrt(part),
        np.sqrt(1 - part), np.linalg.cholesky(correlations(keys)), moves,
    )  # fmt: skip


def patient_levels(rng: np.random.Generator, patient: Patient) -> dict[str, float]:
    """A patient's own z score for each lab and vital that is not derived from others; constant over the stays."""
    q = quantities()
    return dict(zip(q.keys, (q.root @ rng.normal(size=len(q.keys))).tolist(), strict=True))


def acuity(stay: Stay) -> float:
    """How ill beyond the named conditions, 0 (all who go home) to 1: mean 1/3 in the least ill who are admitted."""
    return 1 - exp(-max(stay.acuity, 0.0) / 2) if stay.admitted else 0.0


def shift(patient: Patient, stay: Stay) -> np.ndarray:
    """[n] what conditions, complaint, age, sex and build move, in units of each quantity's scale; without acuity."""
    q = quantities()
    moved = np.zeros(len(q.keys))
    for name, severity in (*stay.active.items(), (stay.complaint, 0.5)):
        if name in q.moves:
            present, per_severity = q.moves[name]
            moved += present + per_severity * severity
    for key, change in _demographics(patient).items():
        moved[q.index[key]] += change
    return moved


def values(q: Quantities, z: np.ndarray, moved: np.ndarray, admitted: bool) -> np.ndarray:
    """[..., n] values in their units from z scores and shifts, both [..., n]."""
    change = np.where(z > 0, q.above[int(admitted)], q.below[int(admitted)]) * z + moved
    out = np.where(q.log, q.center * np.exp(np.where(q.log, change, 0.0)), q.center + change)
    out[..., q.index["calcium"]] += BOUND_CALCIUM * (out[..., q.index["albumin"]] - HEALTHY_ALBUMIN)
    return out


def true_labs(
    rng: np.random.Generator, patient: Patient, stay: Stay, levels: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """(lab -> true value in its unit, vital -> true value) at the time of the stay's ECG.

    Vitals: sbp, dbp mmHg; temperature deg C; resp_rate per minute; o2sat %. The heart rate comes from the ECG.
    """
    q = quantities()
    moved = shift(patient, stay)
    if stay.admitted:
        present, per_severity = q.moves["acuity"]
        moved += present + per_severity * acuity(stay)
    moved[q.index["temperature"]] *= rng.gamma(3, 1 / 3)  # the same infection makes one hot and leaves another cool
    z = q.own * np.array([levels[key] for key in q.keys]) + q.visit * (q.root @ rng.normal(size=len(q.keys)))
    out = dict(zip(q.keys, values(q, z, moved, stay.admitted).tolist(), strict=True))
    packing, reagent = rng.normal(0, 0.6), rng.normal(0, 0.25)
    out["haemoglobin"] = max(out["haemoglobin"], 3.2)
    out["haematocrit"] = 3.0 * out["haemoglobin"] + float(packing)
    out["rbc"] = 10 * out["haematocrit"] / out["mcv"]
    out["bicarbonate"], out["anion_gap"] = max(out["bicarbonate"], 3.0), max(out["anion_gap"], 2.0)
    out["chloride"] = out["sodium"] + out["potassium"] - out["bicarbonate"] - out["anion_gap"]
    out["pt"] = SECONDS * out["inr"] + float(reagent)
    out["pco2"] = max(out["pco2"], 10.0)
    out["ph"] = 6.1 + log10(out["bicarbonate"] / (0.0307 * out["pco2"]))
    for lab in labs():
        low, high = lab.plausible
        out[lab.key] = min(max(out[lab.key], low + 1e-3), high)
    vitals = {key: out.pop(key) for key in VITALS if key in q.index}
    vitals["resp_rate"], vitals["o2sat"] = max(8.0, vitals["resp_rate"]), min(100.0, vitals["o2sat"])
    vitals["dbp"] = min(vitals["dbp"], vitals["sbp"] - 12)
    return out, vitals


def _demographics(patient: Patient) -> dict[str, float]:
    """Quantity -> change by age, sex and build, in units of its scale (chosen)."""
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
        "sbp": 1.8 * older,
    }


def workup(rng: np.random.Generator, stay: Stay) -> float:
    """How much is asked of the laboratory in this stay, in SD: some doctors and some evenings ask for everything."""
    return float(rng.normal()) + acuity(stay)


def _chance(panel: Panel, probability: float, intensity: float, reasons: set[str]) -> float:
    odds = log(probability / (1 - probability)) + panel.workup * intensity
    odds += sum(size for name, size in panel.raised_by if name in reasons)
    return 1 / (1 + exp(-odds))


def draw_panels(
    rng: np.random.Generator, stay: Stay, intensity: float, ward: bool = False, among: Sequence[Panel] | None = None
) -> list[str]:
    """The panels of one draw: likelier when a condition, a complaint or another panel makes somebody think of them.

    intensity: from `workup`. ward: the draw of an admission's first day, in place of that near the ECG. among:
    other panels than those of panels.csv.
    """
    reasons, drawn = {*stay.active, stay.complaint}, []
    for panel in among or panels():
        if panel.company and panel.company not in reasons:
            continue
        if rng.random() < _chance(panel, panel.ward if ward else panel.probability, intensity, reasons):
            drawn.append(panel.name)
            reasons.add(panel.name)
    return drawn


def measure(lab: Lab, value: float, z: float) -> float:
    """What the laboratory finds, in the digits it reports; z: a standard normal number for the measurement's noise."""
    low, high = lab.plausible
    return round(min(max(value * (1 + z * NOISE.get(lab.key, OTHER_NOISE)), low), high), lab.digits)
