"""physiology.csv: which labs make sense beside which diagnoses, as what, why, and who says so.

`diagnoses`: beginnings of ICD-10-CM codes without dot, or one code alone with "=" after it; `labs`: labels of the labs
head; `role`: "defines" (the diagnosis is that lab's abnormality, or rests on it), "cause" (it brings the diagnosis
about), "marker" (it follows from it, comes with it or with its treatment, and causes nothing). What is not in the table
makes no sense.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

FILE = Path(__file__).with_name("physiology.csv")
Role = Literal["defines", "cause", "marker"]


@dataclass(frozen=True)
class Sense:
    """What a lab is to a diagnosis; why: in a few words."""

    role: Role
    why: str
    source: str


@cache
def _rows() -> tuple[tuple[str, str, Sense], ...]:
    """(beginning of a diagnosis code, lab label, sense)."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            (beginning, lab, Sense(next(r for r in get_args(Role) if r == row["role"]), row["why"], row["source"]))
            for row in csv.DictReader(file)
            for beginning in row["diagnoses"].split()
            for lab in row["labs"].split()
        )


def senses(diagnosis: str) -> dict[str, Sense]:
    """Lab label -> what it is to the ICD-10-CM code `diagnosis`; of several rows the most specific, then the first.
    Empty where the table does not know the diagnosis."""
    found: dict[str, tuple[int, Sense]] = {}
    for beginning, lab, sense in _rows():
        fits = diagnosis + "=" == beginning if beginning.endswith("=") else diagnosis.startswith(beginning)
        if fits and (lab not in found or len(beginning) > found[lab][0]):
            found[lab] = (len(beginning), sense)
    return {lab: sense for lab, (_, sense) in found.items()}
