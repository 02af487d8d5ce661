"""Figures of the label-efficiency curve: macro AUROC with intervals, and the shares of two gaps that are closed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.data import Pool
from training.metrics import Array, interval, label_aurocs, patient_resamples
from training.recipes import HEAD

RESAMPLES = 300
Runs = dict[tuple[str, int], list[npt.NDArray[np.float64]]]


def figures(found: Runs, pool: Pool, tenth: int, best: str, patients: int) -> dict[str, Any]:
    """points and groups of the curve, and what follows at a tenth of the labels and with all.

    found: (recipe, labelled patients, 0 for all) -> test logits [ECGs, labels] of each seed. Every resample draws
    patients, and of each recipe's seeds as many as there are, both with replacement; the same for all recipes, so
    differences are paired.
    """
    rows = pool.rows("test")
    resamples = patient_resamples(pool.ecgs["patient"].to_numpy(str)[rows], RESAMPLES, 0)
    targets = pool.targets[HEAD][rows].astype(np.float64)
    by_label = {key: _by_label(runs, targets, resamples) for key, runs in found.items()}
    groups: dict[str, list[int]] = {}
    for column, entry in enumerate(pool.labels[HEAD]):
        groups.setdefault(str(entry["group"]), []).append(column)
    everything = list(range(targets.shape[1]))
    return {
        "points": _points(by_label, everything, best, patients),
        "groups": {name: _points(by_label, columns, best, patients) for name, columns in sorted(groups.items())},
        "tenth": tenth,
        "best": best,
        "conclusions": _conclusions(by_label, everything, tenth, best),
    }


def _by_label(runs: list[npt.NDArray[np.float64]], targets: Array, resamples: Array) -> dict[int, Array]:
    """Column -> [1 + R], the mean over seeds first, then over seeds drawn anew in each resample."""
    seeds = [label_aurocs(logits, targets, resamples) for logits in runs]
    drawn = np.random.default_rng(1).integers(len(seeds), size=(len(resamples), len(seeds)))
    out = {}
    for column in seeds[0]:
        values = np.stack([found[column] for found in seeds])  # [seeds, 1 + R]
        resampled = values[drawn, np.arange(1, len(resamples) + 1)[:, None]].mean(axis=1)
        out[column] = np.concatenate([values[:, :1].mean(axis=0), resampled])
    return out


def _macro(by_label: dict[int, Array], columns: list[int]) -> Array | None:
    known = [by_label[column] for column in columns if column in by_label]
    return np.nanmean(np.stack(known), axis=0) if known else None


def _figure(values: Array) -> list[float]:
    return [float(values[0]), *interval(values[1:])]


def _points(
    by_label: dict[tuple[str, int], dict[int, Array]], columns: list[int], best: str, patients: int
) -> list[dict[str, Any]]:
    macros = {key: _macro(found, columns) for key, found in by_label.items()}
    points = []
    for size in sorted({size for name, size in macros if name != "oracle"}, key=lambda size: size or patients):
        here = {name: m for (name, n), m in macros.items() if n == size and name != "oracle" and m is not None}
        if not here:
            continue
        point: dict[str, Any] = {"patients": size or patients}
        point |= {name: _figure(values) for name, values in sorted(here.items())}
        if {best, "signal_only", "multimodal"} <= set(here):
            point["gap_closed"] = _closed(here[best], here["signal_only"], here["multimodal"])
            point["gain"] = _figure(here[best] - here["signal_only"])
        ceiling = macros.get(("oracle", 0))
        if ceiling is not None:
            point["oracle"] = _figure(ceiling)
            if {best, "signal_only"} <= set(here):
                point["attainable_gap_closed"] = _closed(here[best], here["signal_only"], ceiling)
        points.append(point)
    return points


def _closed(reached: Array, low: Array, high: Array) -> list[float]:
    """(reached - low) / (high - low), resample by resample."""
    return _figure((reached - low) / (high - low))


def _conclusions(
    by_label: dict[tuple[str, int], dict[int, Array]], columns: list[int], tenth: int, best: str
) -> dict[str, Any]:
    """Paired differences in macro AUROC: the best recipe at a tenth of the labels and with all of them."""
    macros = {key: _macro(found, columns) for key, found in by_label.items()}

    def difference(first: tuple[str, int], second: tuple[str, int]) -> list[float] | None:
        a, b = macros.get(first), macros.get(second)
        return None if a is None or b is None else _figure(a - b)

    others = sorted({name for name, size in macros if size == tenth and name not in (best, "signal_only")})
    return {
        "best_at_tenth_minus_signal_only_with_all": difference((best, tenth), ("signal_only", 0)),
        "best_minus_signal_only_with_all": difference((best, 0), ("signal_only", 0)),
        "best_minus_signal_only_at_tenth": difference((best, tenth), ("signal_only", tenth)),
        "best_minus_others_at_tenth": {name: difference((best, tenth), (name, tenth)) for name in others},
    }
