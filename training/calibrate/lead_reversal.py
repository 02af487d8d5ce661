"""Fit ecgkt/quality/typical_beat.json: how the waves of ECGs lie, and from where on a swapped cable is suspected.

    python -m training.calibrate.lead_reversal training/configs/default.yaml

Mean and covariance of `ecgkt.quality.lead_reversal.features` over the recordings of a run's training folds and as many
simulated patients, of those ECGs whose electrodes the simulator did not mix up, paced ones left out. The limit of each
suspicion is what `FALSE` of them exceed, each judged by a fit without it (ten folds). Nobody can say of real recordings
that no cable was ever swapped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

import ecgkt
from ecgkt.measurements.delineation import delineate
from ecgkt.measurements.median_beat import median_beat
from ecgkt.quality.lead_reversal import FILE, LOOKED_AT, PARTS, SWAPS, TypicalBeat, features, moved
from ecgkt.quality.usable import assess
from training.calibrate.recordings import training_recordings
from training.config import load_config

FALSE = 0.001  # real and simulated ECGs apart: neither may exceed it
SHRINK = 0.2  # added to the variances, as a share: the waves are measured, so their spread is not all of the body's
FOLDS = 10
MOST = {"else": 1300}  # ECGs of a set
LONGEST = 30.0  # s of a recording that are looked at
SMALLEST_LIMIT = 0.05
# For what turns a tracing over: made mistakes gain far more (of V1 to V6 in reverse 97% and more, on LUDB and native
# PTB-XL), while hearts with a small lateral wall or a large right one come near the limit that `FALSE` gives.
SMALLEST_LIMIT_TURNED = 0.35
NEIGHBORS = {"V1 and V2", "V2 and V3", "V3 and V4", "V4 and V5", "V5 and V6", "V1 and V3", "left arm and left leg"}
VENTRICULAR = {"ventricular", "dual-chamber"}

Array = npt.NDArray[np.float64]


def measured(paths: list[Path]) -> Array:
    """[N, 9, 5] features of the usable ECGs among `paths`."""
    found = []
    for path in tqdm(paths, mininterval=10):
        ecg = ecgkt.read(path).crop(0, LONGEST)
        beats = delineate(ecg)
        beat = median_beat(ecg, beats)
        if beat is not None and beats.pacing.chamber not in VENTRICULAR and assess(ecg, beats).ok:
            found.append(features(beat))
    return np.stack(found)


def fitted(values: Array, limits: dict[str, float]) -> tuple[TypicalBeat, Array]:
    """The typical beat of features [N, 9, 5], and its covariance."""
    flat = values.reshape(len(values), -1)
    covariance = np.cov(flat.T)
    covariance += SHRINK * np.diag(np.diag(covariance))
    return TypicalBeat(flat.mean(axis=0), np.asarray(np.linalg.inv(covariance), float), limits), covariance


def gains(values: Array) -> dict[str, Array]:
    """Name of each suspicion -> [N] what putting it right gains, each ECG judged by the others."""
    out = {name: np.full(len(values), -np.inf) for name in SWAPS}
    fold = np.random.default_rng(0).integers(0, FOLDS, len(values))
    for number in range(FOLDS):
        typical, _ = fitted(values[fold != number], {})
        for row in np.flatnonzero(fold == number):
            recorded = typical.distance(values[row])
            for name, swap in SWAPS.items():
                out[name][row] = typical.gain(recorded, typical.distance(moved(values[row], swap)))
    return out


def main(path: Path) -> None:
    config = load_config(path)
    simulated = {source.name for source in config.sources if source.kind == "simulated"}
    sets = {name: measured(files) for name, files in training_recordings(config, MOST).items()}
    values = np.concatenate(list(sets.values()))
    of = np.concatenate([np.full(len(found), name) for name, found in sets.items()])
    limits = {}
    for name, gain in gains(values).items():
        drawn = np.isin(of, list(simulated))
        highest = max(float(np.quantile(gain[mask], 1 - FALSE)) for mask in (~drawn, drawn))
        limits[name] = round(max(highest, SMALLEST_LIMIT if name in NEIGHBORS else SMALLEST_LIMIT_TURNED), 3)
    typical, covariance = fitted(values, limits)
    content = {
        "written_by": "python -m training.calibrate.lead_reversal training/configs/default.yaml",
        "ecgs": {name: len(found) for name, found in sets.items()},
        "features": [f"{lead} {part}" for lead in LOOKED_AT for part in PARTS],
        "limits": limits,
        "mean": [round(float(value), 4) for value in typical.mean],
    }
    head = json.dumps(content, indent=1).removesuffix("\n}")
    rows = ",\n  ".join(json.dumps([float(f"{value:.4g}") for value in row]) for row in covariance)  # a row a line
    FILE.write_text(f'{head},\n "covariance": [\n  {rows}\n ]\n}}\n')
    print(json.dumps(limits, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    main(parser.parse_args().config)
