"""Fit ecgkt/quality/misread.json: how an ECG looks that was misread, and from where on it is suspected.

    python -m training.calibrate.misread training/configs/default.yaml

ECGs of the training folds of a run's sets, each as recorded and misread in every way, and a multinomial logistic
regression on `ecgkt.quality.misread.quantities` that tells them apart. Each set counts by the root of its number. The
limit is what `FALSE` of those as recorded exceed, each judged by a fit without it; paced and refused ones are left out,
and from the limit those that another warning doubts anyhow. What the validation and test folds say: benchmarks/junk.py.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

import ecgkt
from ecgkt.ecg import ECG, INDEPENDENT, LEADS, ECGError, derived_limb_leads
from ecgkt.measurements.delineation import delineate
from ecgkt.measurements.median_beat import median_beat
from ecgkt.measurements.r_peaks import RATE, band
from ecgkt.processors import processors
from ecgkt.quality.lead_reversal import LOOKED_AT, SWAPS, moved, rows_of
from ecgkt.quality.misread import FARTHEST, FILE, ORDER, SENTENCES, Misreadings, quantities
from ecgkt.quality.resting import resting_share
from ecgkt.quality.usable import assess
from ecgkt.quality.warnings import doubtful_recording
from training.calibrate.lead_reversal import NEIGHBORS, VENTRICULAR
from training.calibrate.recordings import training_recordings
from training.config import load_config

MOST = {"simulated": 200, "else": 300}  # ECGs of a set of a kind
FALSE = 0.01
FOLDS = 5
STRENGTH = 0.1  # inverse of the ridge's weight
LONGEST = 30.0  # s of a recording that are looked at
AS_RECORDED, DOUBTED = "as recorded", "as recorded, doubted"  # by another warning
PIECES = (0.06, 0.3)  # s, shortest and longest
ROWS = rows_of(INDEPENDENT)

Array = npt.NDArray[np.float64]
Rng = np.random.Generator
Row = tuple[str, dict[str, float]]  # way, quantities


def _made(ecg: ECG, signal: npt.NDArray[np.floating], rate: float | None = None) -> ECG:
    return replace(ecg, signal=np.ascontiguousarray(signal, dtype=np.float32), rate=rate or ecg.rate)


def _with_limb_leads(signal: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    for lead, row in derived_limb_leads(signal[0], signal[1]).items():
        signal[LEADS.index(lead)] = row
    return signal


def _shuffled(ecg: ECG, rng: Rng) -> ECG:
    """The eight independent leads under each other's names."""
    signal = ecg.signal.copy()
    signal[ROWS] = ecg.signal[rng.permutation(ROWS)]
    return _made(ecg, _with_limb_leads(signal))


def _exchanged(ecg: ECG, rng: Rng) -> ECG:
    """Cables of the limbs exchanged, or those of the chest in reverse."""
    swap = SWAPS[str(rng.choice([name for name in SWAPS if name not in NEIGHBORS]))]
    signal = ecg.signal.copy()
    signal[rows_of(LOOKED_AT)] = moved(ecg.signal[rows_of(LOOKED_AT)].astype(float), swap)
    return _made(ecg, _with_limb_leads(signal))


def _pieces(ecg: ECG, rng: Rng) -> ECG:
    size = max(1, round(float(np.exp(rng.uniform(*np.log(PIECES)))) * ecg.rate))
    starts = rng.permutation(np.arange(0, ecg.samples - size + 1, size))
    return _made(ecg, ecg.signal[:, (starts[:, None] + np.arange(size)).ravel()])


def _fast(ecg: ECG, rng: Rng) -> ECG:
    """Twice the sampling rate, or every other sample."""
    return _made(ecg, ecg.signal, 2 * ecg.rate) if rng.random() < 0.5 else _made(ecg, ecg.signal[:, ::2])


MISREAD: dict[str, tuple[Callable[[ECG, Rng], ECG], ...]] = {
    "backwards": (lambda ecg, _: _made(ecg, ecg.signal[:, ::-1]),),
    "upside down": (lambda ecg, _: _made(ecg, -ecg.signal),),
    ORDER: (_shuffled, _shuffled, _exchanged),
    "in pieces": (_pieces,),
    "twice as fast": (_fast,),
}


def _measured(ecg: ECG, way: str) -> list[Row]:
    """Nothing where it is refused or paced."""
    beats = delineate(ecg)
    beat = median_beat(ecg, beats)
    if beat is None or beats.pacing.chamber in VENTRICULAR or not assess(ecg, beats).ok:
        return []
    kept = band(np.nan_to_num(ecg.resampled(RATE).signal.astype(float)), 0.5, 40.0)
    if way == AS_RECORDED and doubtful_recording(ecg, beats, beat, kept, resting_share(ecg)):
        way = DOUBTED
    return [(way, quantities(beats, beat, kept))]


def measured(task: tuple[int, Path]) -> list[Row]:
    """(way, quantities) of the ECG at a path as recorded and misread; nothing where it is not usable as recorded."""
    number, path = task
    rng = np.random.default_rng(number)
    try:
        ecg = ecgkt.read(path).crop(0, LONGEST)
    except ECGError:
        return []
    first = _measured(ecg, AS_RECORDED)
    made = ((way, make(ecg, rng)) for way, makers in MISREAD.items() for make in makers) if first else ()
    return [*first, *(row for way, misread in made for row in _measured(misread, way))]


