"""The nearest of the reference cohort, exactly, and how near they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.neighbors.reference import LEVELS, Reference

NEAREST = 50  # patients; what fewer and more do to AUROC: benchmarks/neighbors.md


@dataclass(frozen=True)
class Neighbors:
    """rows: of the reference cohort, the nearest first; distances: of each, in its space.

    farther: share of the cohort's patients who lie farther from their own nearest than this ECG does from its own; 0.5
    is usual, near 0 means that nobody like this one is in the cohort.
    """

    rows: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float32]
    farther: float


def distances(reference: Reference, places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """[n, N] Euclidean distances of places [n, K] to everybody in the cohort."""
    theirs = reference.places.astype(np.float32)
    squared = (places**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1) - 2 * places @ theirs.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)


def nearest(reference: Reference, embedding: npt.NDArray[np.float32], count: int = NEAREST) -> Neighbors:
    """The `count` nearest of an ECG by its embedding [D]."""
    away = distances(reference, reference.place(embedding)[None])[0]
    rows = np.argsort(away, kind="stable")[:count]
    mean = float(away[np.argsort(away, kind="stable")[:NEAREST]].mean())
    closer = float(np.interp(mean, reference.spread, LEVELS))
    return Neighbors(rows, away[rows], 1 - closer)


def own_spread(reference_places: npt.NDArray[np.float32], count: int = NEAREST) -> npt.NDArray[np.float32]:
    """[levels] quantiles of the mean distance of each patient [N, K] to the `count` nearest others."""
    size, means = 256, []
    squares = (reference_places**2).sum(axis=1)
    for first in range(0, len(reference_places), size):
        part = reference_places[first : first + size]
        squared = (part**2).sum(axis=1)[:, None] + squares - 2 * part @ reference_places.T
        nearest_of = np.sort(np.sqrt(np.maximum(squared, 0)), axis=1)[:, 1 : count + 1]  # the first is the patient
        means.append(nearest_of.mean(axis=1))
    return np.asarray(np.quantile(np.concatenate(means), LEVELS), np.float32)
