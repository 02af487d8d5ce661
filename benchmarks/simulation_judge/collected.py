"""Measures and 100 Hz views of a set of recordings, made once and kept in runs/judge."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.simulation_judge import measure as measuring
from benchmarks.simulation_judge import recordings
from ecgkt.ecg import ECG, ECGError
from ecgkt.model.preprocessing import MODEL_RATE, MODEL_SAMPLES, model_view

FULL_RATE = ("ptbxl_native", "cinc", "ludb", "simulated")  # 500 Hz and more
MEASURED = 3000  # simulated ECGs that are measured at 100 Hz, one a patient; normal ones are wanted for matching
MEASURED_500 = 1000  # of them at 500 Hz too


@dataclass(frozen=True)
class Collection:
    """table: `recordings.COLUMNS`; view: [N, 12, 1000] mV at 100 Hz and 0.5-40 Hz; at_100, at_500: measures [N, ...].

    at_500 is empty where the source has no such rate. Rows without measurable beats are all NaN.
    """

    table: pd.DataFrame
    view: np.ndarray
    at_100: pd.DataFrame
    at_500: pd.DataFrame

    def __getitem__(self, rows: np.ndarray) -> Collection:
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        pick = [frame.iloc[at].reset_index(drop=True) for frame in (self.table, self.at_100, self.at_500)]
        return Collection(pick[0], self.view[at], pick[1], pick[2])


def views(source: str, table: pd.DataFrame, cache: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """The usable rows of `table` and their views [N, 12, 1000] float16 mV, kept under `cache`."""
    file = cache / f"views-{source}-{_key(table)}.npz"
    if not file.is_file():
        kept, out = [], []
        for row, path in enumerate(tqdm(table["file"], unit="ECG", mininterval=5, desc=f"{source} views")):
            try:
                ecg = recordings.read(path)
            except ECGError:
                continue
            kept.append(row)
            out.append(model_view(ecg)[:, :MODEL_SAMPLES].astype(np.float16))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, kept=np.array(kept), views=np.stack(out))
    with np.load(file) as saved:
        return table.iloc[saved["kept"]].reset_index(drop=True), saved["views"]


def collect(source: str, table: pd.DataFrame, cache: Path) -> Collection:
    """Views and measures of all usable rows."""
    table, view = views(source, table, cache)
    frames = []
    for rate in (MODEL_RATE, 500):
        code = hashlib.sha256(Path(measuring.__file__).read_bytes()).hexdigest()[:8]
        file = cache / f"measures-{source}-{rate}-{_key(table)}-{code}.parquet"
        if rate == 500 and source not in FULL_RATE:
            frames.append(pd.DataFrame(index=range(len(table))))
            continue
        if not file.is_file():
            rows = []
            chosen = table["file"][: MEASURED_500 if rate == 500 else None]
            for i, path in enumerate(tqdm(chosen, unit="ECG", mininterval=5, desc=f"{source} at {rate} Hz")):
                ecg = ECG(view[i].astype(np.float32), MODEL_RATE)
                rows.append(measuring.measure(recordings.read(path) if rate == 500 else ecg))
            pd.DataFrame(rows).reindex(range(len(table))).to_parquet(file)
        frames.append(pd.read_parquet(file))
    return Collection(table, view.astype(np.float32), frames[0], frames[1])


def real(source: str, data: Path, cache: Path) -> Collection:
    return collect(source, recordings.real(source, data), cache)


def simulated(cohort: Path, cache: Path) -> Collection:
    """Up to `MEASURED` simulated ECGs, one a patient, in random but fixed order."""
    table = recordings.simulated(cohort)
    table = table.drop_duplicates("patient").sample(frac=1, random_state=0).head(MEASURED).reset_index(drop=True)
    return collect("simulated", table, cache)


def matched(real_: Collection, simulated_: Collection, seed: int = 0) -> tuple[Collection, Collection]:
    """As many simulated as real ECGs, alike in age, sex and heart rate: nearest neighbors without replacement.

    Without it a classifier would learn who was examined, not how the tracings look. Real rows that find nobody within
    half an SD (all three together) are left out.
    """
    order = np.random.default_rng(seed).permutation(len(real_.table))

    def place(c: Collection) -> np.ndarray:
        age = c.table["age"].fillna(60).to_numpy(float) / 18
        male = c.table["male"].fillna(0.5).to_numpy(float)
        return np.stack([age, male, c.at_100["time:heart_rate"].to_numpy(float) / 14], axis=1)

    ours, theirs = place(real_), place(simulated_)
    free = np.isfinite(theirs).all(axis=1)
    pairs = []
    for row in order[np.isfinite(ours[order]).all(axis=1)]:
        distance = np.where(free, ((theirs - ours[row]) ** 2).sum(axis=1), np.inf)
        best = int(np.argmin(distance))
        if distance[best] < 0.5:
            free[best] = False
            pairs.append((row, best))
    chosen = np.array(pairs, dtype=int).reshape(-1, 2)
    return real_[chosen[:, 0]], simulated_[chosen[:, 1]]


def _key(table: pd.DataFrame) -> str:
    files = [Path(f) for f in table["file"]]
    stamps = [(str(f), f.with_suffix(".hea").stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:12]
