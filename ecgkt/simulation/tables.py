"""The tables a cardiologist can read and correct: everything numeric about disease lives in the CSV files beside this.

| file | what |
|---|---|
| conditions.csv | prevalence at age 60 in women, log odds per decade and for men, codes, how often the code is given |
| links.csv | log odds that one condition adds to another |
| labs.csv, vitals.csv | healthy center, 1 SD below and above it, the same of the admitted; limits of the report |
| lab_correlations.csv | correlation of what is left of two labs or vitals when the conditions are known |
| panels.csv | how often each panel is drawn near the ECG and later on the ward, and what makes it likelier |
| shifts.csv | what a condition, or acuity, does to a lab or vital: `present` + `severity` x (severity 0-1) |
| effects.csv | what a lab does to the ECG: published slopes, the patients' spread, the silent fraction, the source |
| expression.csv | what a condition itself does to the ECG, in the same way |
| combinations.csv | ICD-10 codes that become another in the company of others |
| complaints.csv, others.csv | why people come otherwise; diagnoses that depend on age, BMI and company only |
| statements.csv | the SCP-ECG codes that `findings` gives, described as PTB-XL does |
| shapes.csv | real beats: see `fitting.shapes`, which writes it |
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecgkt import vocabulary

FOLDER = Path(__file__).resolve().parent


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of this folder's tables."""
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _codes(text: str) -> tuple[tuple[str, float], ...]:
    parts = (part.partition(":") for part in text.split("|") if part)
    return tuple((code, float(weight or 1)) for code, _, weight in parts)


@dataclass(frozen=True)
class Condition:
    """One row of conditions.csv; `causes` are (condition, log odds) from links.csv."""

    name: str
    chronic: bool
    prevalence: float
    per_decade: float
    male: float
    icd10: tuple[tuple[str, float], ...]
    icd9: tuple[tuple[str, float], ...]
    coded: float
    title: str
    causes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Complaint:
    """Why somebody without an acute condition comes: one row of complaints.csv.

    per_decade, male: log odds by age (beyond 60) and sex, chosen. `rate` adds to the sinus rate (bpm).
    """

    name: str
    weight: float
    per_decade: float
    male: float
    icd10: tuple[tuple[str, float], ...]
    icd9: tuple[tuple[str, float], ...]
    text: str
    rate: float


@dataclass(frozen=True)
class Other:
    """A diagnosis without labs or ECG of its own: a row of others.csv (log odds per decade, per BMI)."""

    icd10: str
    icd9: str
    title: str
    probability: float
    per_decade: float
    per_bmi: float
    condition: str
    log_odds: float


@dataclass(frozen=True)
class Lab:
    """One row of labs.csv joined with the vocabulary: distribution, panel, MIMIC's item.

    below, above: 1 SD on the side below and above the center, of those who go home and of those who are admitted, in
    units of `scale` ("linear", "log"; "derived" from others). least, most: the limits beyond which the laboratory
    reports "<least" or ">most".
    """

    key: str
    center: float
    below: tuple[float, float]
    above: tuple[float, float]
    scale: str
    patient_share: float
    panel: str
    digits: int
    itemid: int
    label: str
    fluid: str
    category: str
    unit: str
    low: float
    high: float
    plausible: tuple[float, float]
    least: float
    most: float


@dataclass(frozen=True)
class Panel:
    """How often a group of labs is drawn together near the ECG and (`ward`) in an admission's first day.

    company: the panel, if any, with which alone it is drawn (the column `with`). workup: log odds per SD of the stay's
    work-up intensity. raised_by: the log odds that a condition, a complaint or another panel of the same draw adds.
    """

    name: str
    company: str
    probability: float
    ward: float
    workup: float
    raised_by: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Effect:
    """A quantity's or a condition's effect on one ECG parameter: a slope, its spread between patients, its silence."""

    source: str
    parameter: str
    present: float
    slope: float
    sensitivity_sd: float
    silent: float
    direction: str = ""
    start: float = 0.0
    end: float = 0.0

    def size(self, value: float) -> float:
        """The parameter's change at `value` (a lab in its unit, or a severity 0-1) for a patient of mean sensitivity.

        Labs: slope x distance beyond `start`, flat after `end`. "below" slopes are per unit of *decrease*.
        """
        if self.direction == "below":
            return self.slope * min(max(self.start - value, 0.0), self.start - self.end)
        if self.direction == "above":
            return self.slope * min(max(value - self.start, 0.0), self.end - self.start)
        return self.present + self.slope * value


