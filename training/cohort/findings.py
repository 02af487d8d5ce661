"""What reports say, as SCP-ECG statements by the phrases of `ecgkt/vocabulary/findings.csv`, and the superclasses."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import ecgkt.vocabulary

VOCABULARY = Path(ecgkt.vocabulary.__file__).parent
SUPERCLASSES = ("MI", "STTC", "CD", "HYP")  # NORM is a statement itself

# A statement after one of these (up to the next comma) is neither present nor absent.
_DOUBT_BEFORE = (
    "possible|possibly|probable|probably|consider|cannot rule out|can not rule out|cannot exclude|suggests?|suggesting|"
    "suspect|suspected|questionable|borderline|may be|might be|could be|rule out|otherwise|no|not|without|absence of|"
    "no longer|versus|vs|or"
)
_DOUBT_AFTER = "cannot be ruled out|cannot be excluded|cannot be determined|is possible|no longer|except for|or"
_UNREAD = (
    "all 12 leads are missing|poor quality|data quality|uncertain interpretation|no interpretation|unsuitable|"
    "uninterpretable|cannot be analyzed|technical problems"
)


@dataclass(frozen=True)
class Finding:
    """One row of the vocabulary. superclass: NORM, MI, STTC, CD, HYP, Rhythm or Form."""

    code: str
    name: str
    superclass: str
    kind: str
    phrases: tuple[str, ...]


@cache
def vocabulary() -> dict[str, Finding]:
    """Every finding by its code: 71 SCP-ECG statements of PTB-XL's scp_statements.csv and four superclasses."""
    with (VOCABULARY / "findings.csv").open(newline="", encoding="utf-8") as file:
        return {
            row["code"]: Finding(
                row["code"], row["name"], row["superclass"], row["kind"], tuple(filter(None, row["phrases"].split("|")))
            )
            for row in csv.DictReader(file)
        }


def described(code: str) -> dict[str, str]:
    """code, name and group of a finding, as prepared.json lists labels."""
    finding = vocabulary()[code]
    return {"code": code, "name": finding.name, "group": finding.superclass}


def normalise(text: str) -> str:
    """Lower case, one spelling for what machines spell in several ways; commas, semicolons, full stops stay as ','."""
    text = re.sub(r"\s-+\s|[.;:,]|\s-+$", " , ", text.lower())
    text = re.sub(r"\s+", " ", re.sub(r"[^a-z0-9,?]+", " ", text)).strip()
    text = re.sub(r"\bnon ?(specific|diagnostic)", r"non\1", text)
    text = text.replace("ischaemi", "ischemi").replace("electrocardiogram", "ecg")
    text = re.sub(r"\ba ?v block|\batrioventricular block", "av block", text)
    text = re.sub(r"\bq tc?\b", lambda match: match.group().replace(" ", ""), text)
    for ordinal, word in (("1st", "first"), ("2nd", "second"), ("3rd", "third")):
        text = re.sub(rf"\b{ordinal}\b", word, text)
    return text


@cache
def _phrases() -> tuple[re.Pattern[str], dict[str, str]]:
    codes = {normalise(p): f.code for f in vocabulary().values() for p in f.phrases}
    longest_first = sorted(codes, key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b"), codes


def read_line(line: str) -> dict[str, float]:
    """The statements of one line of a report: code -> 1, or NaN where the line leaves it open or denies it.

    The longest phrase counts (an "incomplete right bundle branch block" is no complete one). Doubt and negation reach
    from their word to the next comma; both make a statement unknown, because a machine's "no" often compares with an
    earlier tracing.
    """
    pattern, codes = _phrases()
    text = normalise(line)
    found: dict[str, float] = {}
    for match in pattern.finditer(text):
        before = text[: match.start()].rsplit(",", 1)[-1]
        after = text[match.end() :].split(",", 1)[0]
        doubt = (
            re.search(rf"\b({_DOUBT_BEFORE})\b", before) or re.search(rf"\b({_DOUBT_AFTER})\b", after) or "?" in after
        )
        code = codes[match.group()]
        if not doubt or code not in found:
            found[code] = np.nan if doubt else 1.0
    return found


def unread(line: str) -> bool:
    """Does the line say that the tracing could not be interpreted?"""
    return re.search(rf"\b({_UNREAD})\b", normalise(line)) is not None


def findings_table(rows: int, statements: pd.DataFrame, known: np.ndarray) -> pd.DataFrame:
    """Label columns [rows, codes] float32 from long `statements` (row, code, value 1 or NaN).

    A code that occurs anywhere as 1 belongs to the data set's vocabulary: it is 0 where a `known` (bool [rows]) report
    does not mention it. Other codes have no column. A certain mention wins over a doubtful one.
    """
    sure = statements[statements["value"] == 1]
    table: dict[str, np.ndarray] = {}
    for code in (c for c in vocabulary() if c in set(sure["code"])):
        column = np.where(known, 0.0, np.nan).astype(np.float32)
        column[statements.loc[statements["code"] == code, "row"]] = np.nan
        column[sure.loc[sure["code"] == code, "row"]] = 1
        table[code] = column
    return pd.DataFrame(table, index=range(rows))


def with_superclasses(findings: pd.DataFrame) -> pd.DataFrame:
    """Add MI, STTC, CD, HYP: 1 if any member is 1, unknown if none is but one is open, else 0.

    A superclass without members in the table gets no column.
    """
    table = findings.copy()
    for superclass in SUPERCLASSES:
        members = [f.code for f in vocabulary().values() if f.superclass == superclass and f.code in findings]
        if members:
            values = findings[members].to_numpy(np.float32)
            value = np.where(np.isnan(values).any(1), np.nan, 0.0)
            table[superclass] = np.where((values == 1).any(1), 1.0, value).astype(np.float32)
    return table
