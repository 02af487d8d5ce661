"""criteria.csv and lead_limits.csv as typed data: tables that a cardiologist can read and correct.

criteria.csv, a row a label: its criterion in words; `rule`, what is computed (`ecgkt.criteria.rule`) on the quantities
of `ecgkt.criteria.quantities`; `told`, quantities that are told besides; `weight`; and the source. lead_limits.csv:
limits by lead, the first row that fits.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from ecgkt.criteria.rule import Rule, parse
from ecgkt.ecg import Sex

FOLDER = Path(__file__).parent
Weight = Literal["defines", "supports"]


@dataclass(frozen=True)
class Criterion:
    """weight: "defines" where the finding is what the criterion says, so that one without the other is a
    contradiction; "supports" where it is a sign that many patients with the condition lack."""

    code: str
    words: str
    rule: Rule
    told: tuple[str, ...]
    weight: Weight
    source: str


@dataclass(frozen=True)
class LeadLimit:
    """A limit of `quantity` in `leads` (all, where empty), for a sex and an age if any."""

    quantity: str
    leads: frozenset[str]
    sex: str
    age_from: float | None
    age_below: float | None
    limit: float

    def fits(self, quantity: str, lead: str, sex: Sex | None, age: float | None) -> bool:
        if quantity != self.quantity or (self.leads and lead not in self.leads) or (self.sex and self.sex != sex):
            return False
        if self.age_from is None and self.age_below is None:
            return True
        return age is not None and (self.age_from or 0) <= age < (self.age_below or float("inf"))


@cache
def criteria() -> Mapping[str, Criterion]:
    """Label code -> criterion, in the table's order."""
    return {
        row["code"]: Criterion(
            row["code"],
            row["criterion"],
            parse(row["rule"]),
            tuple(row["told"].split()),
            next(weight for weight in get_args(Weight) if weight == row["weight"]),
            row["source"],
        )
        for row in _rows("criteria.csv")
    }


@cache
def rules() -> Mapping[str, Rule]:
    return {code: criterion.rule for code, criterion in criteria().items()}


def lead_limit(quantity: str, lead: str, sex: Sex | None, age: float | None) -> float:
    return next(row.limit for row in _lead_limits() if row.fits(quantity, lead, sex, age))


@cache
def _lead_limits() -> tuple[LeadLimit, ...]:
    return tuple(
        LeadLimit(
            row["quantity"],
            frozenset(row["leads"].split("|") if row["leads"] else ()),
            row["sex"],
            float(row["age_from"]) if row["age_from"] else None,
            float(row["age_below"]) if row["age_below"] else None,
            float(row["limit"]),
        )
        for row in _rows("lead_limits.csv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    with Path(FOLDER, name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
