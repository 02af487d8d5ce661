"""What the wave network learns from: arrays with a target and a weight for each moment, from four sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb

from ecgkt.ecg import LEADS
from ecgkt.measurements.p_waves import EARLIEST
from ecgkt.measurements.r_peaks import RATE
from ecgkt.measurements.wave_network import OUT_RATE, WAVES, standardized
from ecgkt.readers import read
from training.waves.drawn import draw

P_NARROWER = 0.010  # s at each end by which LUDB's P waves, widest of all leads, are wider than devices' and simulated
FEWEST_LEADS = 4  # in which LUDB must have a wave
APART = {"p": 0.12, "N": 0.15, "t": 0.20}  # s between the middles of two waves of one kind
FUZZY = 0.04  # s around the onset of T, which nobody defines
SINUS, OTHER = {"SR", "SBRAD", "STACH", "SARRH"}, {"AFIB", "AFLT", "PACE", "SVTAC", "PSVT"}
SURE = 0.2  # mean probability before QRS from which a sinus rhythm's P wave is taken as found


@dataclass(frozen=True)
class Example:
    """signal: [12, samples] as the network takes it. target, weight: [3, samples / 2]."""

    signal: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def _mark(row: np.ndarray, onset: float, end: float) -> None:
    """1 within the wave, at its edges the share of the sample that it covers."""
    at = np.arange(len(row))
    inside = np.minimum(at + 0.5, end * OUT_RATE) - np.maximum(at - 0.5, onset * OUT_RATE)
    np.maximum(row, np.clip(inside, 0, 1), out=row)


def _samples(first: float, last: float) -> slice:
    return slice(int(max(0.0, first * OUT_RATE)), int(max(0.0, last * OUT_RATE)))


def simulated(seed: int, count: int) -> Iterator[Example]:
    for index in range(count):
        drawn = draw(seed, index)
        target = np.zeros((len(WAVES), drawn.signal.shape[1] // 2), np.float32)
        weight = np.ones_like(target)
        for row, waves in enumerate((drawn.p, drawn.qrs, drawn.t)):
            for onset, end in waves:
                _mark(target[row], onset, end)
        for onset, _ in drawn.t:
            weight[2, _samples(onset - FUZZY, onset + FUZZY)] = 0.1
        for onset, end in drawn.qrs:  # a P wave within QRS cannot be seen
            part = _samples(onset, end + 1 / OUT_RATE)
            weight[0, part] *= target[0, part] == 0
        yield Example(standardized(drawn.signal.astype(float)), target, weight)


def annotated(folder: Path, half: int) -> Iterator[Example]:
    """Every second record of LUDB, those of `half` (0 or 1) left out for the benchmark."""
    headers = sorted((folder / "data").glob("*.hea"), key=lambda path: int(path.stem))
    for header in headers[1 - half :: 2]:
        waves = {kind: _global(header, kind) for kind in APART}
        signal = np.nan_to_num(read(header).resampled(RATE).signal.astype(float))
        target = np.zeros((len(WAVES), signal.shape[1] // 2), np.float32)
        weight = np.zeros_like(target)
        every = [wave for kind in waves.values() for wave in kind]
        weight[:, _samples(min(w[0] for w in every) - 0.1, max(w[1] for w in every) + 0.05)] = 1
        for row, (kind, narrower) in enumerate((("p", P_NARROWER), ("N", 0.0), ("t", 0.0))):
            for onset, end, leads in waves[kind]:
                if leads >= FEWEST_LEADS:
                    _mark(target[row], onset + narrower, end - narrower)
                else:
                    weight[row, _samples(onset, end + 1 / OUT_RATE)] = 0
                if kind == "t":
                    weight[2, _samples(onset - 0.03, onset + 0.03)] *= 0.2
        yield Example(standardized(signal), target, weight)


def _global(header: Path, kind: str) -> list[tuple[float, float, int]]:
    """Second earliest onset, second latest end and number of leads of each wave of LUDB."""
    found = []
    for lead in LEADS:
        annotation = wfdb.rdann(str(header.with_suffix("")), lead.lower())
        times, symbols = annotation.sample / 500, annotation.symbol
        for i in range(1, len(symbols) - 1):
            if symbols[i] == kind and symbols[i - 1] + symbols[i + 1] == "()":
                found.append((times[i - 1], times[i + 1]))
    groups: list[list[tuple[float, float]]] = []
    for wave in sorted(found, key=sum):
        if not groups or (sum(wave) - sum(groups[-1][-1])) / 2 > APART[kind]:
            groups.append([])
        groups[-1].append(wave)
    second = min(1, len(found))
    return [
        (sorted(a for a, _ in g)[min(second, len(g) - 1)], sorted((b for _, b in g), reverse=True)[min(1, len(g) - 1)],
         len(g))
        for g in groups
    ]  # fmt: skip


def recorded(folder: Path) -> Iterator[tuple[np.ndarray, bool]]:
    """PTB-XL's records of even number: (signal [12, samples] mV at RATE, is it atrial fibrillation), else sinus."""
    for row in pd.read_csv(folder / "ptbxl_database.csv").itertuples():
        codes = set(ast.literal_eval(str(row.scp_codes)))
        if int(str(row.ecg_id)) % 2 or not ("AFIB" in codes or (codes & SINUS and not codes & OTHER)):
            continue
        signal = read(folder / f"{row.filename_lr}.hea").resampled(RATE).signal
        yield np.nan_to_num(signal.astype(float)), "AFIB" in codes


def without_p(signal: np.ndarray) -> Example:
    target = np.zeros((len(WAVES), signal.shape[1] // 2), np.float32)
    weight = np.zeros_like(target)
    weight[0] = 0.5
    return Example(standardized(signal), target, weight)


def with_p(signal: np.ndarray, probability: np.ndarray, onsets: np.ndarray) -> Example | None:
    """Sinus rhythm: P where the network's own mean over the beats, aligned by QRS onset (s), is highest; premature
    beats left open. None where it is nowhere high enough."""
    reach = round(EARLIEST * OUT_RATE)
    starts = np.array([int(at * OUT_RATE) - reach for at in onsets])
    cuts = [probability[0, s : s + reach + 2] for s in starts if s >= 0 and s + reach + 2 <= probability.shape[1]]
    if len(cuts) < 4:
        return None
    mean = np.mean(cuts, axis=0)
    best = int(mean.argmax())
    if mean[best] < SURE:
        return None
    low = np.flatnonzero(mean <= 0.5 * mean[best])
    first = int(max(low[low < best], default=-1)) + 1
    last = int(min(low[low > best], default=len(mean)))
    target = np.zeros((len(WAVES), signal.shape[1] // 2), np.float32)
    weight = np.zeros_like(target)
    weight[0] = 0.3 * (probability[0, : weight.shape[1]] < 0.3)
    gaps = np.diff(onsets, prepend=onsets[0] - 1)
    for start, gap in zip(starts, gaps, strict=True):
        premature = gap < 0.85 * np.median(gaps)
        weight[0, max(0, start) : max(0, start + reach)] = 0.0 if premature else 0.3
        if not premature:
            a, b = max(0, start + first), max(0, start + last)
            target[0, a:b], weight[0, a:b] = 1, 1
            for edge in (a, b):
                weight[0, max(0, edge - 2) : edge + 2] = 0.1
    return Example(standardized(signal), target, weight)
