"""groups.csv: which labels say the same thing, in which section of an interpretation it stands, and what it is called.

Columns: `form`, "finding" for what a tracing shows and "consider" for what it makes one think of; `alone`, "yes" where
the definition being met is enough to say it, without a score above threshold; `under`, groups beside which it says
nothing more, the most specific first; `codes`, the one that leads first; `name`, as it reads after "possible".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from ecgkt.interpretation.line import Section
from ecgkt.prediction import Label, Score

FILE = Path(__file__).with_name("groups.csv")
ICD_CATEGORY = 3  # characters of an ICD-10 category, which is the parent of the codes that begin with it


@dataclass(frozen=True)
class Group:
    key: str
    section: Section
    is_finding: bool
    alone: bool
    under: tuple[str, ...]
    codes: tuple[str, ...]
    name: str


@cache
def groups() -> dict[str, Group]:
    """Key -> group, in the table's order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["group"]: Group(
                row["group"],
                next(section for section in get_args(Section) if section == row["section"]),
                row["form"] == "finding",
                row["alone"] == "yes",
                tuple(row["under"].split()),
                tuple(row["codes"].split()),
                row["name"],
            )
            for row in csv.DictReader(file)
        }


@cache
def _by_code() -> dict[str, str]:
    return {code: key for key, group in groups().items() for code in group.codes}


def group_of(label: Label) -> Group:
    """The label's group; one of its own, by its name, where the table knows neither it nor what it begins with."""
    known = _by_code()
    code = label.code
    if label.head == "diagnoses":  # I4819 goes where I481 does
        code = next((code[:n] for n in range(len(code), ICD_CATEGORY - 1, -1) if code[:n] in known), code)
    if code in known:
        return groups()[known[code]]
    section: Section = "st-t" if label.head == "findings" else "beyond"
    return Group(label.code, section, label.head == "findings", False, (), (label.code,), within(label.name))


def within(name: str) -> str:
    """A name as it reads within a sentence; initials and proper names keep their capital."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def grouped(scores: Iterable[Score]) -> dict[str, tuple[Group, list[Score]]]:
    """Key -> (group, its scores, the leading first: findings before others, the more probable before the less)."""
    found: dict[str, tuple[Group, list[Score]]] = {}
    for score in scores:
        group = group_of(score.label)
        found.setdefault(group.key, (group, []))[1].append(score)
    for _, members in found.values():
        members.sort(key=lambda score: (score.label.head != "findings", -score.probability))
    return found
