"""True wave boundaries for benchmarks/delineation.py: LUDB's annotations made global, and the simulator's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb

from ecgkt.ecg import ECG, LEADS
from ecgkt.readers import read

BOUNDARIES = ("p_onset", "p_offset", "qrs_onset", "qrs_offset", "t_offset")
FEWEST_LEADS = 6  # in which a boundary must be annotated to count as known for all leads
APART = 0.15  # s between QRS complexes of different beats, whatever the lead

Truth = dict[str, float]  # boundary -> s from the tracing's start; a missing one is not known


@dataclass(frozen=True)
class Reference:
    """A tracing and what is true of it: a `Truth` a beat, each with its "qrs_onset" and "qrs_offset".

    without_p: the whole tracing holds no P wave. paced: by a pacemaker. The beats need not be all of the tracing's.
    """

    name: str
    ecg: ECG
    beats: tuple[Truth, ...]
    without_p: bool
    paced: bool = False


def outermost_but_one(times: list[float], last: bool) -> float:
    """The global boundary of per-lead ones (CSE Working Party 1985): the second earliest, or the second latest."""
    return sorted(times, reverse=last)[min(1, len(times) - 1)]


def ludb(folder: Path, every: int = 1) -> Iterator[Reference]:
    """The records of LUDB (Kalyakulina et al. 2020), whose leads were annotated one by one; every nth of them.

    Its first and last beats are not annotated.
    """
    table = pd.read_csv(folder / "ludb.csv", skipinitialspace=True)
    pacing = dict(zip(table["ID"].astype(int), table["Cardiac pacing"].notna(), strict=True))
    for header in sorted((folder / "data").glob("*.hea"), key=lambda path: int(path.stem))[::every]:
        found: dict[str, list[tuple[float, str, float]]] = {"N": [], "p": [], "t": []}
        for lead in LEADS:
            annotation = wfdb.rdann(str(header.with_suffix("")), lead.lower())
            times, symbols = annotation.sample / 500, annotation.symbol
            waves = [
                (times[i - 1], symbol, times[i + 1])
                for i, symbol in enumerate(symbols)
                if 0 < i < len(symbols) - 1 and symbol in found and symbols[i - 1] + symbols[i + 1] == "()"
            ]
            for i, wave in enumerate(waves):
                if wave[1] == "N":
                    found["N"].append((wave[0], lead, wave[2]))
                elif wave[1] == "p" and i + 1 < len(waves) and waves[i + 1][1] == "N":
                    found["p"].append((wave[0], f"{lead} {waves[i + 1][0]}", wave[2]))
                elif wave[1] == "t" and i and waves[i - 1][1] == "N":
                    found["t"].append((wave[0], f"{lead} {waves[i - 1][0]}", wave[2]))
        beats = []
        for group in _by_beat(found["N"]):
            keys = {f"{lead} {onset}" for onset, lead, _ in group}
            truth: Truth = {}
            for name, waves in (("p", found["p"]), ("qrs", group), ("t", found["t"])):
                edges = [(a, b) for a, key, b in waves if name == "qrs" or key in keys]
                if len(edges) >= FEWEST_LEADS:
                    truth[f"{name}_onset"] = outermost_but_one([a for a, _ in edges], last=False)
                    truth[f"{name}_offset"] = outermost_but_one([b for _, b in edges], last=True)
            if "qrs_onset" in truth:
                beats.append(truth)
        yield Reference(header.stem, read(header), tuple(beats), not found["p"], bool(pacing[int(header.stem)]))


def _by_beat(waves: list[tuple[float, str, float]]) -> list[list[tuple[float, str, float]]]:
    groups: list[list[tuple[float, str, float]]] = []
    for wave in sorted(waves, key=lambda w: w[0] + w[2]):
        if not groups or wave[0] + wave[2] - (groups[-1][-1][0] + groups[-1][-1][2]) > 2 * APART:
            groups.append([])
        groups[-1].append(wave)
    return groups


def simulated(folder: Path) -> Iterator[Reference]:
    """The recordings of a cohort made by `python -m training simulate`, with the boundaries drawn for each beat."""
    paths = pd.read_csv(folder / "mimic-iv-ecg" / "record_list.csv").set_index("study_id")["path"]
    columns = {f"{name.replace('offset', 'end')}_ms": name for name in BOUNDARIES}
    for study, rows in pd.read_parquet(folder / "truth" / "waves.parquet").groupby("study_id"):
        ecg = read(folder / "mimic-iv-ecg" / f"{paths[study]}.hea")
        times = rows[list(columns)].rename(columns=columns) / 1000
        inside = times[(times["qrs_onset"] > 0) & (times["t_offset"] < ecg.seconds)]
        beats = tuple(
            {str(name): float(t) for name, t in row.items() if np.isfinite(t)} for _, row in inside.iterrows()
        )
        yield Reference(str(study), ecg, beats, bool(times["p_onset"].isna().all()))
