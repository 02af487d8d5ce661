"""Label columns of findings: what is stated, what is open, and the superclasses made of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecgkt import vocabulary
from ecgkt.prediction import AGGREGATES


def described(code: str) -> dict[str, str]:
    """code, name and group of a finding, as prepared.json lists labels."""
    finding = vocabulary.findings()[code]
    return {"code": code, "name": finding.name, "group": finding.superclass}


def findings_table(rows: int, statements: pd.DataFrame, known: np.ndarray) -> pd.DataFrame:
    """Label columns [rows, codes] float32 from long `statements` (row, code, value 1 or NaN).

    A code that occurs anywhere as 1 belongs to the data set's vocabulary: it is 0 where a `known` (bool [rows]) report
    does not mention it. Other codes have no column. A certain mention wins over a doubtful one.
    """
    sure = statements[statements["value"] == 1]
    table: dict[str, np.ndarray] = {}
    for code in (c for c in vocabulary.findings() if c in set(sure["code"])):
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
    for superclass in AGGREGATES:
        members = [f.code for f in vocabulary.findings().values() if f.superclass == superclass and f.code in findings]
        if members:
            values = findings[members].to_numpy(np.float32)
            value = np.where(np.isnan(values).any(1), np.nan, 0.0)
            table[superclass] = np.where((values == 1).any(1), 1.0, value).astype(np.float32)
    return table
