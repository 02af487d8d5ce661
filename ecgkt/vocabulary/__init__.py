"""Names, units and limits of findings and labs: tables that a clinician can read and correct."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent
Side = Literal["low", "high"]
Flag = Literal["low", "high", ""]


def beyond(value: Any, limits: tuple[Any, Any]) -> dict[Side, Any]:
    """On which side a value, or each of an array's, lies beyond (low, high); the limits themselves are within."""
    return {"low": value < limits[0], "high": value > limits[1]}


@dataclass(frozen=True)
class Lab:
    """One laboratory test, as a row of labs.csv: MIMIC's itemid and label, reference and plausible limits in `unit`."""

    code: str
    name: str
    unit: str
    itemid: int
    mimic_label: str
    fluid: str
    category: str
    reference_low: float
    reference_high: float
    plausible_low: float
    plausible_high: float
    group: str
    low_name: str
    high_name: str

    @property
    def reference(self) -> tuple[float, float]:
        """Limits used where the data set states none."""
        return self.reference_low, self.reference_high

    def flag(self, value: float) -> Flag:
        """ "low", "high" or "" against the reference limits, which belong to normal; "" for NaN."""
        sides = beyond(value, self.reference)
        return "low" if sides["low"] else "high" if sides["high"] else ""

    @property
    def plausible(self) -> tuple[float, float]:
        """Limits beyond which a value is an error."""
        return self.plausible_low, self.plausible_high


@dataclass(frozen=True)
class Finding:
    """One SCP-ECG statement or superclass, as a row of findings.csv; phrases are lower-case ways a report words it.

    superclass: NORM, MI, STTC, CD, HYP, Rhythm or Form. kind: diagnostic, rhythm, form or superclass.
    """

    code: str
    name: str
    superclass: str
    kind: str
    phrases: tuple[str, ...]


@cache
def labs() -> dict[str, Lab]:
    """Lab code ("potassium") -> Lab, in the order of labs.csv."""
    return {
        row["lab"]: Lab(
            row["lab"],
            row["name"],
            row["unit"],
            int(row["itemid"]),
            row["mimic_label"],
            row["fluid"],
            row["category"],
            float(row["reference_low"]),
            float(row["reference_high"]),
            float(row["plausible_low"]),
            float(row["plausible_high"]),
            row["group"],
            row["low_name"],
            row["high_name"],
        )
        for row in _rows("labs.csv")
    }


@cache
def findings() -> dict[str, Finding]:
    """SCP-ECG code ("AFIB") -> Finding, in the order of findings.csv: the 71 statements of PTB-XL's
    scp_statements.csv and four superclasses."""
    return {
        row["code"]: Finding(
            row["code"],
            row["name"],
            row["superclass"],
            row["kind"],
            tuple(phrase for phrase in row["phrases"].split("|") if phrase),
        )
        for row in _rows("findings.csv")
    }


@cache
def _not_offered() -> dict[str, str]:
    return {row["prefix"]: row["why"] for row in _rows("not_offered.csv")}


def not_offered(icd: str) -> str:
    """Why an ICD-10-CM code (no dot) is not offered as a result of an ECG: "social history", "an injury"; "" if it is.

    not_offered.csv lists beginnings of codes: what was done, lived or complained of, which no tracing holds.
    """
    return next((why for prefix, why in _not_offered().items() if icd.startswith(prefix)), "")


@cache
def urgent() -> dict[str, int]:
    """Code of a label that is urgent -> its order, 1 the most urgent; urgent.csv has why, and its source."""
    return {row["code"]: int(row["order"]) for row in _rows("urgent.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    with Path(FOLDER, name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
