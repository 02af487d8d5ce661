"""The clinical table of a cohort and the limits of its labs, from what `ecgkt.datasets.mimic.clinical` finds near each
ECG."""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from ecgkt import vocabulary
from ecgkt.datasets.mimic.tables import VITALS
from training.cohort.prepared import BIOMETRICS, CLINICAL_COLUMNS

KINDS = ("lab", "vital", "biometric")


def measured(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """input, note (unit of a lab, repair of a temperature), factor (NaN: unusable), measurements, implausible."""
    kinds = [f"SELECT '{kind}:' || item AS input, * EXCLUDE item FROM measured_{kind}" for kind in KINDS]
    return con.execute(" UNION ALL ".join(kinds) + " ORDER BY ALL").df()


def lags(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Input -> median time between the measurement and its ECG, before or after, in minutes."""
    kinds = [f"SELECT '{kind}:' || item AS input, lag_seconds FROM nearest_{kind}" for kind in KINDS]
    medians = f"SELECT input, median(abs(lag_seconds)) / 60 FROM ({' UNION ALL '.join(kinds)}) GROUP BY input"
    return dict(con.execute(medians).fetchall())


def clinical_table(con: duckdb.DuckDBPyConnection, ecgs: pd.DataFrame) -> pd.DataFrame:
    """float32 `CLINICAL_COLUMNS`, NaN where not measured, in the order of `ecgs` (age, gender)."""
    names = {"lab": list(vocabulary.labs()), "vital": list(VITALS), "biometric": list(BIOMETRICS)}
    found = {kind: con.execute(f"SELECT row, item, value FROM nearest_{kind}").df() for kind in names}
    table = pd.concat([spread(found[kind], len(ecgs), kind, items) for kind, items in names.items()], axis=1)
    table["biometric:age"] = ecgs["age"].astype("float32")
    table["biometric:sex"] = ecgs["gender"].map({"M": 1.0, "F": 0.0}).astype("float32")
    return table[CLINICAL_COLUMNS]


def lab_limits(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[float, float]]:
    """Lab -> the limits beyond which it is low or high: medians of the reference ranges that came with the nearest
    measurements of the training ECGs (table `split`: row, split), the vocabulary's where the data state none."""
    medians = con.execute(
        "SELECT item, median(low), median(high) FROM nearest_lab JOIN split USING (row) "
        "WHERE split = 'train' GROUP BY item"
    ).fetchall()
    limits = {key: lab.reference for key, lab in vocabulary.labs().items()}
    for lab, low, high in medians:
        stated = limits[lab]
        limits[lab] = (stated[0] if low is None else low, stated[1] if high is None else high)
    return limits


def spread(long: pd.DataFrame, rows: int, prefix: str, items: list[str]) -> pd.DataFrame:
    """(row, item, value) -> float32 columns PREFIX:item, NaN where there is no value."""
    columns: dict[str, npt.NDArray[np.float32]] = {}
    for item in items:
        column = np.full(rows, np.nan, dtype=np.float32)
        chosen = long[long["item"] == item]
        column[chosen["row"].to_numpy(np.int64)] = chosen["value"].to_numpy(np.float32)
        columns[f"{prefix}:{item}"] = column
    return pd.DataFrame(columns, index=range(rows))
