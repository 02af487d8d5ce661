"""Label columns: the labs of the vocabulary, low and high as labels, and which labels have enough positives."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecgkt import vocabulary


class LabLabel(TypedDict):
    """A label as prepared.json lists it; limit: the value beyond which it is positive, in `unit`."""

    code: str
    name: str
    group: str
    lab: str
    direction: vocabulary.Side
    unit: str
    limit: float


def lab_labels(clinical: pd.DataFrame, limits: dict[str, tuple[float, float]]) -> tuple[pd.DataFrame, list[LabLabel]]:
    """Columns LAB_low and LAB_high (1 beyond the limit, 0 within, NaN not measured) and their descriptions."""
    columns: dict[str, npt.NDArray[np.float32]] = {}
    described: list[LabLabel] = []
    for key, lab in vocabulary.labs().items():
        value = clinical[f"lab:{key}"].to_numpy(np.float32)
        low, high = limits[key]
        sides = vocabulary.beyond(value, (np.float32(low), np.float32(high)))
        named: dict[vocabulary.Side, tuple[str, float]] = {"low": (lab.low_name, low), "high": (lab.high_name, high)}
        for direction, (name, limit) in named.items():
            columns[f"{key}_{direction}"] = np.where(np.isnan(value), np.nan, sides[direction]).astype(np.float32)
            described.append(
                {
                    "code": f"{key}_{direction}",
                    "name": name,
                    "group": lab.group,
                    "lab": key,
                    "direction": direction,
                    "unit": lab.unit,
                    "limit": float(limit),
                }
            )
    return pd.DataFrame(columns, index=clinical.index), described


def enough(table: pd.DataFrame, split: pd.Series, minimum: dict[str, float]) -> list[str]:
    """Columns with at least `minimum[split]` positives and known negatives in each split (below 1: share of ECGs).

    Splits without a single ECG are not asked for.
    """
    keep = np.ones(table.shape[1], dtype=bool)
    for name, least in minimum.items():
        chosen = (split == name).to_numpy()
        if not chosen.any():
            continue
        needed = least * chosen.sum() if least < 1 else least
        part = table.loc[chosen]
        keep &= ((part == 1).sum() >= needed).to_numpy() & ((part == 0).sum() >= needed).to_numpy()
    return [str(column) for column in table.columns[keep]]
