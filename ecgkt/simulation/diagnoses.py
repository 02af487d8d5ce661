"""ICD codes of a stay: what the coder writes down, which is neither all of the state nor only the state.

A condition is coded with its table's probability, more often when severe; a code without its condition appears in a few
stays in a thousand (old charts, rule-outs), never more than a tenth as often as the condition itself. Some stays are
coded in ICD-9, as MIMIC's early years are. Combination codes follow the ICD-10-CM Official Guidelines: hypertension
with heart failure or kidney disease (I.C.9.a), diabetes with kidney disease ("with", I.A.15), angina with coronary
disease (I.C.9.b); a symptom that is part of the disease is not coded beside it (I.B.5).
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log

import numpy as np

from ecgkt.simulation.state import Patient, Stay
from ecgkt.simulation.tables import complaints, conditions, others, rows

FALSE_POSITIVE = 0.002  # at most; a condition's own prevalence times FALSE_SHARE where that is less
FALSE_SHARE = 0.1
SYMPTOM_TOO = 0.12  # how often the complaint is coded beside an acute diagnosis


def _pick(rng: np.random.Generator, codes: tuple[tuple[str, float], ...]) -> str:
    weights = np.array([w for _, w in codes])
    return codes[int(rng.choice(len(codes), p=weights / weights.sum()))][0]


def code(rng: np.random.Generator, patient: Patient, stay: Stay) -> list[str]:
    """ICD codes without dots, the most acute first; ICD-9 throughout where `stay.icd9`."""
    limits = np.array([min(FALSE_POSITIVE, FALSE_SHARE * condition.prevalence) for condition in conditions()])
    wrong = rng.random(len(limits)) < limits
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
    if not given or rng.random() < SYMPTOM_TOO:
        complaint = next(c for c in complaints() if c.name == stay.complaint)
        given.append(_pick(rng, complaint.icd9 if stay.icd9 else complaint.icd10))
    out = given + lesser if stay.icd9 else _combined(given + lesser)
    for other in others():
        odds = log(other.probability / (1 - other.probability)) + other.per_decade * (patient.age - 60) / 10
        odds += other.per_bmi * (patient.bmi - 28) + other.log_odds * (other.condition in stay.active)
        if rng.random() < 1 / (1 + exp(-odds)):
            out.append(other.icd9 if stay.icd9 else other.icd10)
    return list(dict.fromkeys(out))


def _combined(codes: list[str]) -> list[str]:
    """ICD-10's combination codes, row by row of combinations.csv: where all of `with` are there and none of
    `without`, `code` becomes `becomes` (nothing: it is left out)."""
    for row in combinations():
        if row["code"] not in codes or not all(_any(codes, prefix) for prefix in row["with"].split("|") if prefix):
            continue
        if any(_any(codes, prefix) for prefix in row["without"].split("|") if prefix):
            continue
        codes = [row["becomes"] if c == row["code"] else c for c in codes]
    return [c for c in codes if c]


def _any(codes: list[str], prefix: str) -> bool:
    return any(c.startswith(prefix) for c in codes)


@lru_cache
def combinations() -> tuple[dict[str, str], ...]:
    return tuple(rows("combinations"))


@lru_cache
def titles() -> dict[tuple[str, int], str]:
    """(ICD code, version) -> title of every code the cohort can hold."""
    out = {(other.icd10, 10): other.title for other in others()} | {(other.icd9, 9): other.title for other in others()}
    for row in conditions():
        out |= {(c, 10): row.title for c, _ in row.icd10} | {(c, 9): row.title for c, _ in row.icd9}
    for complaint in complaints():
        name = complaint.name.replace("_", " ").capitalize()
        out |= {(c, 10): name for c, _ in complaint.icd10} | {(c, 9): name for c, _ in complaint.icd9}
    return out | {(row["becomes"], 10): row["title"] for row in combinations() if row["becomes"]}
