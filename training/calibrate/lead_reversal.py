"""Fit ecgkt/quality/typical_beat.json: how the waves of ECGs lie, and from where on a swapped cable is suspected.

    python -m training.calibrate.lead_reversal data/ptb-xl runs/default/simulated

Mean and covariance of `ecgkt.quality.lead_reversal.features` over PTB-XL's recordings and as many simulated patients,
of those ECGs whose electrodes the simulator did not mix up, paced ones left out. The limit of each suspicion is what
`FALSE` of them exceed, each judged by a fit without it (ten folds). Nobody can say of PTB-XL's recordings that no cable
was ever swapped.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

import ecgkt
from ecgkt.measurements.delineation import delineate
from ecgkt.measurements.median_beat import median_beat
from ecgkt.measurements.r_peaks import RATE
from ecgkt.quality.lead_reversal import (
    BACKWARDS,
    FILE,
    INVERTED,
    LOOKED_AT,
    PARTS,
    SWAPS,
    TypicalBeat,
    backwards,
    features,
    moved,
)
from ecgkt.quality.usable import assess

FALSE = {"swap": 0.001, BACKWARDS: 0.003}  # real and simulated ECGs apart: neither may exceed it
SHRINK = 0.2  # added to the variances, as a share: the waves are measured, so their spread is not all of the body's
FOLDS = 10
SMALLEST_LIMIT = 0.05
# For what turns a tracing over: made mistakes gain far more (of V1 to V6 in reverse 97% and more, on LUDB and native
# PTB-XL), while hearts with a small lateral wall or a large right one come near the limit that `FALSE` gives.
SMALLEST_LIMIT_TURNED = 0.35
NEIGHBORS = {"V1 and V2", "V2 and V3", "V3 and V4", "V4 and V5", "V5 and V6", "V1 and V3", "left arm and left leg"}
VENTRICULAR = {"ventricular", "dual-chamber"}

Array = npt.NDArray[np.float64]


def measured(paths: list[Path]) -> tuple[Array, Array]:
    """[N, 9, 5] features as recorded and backwards (NaN where no beat is found) of the usable ECGs among `paths`."""
    forth, back = [], []
    for path in tqdm(paths, mininterval=10):
        ecg = ecgkt.read(path)
        beats = delineate(ecg)
        beat = median_beat(ecg, beats)
        if beat is None or beats.pacing.chamber in VENTRICULAR or not assess(ecg, beats).ok:
            continue
        forth.append(features(beat))
        flipped = backwards(ecg.resampled(RATE))
        back.append(np.full_like(forth[-1], np.nan) if flipped is None else flipped)
    return np.stack(forth), np.stack(back)


def fitted(values: Array, limits: dict[str, float]) -> tuple[TypicalBeat, Array]:
    """The typical beat of features [N, 9, 5], and its covariance."""
    flat = values.reshape(len(values), -1)
    covariance = np.cov(flat.T)
    covariance += SHRINK * np.diag(np.diag(covariance))
    return TypicalBeat(flat.mean(axis=0), np.asarray(np.linalg.inv(covariance), float), limits), covariance


def gains(forth: Array, back: Array) -> dict[str, Array]:
    """Name of each suspicion -> [N] what putting it right gains, each ECG judged by the others."""
    out = {name: np.full(len(forth), -np.inf) for name in (*SWAPS, BACKWARDS, INVERTED)}
    fold = np.random.default_rng(0).integers(0, FOLDS, len(forth))
    for number in range(FOLDS):
        typical, _ = fitted(forth[fold != number], {})
        for row in np.flatnonzero(fold == number):
            recorded = typical.distance(forth[row])
            for name, swap in SWAPS.items():
                out[name][row] = typical.gain(recorded, typical.distance(moved(forth[row], swap)))
            out[INVERTED][row] = typical.gain(recorded, typical.distance(-forth[row]))
            if not np.isnan(back[row]).any():
                out[BACKWARDS][row] = typical.gain(recorded, typical.distance(back[row]))
    return out


def simulated_records(folder: Path, count: int) -> list[Path]:
    """One ECG each of `count` simulated patients, none with a fault of recording."""
    ecgs = pd.read_parquet(folder / "truth" / "ecgs.parquet")
    listed = pd.read_csv(next(folder.rglob("record_list.csv")))
    sound = listed[listed["study_id"].isin(ecgs.loc[ecgs["fault"] == "", "study_id"])]
    chosen = sound.groupby("subject_id").first().sample(count, random_state=0)
    home = next(folder.rglob("record_list.csv")).parent
    return [home / f"{path}.hea" for path in chosen["path"]]


def main(ptbxl: Path, simulated: Path) -> None:
    real = measured(sorted(ptbxl.glob("records100/*/*.hea")))
    drawn = measured(simulated_records(simulated, len(real[0])))
    is_real = np.arange(len(real[0]) + len(drawn[0])) < len(real[0])
    forth, back = (np.concatenate(pair) for pair in zip(real, drawn, strict=True))
    limits = {}
    for name, gain in gains(forth, back).items():
        share = FALSE[BACKWARDS] if name == BACKWARDS else FALSE["swap"]
        highest = max(float(np.quantile(gain[mask], 1 - share)) for mask in (is_real, ~is_real))
        limits[name] = round(max(highest, SMALLEST_LIMIT if name in NEIGHBORS else SMALLEST_LIMIT_TURNED), 3)
    typical, covariance = fitted(forth, limits)
    content = {
        "written_by": "python -m training.calibrate.lead_reversal",
        "real": f"{len(real[0])} recordings of PTB-XL",
        "simulated": f"{len(drawn[0])} simulated patients",
        "features": [f"{lead} {part}" for lead in LOOKED_AT for part in PARTS],
        "limits": limits,
        "mean": [round(float(value), 4) for value in typical.mean],
    }
    head = json.dumps(content, indent=1).removesuffix("\n}")
    rows = ",\n  ".join(json.dumps([float(f"{value:.4g}") for value in row]) for row in covariance)  # a row a line
    FILE.write_text(f'{head},\n "covariance": [\n  {rows}\n ]\n}}\n')
    print(json.dumps(limits, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
