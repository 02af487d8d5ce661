"""Part 1: intervals, amplitudes and noise, simulated beside real: quantiles, two-sample Kolmogorov-Smirnov distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from benchmarks.simulation_judge import recordings
from benchmarks.simulation_judge.collected import Collection, matched

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
LEAST = 15  # values on either side, below which nothing is said
LEADS_SHOWN = ("I", "II", "aVF", "V1", "V2", "V3", "V5", "V6")
SCALE_FREE = ("time:", "rhythm:", "noise:", "space:", "axis:")


@dataclass(frozen=True)
class Comparison:
    """Which real set, which tracings of it, at which rate, which measures; simulated ones are matched where said."""

    name: str
    source: str
    stage: str
    rate: int
    match: bool
    prefixes: tuple[str, ...]
    per_lead: tuple[str, ...]


PTBXL_LEADS = (*(f"shape:{{lead}}:{m}" for m in ("r", "s", "t", "p", "st60", "t_position")), "ratio:{lead}:t_over_r")
CINC_LEADS = (*(f"mv:{{lead}}:{m}" for m in ("p", "r", "s", "t", "st60")), "ratio:{lead}:t_over_r")
# Groups whose mean distance is kept, over all leads and measures: unlike a classifier's AUROC it does not saturate.
GRADED = ("time:", "rhythm:", "shape:", "space:", "noise:")
TIMES = ("time:", "rhythm:", "space:", "noise:")
COMPARISONS = (
    Comparison("PTB-XL as recorded, normal, matched", "ptbxl_native", "normal", 500, True,
               (*TIMES, "axis:", "raw:"), CINC_LEADS),
    Comparison("PTB-XL, normal, matched", "ptbxl", "normal", 100, True, SCALE_FREE, PTBXL_LEADS),
    Comparison("PTB-XL, all", "ptbxl", "all", 100, False, ("time:", "rhythm:", "axis:"), ()),
    Comparison("LUDB, sinus without block, matched", "ludb", "narrow", 500, True, TIMES, PTBXL_LEADS),
    Comparison("CinC, sinus without block, matched", "cinc", "narrow", 500, True, (*TIMES, "axis:", "raw:"),
               CINC_LEADS),
)  # fmt: skip
STAGES = {"normal": recordings.normal, "narrow": recordings.narrow_sinus}


def pair(real: Collection, simulated: Collection, stage: str, match: bool) -> tuple[Collection, Collection]:
    """The tracings of one stage on both sides."""
    if stage in STAGES:
        real, simulated = real[STAGES[stage](real.table)], simulated[STAGES[stage](simulated.table)]
    return matched(real, simulated) if match else (real, simulated)


def by_chance(first: int, second: int) -> float:
    """Mean KS distance of two large samples of one distribution: sqrt(pi / 2) ln 2 of Kolmogorov's distribution."""
    return round(float(np.sqrt(np.pi / 2) * np.log(2) * np.sqrt(1 / first + 1 / second)), 3)


def quantiles(values: pd.Series) -> list[float]:
    return [float(f"{v:.4g}") for v in np.quantile(values, QUANTILES)]


def judge(reals: dict[str, Collection], simulated: Collection) -> dict[str, Any]:
    """comparison -> counts and, a quantity, quantiles of both sides and their KS distance."""
    out: dict[str, Any] = {}
    for c in COMPARISONS:
        if c.source not in reals:
            continue
        pool = simulated
        if c.rate == 500:  # only some simulated ECGs were measured at 500 Hz
            pool = simulated[simulated.at_500["time:heart_rate"].notna().to_numpy()]
        real, ours = pair(reals[c.source], pool, c.stage, c.match)
        theirs, mine = (s.at_500 if c.rate == 500 else s.at_100 for s in (real, ours))
        wanted = [m for m in theirs if m.startswith(c.prefixes)]
        wanted += [m.format(lead=lead) for m in c.per_lead for lead in LEADS_SHOWN]
        graded = (*GRADED, "axis:", "mv:", "raw:") if c.source in ("cinc", "ptbxl_native") else (*GRADED, *c.prefixes)
        rows, distances = {}, {}
        for name in theirs:
            if name not in mine or not name.startswith(graded):
                continue
            a, b = theirs[name].dropna(), mine[name].dropna()
            if min(len(a), len(b)) < LEAST:
                continue
            distances[name] = float(ks_2samp(a, b, method="asymp").statistic)
            if name in wanted:
                rows[name] = {"real": quantiles(a), "simulated": quantiles(b), "ks": round(distances[name], 3)}
        out[c.name] = {
            "rate_hz": c.rate, "real_ecgs": len(real.table), "simulated_ecgs": len(ours.table),
            "ks_by_chance": by_chance(len(real.table), len(ours.table)),
            "mean_ks": {
                group[:-1]: round(float(np.mean(found)), 3)
                for group in (*GRADED, "axis:", "mv:", "raw:")
                if (found := [v for m, v in distances.items() if m.startswith(group)])
            },
            "measures": rows,
        }  # fmt: skip
    return out
