"""ICD codes of a stay: what the coder writes down, which is neither all of the state nor only the state.

A condition is coded with its table's probability, more often when severe; a code without its condition appears in a few
stays in a thousand (old charts, rule-outs). Some stays are coded in ICD-9, as MIMIC's early years are.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log

import numpy as np

from ecgkt.simulation.state import Patient, Stay
from ecgkt.simulation.tables import complaints, conditions, others

FALSE_POSITIVE = 0.002


def _pick(rng: np.random.Generator, codes: tuple[tuple[str, float], ...]) -> str:
    weights = np.array([w for _, w in codes])
    return codes[int(rng.choice(len(codes), p=weights / weights.sum()))][0]


def code(rng: np.random.Generator, patient: Patient, stay: Stay) -> list[str]:
    """ICD codes without dots, the most acute first; ICD-9 throughout where `stay.icd9`."""
    wrong = rng.random(len(conditions())) < FALSE_POSITIVE
    given: list[str] = []
    lesser: list[str] = []
    for condition, mistaken in zip(conditions(), wrong, strict=True):
        chance = rng.random()
        severity = stay.active.get(condition.name)
        if severity is None and not mistaken:
            continue
        if severity is not None and chance > condition.coded * (0.82 + 0.36 * severity):
            continue
        codes = condition.icd9 if stay.icd9 else condition.icd10
        if codes:
            (lesser if condition.chronic else given).append(_pick(rng, codes))
    if not given or rng.random() < 0.5:
        complaint = next(c for c in complaints() if c.name == stay.complaint)
        given.append(_pick(rng, complaint.icd9 if stay.icd9 else complaint.icd10))
    out = given + _combined(lesser)
    for other in others():
        odds = log(other.probability / (1 - other.probability)) + other.per_decade * (patient.age - 60) / 10
        odds += other.per_bmi * (patient.bmi - 28) + other.log_odds * (other.condition in stay.active)
        if rng.random() < 1 / (1 + exp(-odds)):
            out.append(other.icd9 if stay.icd9 else other.icd10)
    return list(dict.fromkeys(out))


def _combined(codes: list[str]) -> list[str]:
    """ICD-10's combination codes: hypertension with heart failure or kidney disease is I11 to I13, not I10."""
    if "I10" not in codes:
        return codes
    heart = any(c.startswith("I50") for c in codes)
    kidney = any(c.startswith("N18") for c in codes)
    combined = {(True, True): "I130", (True, False): "I110", (False, True): "I129", (False, False): "I10"}
    return [combined[heart, kidney] if c == "I10" else c for c in codes]


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