def weights(ways: npt.NDArray[np.str_], sets: npt.NDArray[np.str_], ecgs: npt.NDArray[np.int64]) -> Array:
    """[rows]: each set by the root of its number of ECGs, each way of it the same, as recorded twice that."""
    out = np.zeros(len(ways))
    for name in np.unique(sets):
        for way in (AS_RECORDED, *MISREAD):
            rows = (sets == name) & (ways == way)
            share = np.sqrt(len(np.unique(ecgs[sets == name]))) * (2 if way == AS_RECORDED else 1)
            out[rows] = share / max(1, rows.sum())
    return np.asarray(out * len(out) / out.sum())


def fitted(values: Array, ways: npt.NDArray[np.str_], weight: Array, names: tuple[str, ...]) -> Misreadings:
    """The regression without a limit; values: [rows, names]."""
    mean, scale = (f(values[ways == AS_RECORDED], axis=0) for f in (np.mean, np.std))
    scale = scale + 1e-3
    away = np.clip((values - mean) / scale, -FARTHEST, FARTHEST)
    classes = (AS_RECORDED, *MISREAD)
    number = np.array([classes.index(way) for way in ways])
    found = LogisticRegression(C=STRENGTH, max_iter=1000).fit(away, number, sample_weight=weight)
    linear, bias = found.coef_[1:] - found.coef_[0], found.intercept_[1:] - found.intercept_[0]
    return Misreadings(names, tuple(MISREAD), mean, scale, linear, bias, np.inf)


def limit(scores: Array, weight: Array) -> float:
    """What `FALSE` of the ECGs exceed."""
    order = np.argsort(-scores)
    above = np.cumsum(weight[order]) / weight.sum()
    return float(scores[order][np.searchsorted(above, FALSE)])


def measured_sets(path: Path) -> list[tuple[str, int, str, dict[str, float]]]:
    """(set, number of the ECG in it, way, quantities) of all ECGs of the run that `path` describes."""
    rows: list[tuple[str, int, str, dict[str, float]]] = []
    with ProcessPoolExecutor(processors()) as pool:
        for name, files in training_recordings(load_config(path), MOST).items():
            done = tqdm(pool.map(measured, enumerate(files), chunksize=4), total=len(files), desc=name, mininterval=10)
            rows += [(name, number, *row) for number, found in enumerate(done) for row in found]
    return rows


def fit(rows: list[tuple[str, int, str, dict[str, float]]]) -> None:
    names = tuple(rows[0][3])
    values = np.array([[row[3][name] for name in names] for row in rows])
    sets, ways = np.array([row[0] for row in rows]), np.array([row[2] for row in rows])
    only_this = ways != DOUBTED
    ways[~only_this] = AS_RECORDED
    ecgs = np.unique([f"{row[0]} {row[1]}" for row in rows], return_inverse=True)[1].astype(np.int64)
    fold = np.random.default_rng(0).integers(0, FOLDS, ecgs.max() + 1)[ecgs]
    weight, scores = weights(ways, sets, ecgs), np.zeros(len(rows))
    for number in range(FOLDS):
        rest = fold != number
        scores[~rest] = fitted(values[rest], ways[rest], weight[rest], names).score(values[~rest])
    recorded = ways == AS_RECORDED
    highest = limit(scores[recorded & only_this], weight[recorded & only_this])
    beyond = (scores > highest) & only_this
    write(fitted(values, ways, weight, names), highest, _shares(beyond, sets, ways), Counter(sets[recorded]))


def _shares(beyond: npt.NDArray[np.bool_], sets: npt.NDArray[np.str_], ways: npt.NDArray[np.str_]) -> dict[str, Any]:
    """Way -> set -> share beyond the limit, each ECG judged by a fit without it."""
    return {
        way: {str(name): round(float(beyond[(ways == way) & (sets == name)].mean()), 4) for name in np.unique(sets)}
        for way in (AS_RECORDED, *MISREAD)
    }


def write(found: Misreadings, highest: float, shares: dict[str, Any], ecgs: Counter[str]) -> None:
    digits: Callable[[float], float] = lambda value: float(f"{value:.5g}")  # noqa: E731
    assert set(found.ways) == set(SENTENCES)
    content = {
        "written_by": "python -m training.calibrate.misread training/configs/default.yaml",
        "ecgs": {str(name): count for name, count in sorted(ecgs.items())},
        "beyond the limit, by fits without the ECG": shares,
        "limit": digits(highest),
        "bias": {way: digits(value) for way, value in zip(found.ways, found.bias, strict=True)},
    }
    columns = np.stack([found.mean, found.scale, *found.weights], axis=1)
    lines = [
        f"{json.dumps(name)}: {json.dumps([digits(v) for v in row])}"
        for name, row in zip(found.names, columns, strict=True)
    ]
    head = json.dumps(content, indent=1).removesuffix("\n}")
    FILE.write_text(f'{head},\n "quantities": {{\n  ' + ",\n  ".join(lines) + "\n }\n}\n")
    print(head)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    fit(measured_sets(parser.parse_args().config))
