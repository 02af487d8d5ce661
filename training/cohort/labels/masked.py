"""Statements of sets that use other words than SCP-ECG, by tables that a cardiologist can read and correct.

challenge.csv          SNOMED CT code -> statements, in the sources of the PhysioNet/CinC Challenge
challenge_sources.csv  those sources: their records, and what they tell beside single codes
ludb.csv               LUDB's words -> statements

A statement that a source does not use is unknown there and not absent. Which source uses which code is counted in
dx_mapping_scored.csv and dx_mapping_unscored.csv of github.com/physionetchallenges/evaluation-2021: those with 20
records. Where the Challenge's own translation of PTB-XL gives one code to several statements, they are open.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ecgkt import vocabulary
from ecgkt.prediction import AGGREGATES

NORMAL, SINUS = "NORM", "SR"
# A rhythm other than sinus rhythm, as PTB-XL states one of them; and those that no normal ECG has.
RHYTHMS = ("AFIB", "AFLT", "STACH", "SBRAD", "SARRH", "PACE", "SVTAC", "PSVT")
ABNORMAL_RHYTHMS = ("AFIB", "AFLT", "PACE", "SVTAC", "PSVT")


@dataclass(frozen=True)
class Said:
    """What is known of one ECG. present, open (may be present), told (absent unless present or open): statements and
    superclasses. normal: called normal."""

    present: frozenset[str]
    open: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    normal: bool = False


@dataclass(frozen=True)
class Rule:
    """A row of challenge.csv or ludb.csv. only_in: the sources that it holds for, all where empty; tells: statements
    that are absent without it in the sources `used_by`."""

    present: frozenset[str]
    open: frozenset[str]
    tells: frozenset[str] = frozenset()
    only_in: frozenset[str] = frozenset()
    used_by: frozenset[str] = frozenset()

    def holds_in(self, source: str) -> bool:
        return not self.only_in or source in self.only_in


@dataclass(frozen=True)
class ChallengeSource:
    """A row of challenge_sources.csv. tells: superclasses whose members it uses nearly all of. normal: the code that
    means a normal ECG there. several_ecgs: patients have several records, and it is not said whose a record is.
    left_out: why none of its records is taken, "" where they are."""

    code: str
    prefix: str
    first: int
    last: int
    tells: frozenset[str]
    normal: str
    several_ecgs: bool
    left_out: str = field(default="")


@cache
def challenge_sources() -> tuple[ChallengeSource, ...]:
    return tuple(
        ChallengeSource(
            row["source"], row["prefix"], int(row["first"]), int(row["last"]), _set(row["tells"]), row["normal"],
            row["several_ecgs"] == "yes", row["left_out"],
        )
        for row in _rows("challenge_sources.csv")
    )  # fmt: skip


def challenge_source(record: str) -> ChallengeSource | None:
    """Of a record by its name ("E00018")."""
    letters = record.rstrip("0123456789")
    number = record[len(letters) :]
    return next(
        (s for s in challenge_sources() if s.prefix == letters and number and s.first <= int(number) <= s.last), None
    )


@cache
def _challenge() -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = {}
    for row in _rows("challenge.csv"):
        present = _set(row["present"])
        tells = _set(row["tells"]) or present.difference(AGGREGATES)
        rule = Rule(present, _set(row["open"]), tells, _set(row["only_in"]), _set(row["used_by"]))
        rules.setdefault(row["snomed"], []).append(rule)
    return rules


def challenge_codes() -> frozenset[str]:
    """The SNOMED CT codes that mean something here."""
    return frozenset(_challenge())


@cache
def _told_in(source: ChallengeSource) -> frozenset[str]:
    used = [rule for rules in _challenge().values() for rule in rules if source.code in rule.used_by]
    return source.tells.union(*(rule.tells for rule in used))


def said_in_challenge(source: ChallengeSource, codes: Iterable[str]) -> Said:
    """Of a record with these SNOMED CT codes; those that the table lacks say nothing."""
    given = set(codes)
    rules = [rule for code in given for rule in _challenge().get(code, []) if rule.holds_in(source.code)]
    return Said(
        frozenset().union(*(rule.present for rule in rules)),
        frozenset().union(*(rule.open for rule in rules)),
        _told_in(source),
        source.normal in given,
    )


@cache
def ludb() -> dict[tuple[str, str], Rule]:
    """(column of ludb.csv, text of a line of its cell) -> rule."""
    return {(r["column"], r["text"]): Rule(_set(r["present"]), _set(r["open"])) for r in _rows("ludb.csv")}


def masked_findings(ecgs: Sequence[Said]) -> pd.DataFrame:
    """Label columns float32 [ECGs]: 1 present, 0 absent, NaN unknown; those that are unknown throughout are left out.

    What follows from the statements themselves: a superclass is present with any of its members, and absent with all of
    them where it is told to be; a normal ECG has no superclass; one with a superclass or an abnormal rhythm is not
    normal; sinus rhythm is absent where another is stated, and else unknown where it is not stated.
    """
    codes = list(vocabulary.findings())
    table = pd.DataFrame([_values(said, codes) for said in ecgs], columns=codes, dtype=np.float32)
    return table.loc[:, table.notna().any()]


def _values(said: Said, codes: Sequence[str]) -> list[float]:
    groups = {code: finding.superclass for code, finding in vocabulary.findings().items()}
    present = said.present.union(groups[code] for code in said.present if groups[code] in AGGREGATES)
    absent = {code for code in said.told if code not in said.open}
    if any(groups[code] in absent for code in said.open):
        absent -= {groups[code] for code in said.open}
    if present.intersection(AGGREGATES) or present.intersection(ABNORMAL_RHYTHMS):
        absent.add(NORMAL)
    elif said.normal:
        present |= {NORMAL}
        absent.update(AGGREGATES)
    absent.update(code for code in codes if groups[code] in absent and groups[code] in AGGREGATES)
    absent.discard(SINUS)
    if present.intersection(RHYTHMS):
        absent.add(SINUS)
    return [1.0 if code in present else 0.0 if code in absent else np.nan for code in codes]


def _set(cell: str) -> frozenset[str]:
    return frozenset(part for part in cell.split("|") if part)


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
