"""What the nearest have, against everybody in the reference cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from ecgkt import vocabulary
from ecgkt.neighbors.reference import Reference

BEYOND_CHANCE = 2.0  # standard errors


@dataclass(frozen=True)
class Rate:
    """How often something is among the nearest, and in the whole cohort; surprise: the difference in standard errors of
    a share drawn from the cohort."""

    code: str
    share: float
    base: float
    surprise: float

    @property
    def differs(self) -> bool:
        return abs(self.surprise) >= BEYOND_CHANCE


@dataclass(frozen=True)
class LabSummary:
    """A lab among the nearest, in its unit: median and quartiles; how often below and above the reference limits."""

    lab: str
    median: float
    quartiles: tuple[float, float]
    below: Rate
    above: Rate

    @property
    def surprise(self) -> float:
        return max(abs(self.below.surprise), abs(self.above.surprise))


def rate(code: str, among: npt.NDArray[np.bool_], everybody: npt.NDArray[np.bool_]) -> Rate:
    share, base = float(among.mean()), float(everybody.mean())
    error = sqrt(max(base * (1 - base), 1 / len(everybody)) / len(among))
    return Rate(code, share, base, (share - base) / error)


def labs(reference: Reference, rows: npt.NDArray[np.int64]) -> list[LabSummary]:
    """Every lab of the cohort, the one that differs most from everybody's first."""
    known = vocabulary.labs()
    found = []
    for column, key in enumerate(reference.columns):
        if key not in known:
            continue
        values, lab = reference.quantities[:, column], known[key]
        low, middle, high = (float(value) for value in np.percentile(values[rows], [25, 50, 75]))
        below, above = values < lab.reference_low, values > lab.reference_high
        sides = (rate(f"{key}_low", below[rows], below), rate(f"{key}_high", above[rows], above))
        found.append(LabSummary(key, middle, (low, high), *sides))
    return sorted(found, key=lambda each: -each.surprise)


def labels(reference: Reference, rows: npt.NDArray[np.int64], codes: Sequence[str]) -> list[Rate]:
    """Of these codes those that the cohort has, the most surprising first."""
    columns = {code: column for column, code in enumerate(reference.codes)}
    found = [
        rate(code, reference.labels[rows, columns[code]], reference.labels[:, columns[code]])
        for code in codes
        if code in columns
    ]
    return sorted(found, key=lambda each: -abs(each.surprise))


def rates_over(
    reference: Reference, quantity: str, code: str, bins: int = 10
) -> tuple[list[float], list[float]] | None:
    """(median of the quantity, share with the label) in bins of equally many patients; None where either is unknown.

    A lab label ("potassium_high") is the lab beyond its reference limit.
    """
    if quantity not in reference.columns:
        return None
    values = reference.quantities[:, reference.columns.index(quantity)]
    has = has_label(reference, code)
    if has is None:
        return None
    parts = np.array_split(np.argsort(values, kind="stable"), bins)
    return [float(np.median(values[part])) for part in parts], [float(has[part].mean()) for part in parts]


def has_label(reference: Reference, code: str) -> npt.NDArray[np.bool_] | None:
    """[N] who has a label; None where the cohort does not say."""
    if code in reference.codes:
        return np.asarray(reference.labels[:, reference.codes.index(code)])
    key, _, direction = code.rpartition("_")
    lab = vocabulary.labs().get(key)
    if lab is None or key not in reference.columns:
        return None
    values = reference.quantities[:, reference.columns.index(key)]
    return np.asarray(values < lab.reference_low if direction == "low" else values > lab.reference_high)
