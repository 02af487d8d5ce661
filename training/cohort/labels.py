"""Label columns: the labs of the vocabulary, low and high as labels, and which labels have enough positives."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import ecgkt.vocabulary


@dataclass(frozen=True)
class Lab:
    """One row of vocabulary/labs.csv. reference: limits used where the data set states none; plausible: limits beyond
    which a value is an error; both in `unit`. itemid, mimic_label, fluid: as in MIMIC-IV's d_labitems."""

    lab: str
    name: str
    unit: str
    itemid: int
    mimic_label: str
    fluid: str
    reference: tuple[float, float]
    plausible: tuple[float, float]
    group: str
    low_name: str
    high_name: str


def _read() -> dict[str, Lab]:
    with (Path(ecgkt.vocabulary.__file__).parent / "labs.csv").open(newline="", encoding="utf-8") as file:
        return {
            r["lab"]: Lab(
                r["lab"],
                r["name"],
                r["unit"],
                int(r["itemid"]),
                r["mimic_label"],
                r["fluid"],
                (float(r["reference_low"]), float(r["reference_high"])),
                (float(r["plausible_low"]), float(r["plausible_high"])),
                r["group"],
                r["low_name"],
                r["high_name"],
            )
            for r in csv.DictReader(file)
        }


LABS = _read()


def lab_labels(
    clinical: pd.DataFrame, limits: dict[str, tuple[float, float]]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Columns LAB_low and LAB_high (1 beyond the limit, 0 within, NaN not measured) and their descriptions."""
    columns: dict[str, npt.NDArray[np.float32]] = {}
    described = []
    for key, lab in LABS.items():
        value = clinical[f"lab:{key}"].to_numpy(np.float32)
        low, high = (np.float32(limit) for limit in limits[key])
        for direction, beyond, name, limit in (
            ("low", value < low, lab.low_name, limits[key][0]),
            ("high", value > high, lab.high_name, limits[key][1]),
        ):
            columns[f"{key}_{direction}"] = np.where(np.isnan(value), np.nan, beyond).astype(np.float32)
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
