"""Patients: age, sex, build, chronic conditions with a severity; and the stays in which something acute happens.

Diagnoses, labs and the ECG all follow from this state, never from one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log

import numpy as np

from ecgkt.simulation.tables import Condition, complaints, conditions, effects

ACUTE_CORONARY = ("stemi_anterior", "stemi_inferior", "stemi_lateral", "nstemi", "unstable_angina")
BREATHLESS = {"heart_failure", "copd", "pulmonary_embolism", "pneumonia", "pericardial_effusion"}
WEAK = {"anaemia", "hyponatraemia", "aki", "hyperkalaemia", "periodic_paralysis", "hypothermia", "myxoedema",
        "adrenal_insufficiency", "rhabdomyolysis"}  # fmt: skip
TERRITORIES = ("anterior", "septal", "inferior", "lateral")


@dataclass(frozen=True)
class Patient:
    """index counts from 0; age in years at the first stay; height cm; weight kg; chronic: condition -> severity 0-1.

    sensitivity: one number per row of `tables.effects()`, 0 for an effect that is silent in this patient, mean near 1
    otherwise; shared by all the patient's ECGs. territory: the wall of an old infarction. year: of the first stay.
    """

    index: int
    age: float
    male: bool
    height: float
    weight: float
    chronic: dict[str, float]
    sensitivity: np.ndarray
    territory: str
    year: int

    @property
    def bmi(self) -> float:
        return self.weight / (self.height / 100) ** 2


@dataclass(frozen=True)
class Stay:
    """One visit to the emergency department. days: after the patient's first; acute: condition -> severity 0-1.

    complaint: a row of complaints.csv. territory: where acute ischaemia lies. admitted: goes to the ward. acuity: log
    odds of needing a bed, from what is active and from what no condition names; positive in all who are admitted.
    """

    number: int
    days: int
    acute: dict[str, float]
    complaint: str
    territory: str
    admitted: bool
    icd9: bool
    active: dict[str, float] = field(default_factory=dict)
    acuity: float = -1.0


def _probability(condition: Condition, age: float, male: bool, present: dict[str, float], extra: float = 0.0) -> float:
    odds = log(condition.prevalence / (1 - condition.prevalence)) + condition.per_decade * (age - 60) / 10 + extra
    odds += condition.male * male + sum(size for cause, size in condition.causes if cause in present)
    return 1 / (1 + exp(-odds))


def _draw(
    rng: np.random.Generator, chronic: bool, age: float, male: bool, present: dict[str, float], extra: float = 0.0
) -> dict[str, float]:
    out: dict[str, float] = {}
    known = dict(present)
    for condition in conditions():
        if condition.chronic != chronic:
            continue
        chance, severity = rng.random(), rng.beta(1.3, 1.7)
        if chance < _probability(condition, age, male, known, extra):
            out[condition.name] = known[condition.name] = float(severity)
    return out


def draw_patient(rng: np.random.Generator, index: int) -> Patient:
    """A patient with the comorbidity of an emergency department population (median age near 60, BMI near 28)."""
    age = float(np.clip(rng.normal(61, 19), 18, 97))
    male = bool(rng.random() < 0.48)
    height = float(rng.normal(175 if male else 162, 7))
    bmi = float(np.clip(np.exp(rng.normal(np.log(27.6), 0.21)), 15, 60))
    chronic = _draw(rng, True, age, male, {})
    if "esrd" in chronic:
        chronic.pop("ckd", None)
    if "lbbb" in chronic:  # the bundles cannot both be blocked in a beat that is conducted
        for name in ("rbbb", "lafb", "lpfb", "wpw"):
            chronic.pop(name, None)
    rows = effects()
    spread = np.array([e.sensitivity_sd for e in rows])
    silent = rng.random(len(rows)) < np.array([e.silent for e in rows])
    # Lognormal: a sensitivity has a sign, and a few patients react far more than the mean; none five times as much,
    # which would make a QRS of 200 ms of a failing heart without any block.
    sensitivity = np.minimum(np.exp(rng.normal(0, 1, len(rows)) * spread - spread**2 / 2), 3.0)
    # One draw a source: a patient silent to potassium is so in most of its effects, not in each by a separate chance.
    shared = {source: rng.random() for source in dict.fromkeys(e.source for e in rows)}
    together = np.array([shared[e.source] < e.silent for e in rows])
    keep = np.where(rng.random(len(rows)) < 0.7, ~together, ~silent)
    territory = TERRITORIES[int(rng.choice(4, p=[0.25, 0.2, 0.4, 0.15]))]
    return Patient(index, age, male, height, bmi * (height / 100) ** 2, chronic, sensitivity * keep, territory,
                   int(rng.integers(2110, 2195)))  # fmt: skip


def draw_stay(rng: np.random.Generator, patient: Patient, number: int, days: int) -> Stay:
    """One stay: acute conditions given the chronic ones, or a complaint without any."""
    acute = _draw(rng, False, patient.age, patient.male, patient.chronic, extra=0.15)
    infarct = [name for name in ACUTE_CORONARY if name in acute]
    for name in infarct[1:]:
        del acute[name]
    if "hyperkalaemia" in acute:
        acute.pop("hypokalaemia", None)
    if "periodic_paralysis" in acute:
        acute.pop("hyperkalaemia", None)
    if "vt" in acute:  # one tachycardia at a time
        acute.pop("svt", None)
    if "hypercalcaemia" in acute:
        acute.pop("hypocalcaemia", None)
    weights = np.array([c.weight for c in complaints()])
    everything = acute.keys() | patient.chronic.keys()
    for position, complaint in enumerate(complaints()):
        raised = {
            "chest_pain": bool(infarct) or bool({"pericarditis", "takotsubo", "myocarditis"} & acute.keys()),
            "dyspnoea": bool(BREATHLESS & everything),
            "fever": bool({"sepsis", "pneumonia"} & acute.keys()),
            "palpitations": bool({"afib", "aflutter", "hyperthyroid", "svt", "vt"} & everything),
            "syncope": bool({"avb3", "avb2", "long_qt", "vt", "sick_sinus", "aortic_stenosis"} & everything),
            "weakness": bool(WEAK & acute.keys()),
            "headache": "subarachnoid_haemorrhage" in acute,
            "alcohol": "alcohol_withdrawal" in acute,
        }.get(complaint.name, False)  # fmt: skip
        weights[position] *= 5.0 if raised else 1.0
        weights[position] *= exp(complaint.per_decade * (patient.age - 60) / 10 + complaint.male * patient.male)
    chosen = complaints()[int(rng.choice(len(weights), p=weights / weights.sum()))]
    territory = patient.territory if rng.random() < 0.4 else TERRITORIES[int(rng.choice(4, p=[0.3, 0.2, 0.35, 0.15]))]
    ill = sum(acute.values()) + 0.4 * sum(patient.chronic.values()) * (patient.age / 60)
    acuity = 2.2 * ill - 1.5 + float(rng.logistic())
    icd9 = bool(rng.random() < 0.12)
    active = {**patient.chronic, **acute}
    return Stay(number, days, acute, chosen.name, territory, acuity > 0, icd9, active, acuity)
