"""Figures of the label-efficiency curve: macro AUROC with intervals, and the shares of two gaps that are closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.processors import processors
from ecgkt.results.curve_metrics import Conclusions, CurvePoint, TailPoint
from ecgkt.results.intervals import Interval
from ecgkt.results.label_curve import BUDGETS
from training.data.pool import Pool
from training.metrics import Array, estimate, label_aurocs, patient_resamples, share_closed
from training.train.task import DIAGNOSES

RESAMPLES = 300
TAIL = ((20, 50), (50, 100), (100, 300), (300, None))  # positive ECGs in the training split; upper limits not included
Runs = dict[tuple[str, int], list[npt.NDArray[np.float64]]]


@dataclass(frozen=True)
class Curve:
    """The points over all diagnoses and by group of them, what follows from the points, and with all labels the points
    by how rare diagnoses are."""

    points: list[CurvePoint]
    groups: dict[str, list[CurvePoint]]
    conclusions: Conclusions
    tail: list[TailPoint]


def figures(found: Runs, pool: Pool, tenth: int, best: str, patients: int) -> Curve:
    """Points and groups of the curve, and what follows at a tenth of the labels and with all.

    found: (recipe, labeled patients, 0 for all) -> test logits [ECGs, labels] of each seed. Every resample draws
    patients, and of each recipe's seeds as many as there are, both with replacement; the same for all recipes, so
    differences are paired.
    """
    rows = pool.rows("test")
    resamples = patient_resamples(pool.ecgs["patient"].to_numpy(str)[rows], RESAMPLES, 0)
    targets = pool.targets[DIAGNOSES][rows].astype(np.float64)
    with ThreadPoolExecutor(processors()) as pool_of_threads:  # sums over long arrays, which let go of the interpreter
        each = pool_of_threads.map(lambda runs: _by_label(runs, targets, resamples), found.values())
        by_label = dict(zip(found, each, strict=True))
    groups: dict[str, list[int]] = {}
    for column, entry in enumerate(pool.labels[DIAGNOSES]):
        groups.setdefault(str(entry["group"]), []).append(column)
    everything = list(range(targets.shape[1]))
    return Curve(
        _points(by_label, everything, best, patients),
        {name: _points(by_label, columns, best, patients) for name, columns in sorted(groups.items())},
        _conclusions(by_label, everything, tenth, best),
        _tail(by_label, np.nansum(pool.targets[DIAGNOSES][pool.rows("train")] > 0, axis=0), best),
    )


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


def _points(
    by_label: dict[tuple[str, int], dict[int, Array]], columns: list[int], best: str, patients: int
) -> list[CurvePoint]:
    macros = {key: _macro(found, columns) for key, found in by_label.items()}
    points = []
    for size in sorted({size for name, size in macros if name != "oracle"}, key=lambda size: size or patients):
        here = {name: m for (name, n), m in macros.items() if n == size and name != "oracle" and m is not None}
        if not here:
            continue
        models = {name: estimate(values) for name, values in sorted(here.items())}
        reached, floor, both, ceiling = (
            here.get(best), _signal_only(macros, size), here.get("multimodal"), macros.get(("oracle", 0))
        )  # fmt: skip
        if ceiling is not None:
            models["oracle"] = estimate(ceiling)
        gap = attainable = gain = None
        if reached is not None and floor is not None:
            gain = estimate(reached - floor)
            gap = share_closed(reached, floor, both) if both is not None else None
            attainable = share_closed(reached, floor, ceiling) if ceiling is not None else None
        points.append(
            CurvePoint(
                patients=size or patients, models=models, gap_closed=gap, attainable_gap_closed=attainable, gain=gain
            )
        )
    return points


def _tail(
    by_label: dict[tuple[str, int], dict[int, Array]], positives: npt.NDArray[np.int64], best: str
) -> list[TailPoint]:
    """Transfer against signal-only with all labels, by the number of training positives; [] without these runs."""
    points = []
    for low, high in TAIL:
        columns = [
            column
            for column in by_label.get((best, 0), {})
            if positives[column] >= low and (high is None or positives[column] < high)
        ]
        macros = {key: _macro(found, columns) for key, found in by_label.items()}
        reached, floor = macros.get((best, 0)), _signal_only(macros, 0)
        if reached is not None and floor is not None:
            points.append(
                TailPoint(
                    positives=(low, high), labels=len(columns), signal_only=estimate(floor),
                    knowledge_transfer=estimate(reached), gain=estimate(reached - floor),
                )
            )  # fmt: skip
    return points


def _signal_only(macros: dict[tuple[str, int], Array | None], size: int) -> Array | None:
    """What a transfer has to beat: the better of signal-only's two budgets, chosen on the test patients themselves,
    which can only favor it."""
    known = [macro for name in BUDGETS if (macro := macros.get((name, size))) is not None]
    return max(known, key=lambda macro: float(macro[0]), default=None)


def _conclusions(
    by_label: dict[tuple[str, int], dict[int, Array]], columns: list[int], tenth: int, best: str
) -> Conclusions:
    """Paired differences in macro AUROC: the best recipe at a tenth of the labels and with all of them."""
    macros = {key: _macro(found, columns) for key, found in by_label.items()}
    few, many = macros.get((best, tenth)), macros.get((best, 0))

    def difference(first: Array | None, second: Array | None) -> Interval | None:
        return None if first is None or second is None else estimate(first - second)

    others = sorted({name for name, size in macros if size == tenth and name not in (best, *BUDGETS)})
    return Conclusions(
        best_at_tenth_minus_signal_only_with_all=difference(few, _signal_only(macros, 0)),
        best_minus_signal_only_with_all=difference(many, _signal_only(macros, 0)),
        best_minus_signal_only_at_tenth=difference(few, _signal_only(macros, tenth)),
        best_minus_others_at_tenth={name: difference(few, macros.get((name, tenth))) for name in others},
    )
