"""Units of labs: which spellings mean the same, and what another unit is in the lab's own (units.csv, with sources)."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from ecgkt import vocabulary

# (regular expression, replacement), in this order, on a unit in lower case without blanks.
_SPELLINGS = (
    ("[\u00b5\u03bc]", "u"),  # the micro sign and the Greek letter
    ("^mc([gl]|mol)", "u\\1"),  # mcg, mcL, mcmol
    ("/mcl$", "/ul"),
    ("iu", "u"),  # IU/L and U/L, uIU/mL and uU/mL
    ("^(seconds?|secs?\\.?)$", "s"),
    ("^(k|thou|x?10[*^]?\\(?3\\)?)/ul$|^x?10[*^]?\\(?9\\)?/l$", "10^3/ul"),
    ("^(m|mil|x?10[*^]?\\(?6\\)?)/ul$|^x?10[*^]?\\(?12\\)?/l$", "10^6/ul"),
    ("^(percent|pct)$", "%"),
    ("^(ph|phunits?|unit)$", "units"),
)


def same_spelling(unit: str) -> str:
    """One spelling for all of a unit: mcg/dL and ug/dl -> ug/dl, K/uL -> 10^3/ul; empty for blanks."""
    unit = re.sub(r"\s", "", unit.lower())
    for pattern, replacement in _SPELLINGS:
        unit = re.sub(pattern, replacement, unit)
    return unit


@cache
def factors() -> dict[tuple[str, str], float]:
    """(lab, unit by `same_spelling`) -> what a value in this unit is multiplied with to be in the lab's own.

    No unit at all counts as the lab's own.
    """
    known = {(code, unit): 1.0 for code, lab in vocabulary.labs().items() for unit in ("", same_spelling(lab.unit))}
    with Path(__file__).with_name("units.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known.setdefault((row["lab"], same_spelling(row["unit"])), float(row["factor"]))
    return known