@lru_cache
def conditions() -> tuple[Condition, ...]:
    causes: dict[str, list[tuple[str, float]]] = {}
    for row in rows("links"):
        causes.setdefault(row["effect"], []).append((row["cause"], float(row["log_odds"])))
    return tuple(
        Condition(
            r["condition"], r["kind"] == "chronic", float(r["prevalence"]), float(r["per_decade"]), float(r["male"]),
            _codes(r["icd10"]), _codes(r["icd9"]), float(r["coded"]), r["name"], tuple(causes.get(r["condition"], ())),
        )
        for r in rows("conditions")
    )  # fmt: skip


@lru_cache
def complaints() -> tuple[Complaint, ...]:
    return tuple(
        Complaint(
            r["complaint"], float(r["weight"]), float(r["per_decade"]), float(r["male"]), _codes(r["icd10"]),
            _codes(r["icd9"]), r["text"], float(r["sinus_rate"]),
        )
        for r in rows("complaints")
    )  # fmt: skip


@lru_cache
def others() -> tuple[Other, ...]:
    return tuple(
        Other(
            r["icd10"], r["icd9"], r["title"], float(r["probability"]), float(r["per_decade"]), float(r["per_bmi"]),
            r["condition"], float(r["log_odds"]),
        )
        for r in rows("others")
    )  # fmt: skip


def spreads(row: dict[str, str], side: str) -> tuple[float, float]:
    """1 SD of those who go home and of those who are admitted (the same where the table names none of their own)."""
    home = float(row[side] or 0)
    return home, float(row[f"admitted_{side}"] or home)


@lru_cache
def labs() -> tuple[Lab, ...]:
    known = vocabulary.labs()
    return tuple(
        Lab(
            r["lab"], float(r["center"] or 0), spreads(r, "below"), spreads(r, "above"), r["scale"],
            float(r["patient_share"] or 0), r["panel"], int(r["digits"]), v.itemid, v.mimic_label, v.fluid, v.category,
            r["unit"], v.reference_low, v.reference_high, v.plausible, float(r["least"] or "-inf"),
            float(r["most"] or "inf"),
        )
        for r in rows("labs") for v in [known[r["lab"]]]
    )  # fmt: skip


@lru_cache
def panels() -> tuple[Panel, ...]:
    return tuple(
        Panel(
            r["panel"], r["with"], float(r["probability"]), float(r["ward"]), float(r["workup"]), _codes(r["raised_by"])
        )
        for r in rows("panels")
    )


@lru_cache
def shifts() -> dict[str, tuple[tuple[str, float, float], ...]]:
    """condition -> (quantity, present, per severity)."""
    out: dict[str, list[tuple[str, float, float]]] = {}
    for r in rows("shifts"):
        out.setdefault(r["condition"], []).append((r["quantity"], float(r["present"]), float(r["severity"])))
    return {k: tuple(v) for k, v in out.items()}


@lru_cache
def effects() -> tuple[Effect, ...]:
    """Every lab, temperature and condition effect on the ECG, in the tables' order."""
    by_lab = [
        Effect(
            r["quantity"], r["parameter"], 0.0, float(r["slope"]), float(r["sensitivity_sd"]), float(r["silent"]),
            r["direction"], float(r["from"]), float(r["to"]),
        )
        for r in rows("effects")
    ]  # fmt: skip
    by_condition = [
        Effect(
            r["condition"], r["parameter"], float(r["present"]), float(r["severity"]), float(r["sensitivity_sd"]),
            float(r["silent"]),
        )
        for r in rows("expression")
    ]  # fmt: skip
    return tuple(by_lab + by_condition)


@lru_cache
def statements() -> dict[str, str]:
    """SCP-ECG code -> description."""
    return {r["code"]: r["description"] for r in rows("statements")}
