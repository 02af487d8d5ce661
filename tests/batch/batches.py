"""Folders of WFDB records for the batch's tests, and a model that is quickly asked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ecgkt.ecg import ECG, LEADS
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import HEADS, Label, Prediction
from tests.stand_in import StandIn, beats

BAD = "The WFDB signal file is shorter than its header declares."


class Quick(StandIn):
    """`StandIn`, asked for several ECGs at once; remembers how many it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def predict_many(self, ecgs: Iterable[AnalyzedECG]) -> list[Prediction]:
        found = [self.predict(ecg) for ecg in ecgs]
        self.asked += len(found)
        return found

    def label(self, code: str) -> Label:
        return next(label for head in HEADS for label in self.labels[head] if label.code == code)


def write(path: Path, ecg: ECG, cut: int = 0) -> None:
    """`path`.hea and `path`.dat, 16 bits, 1 uV a step; the last `cut` bytes of the signal are lacking."""
    samples = np.rint(1000 * ecg.signal.T).astype("<i2")
    lines = [f"{path.name} 12 {ecg.rate:g} {len(samples)}"]
    lines += [f"{path.name}.dat 16 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    path.with_suffix(".hea").write_text("\n".join(lines) + "\n")
    content = samples.tobytes()
    path.with_suffix(".dat").write_bytes(content[: len(content) - cut])


def folder(root: Path, count: int, bad: int = 0) -> Path:
    """`count` records that differ, in two folders below `root`, the last `bad` of them cut short."""
    for k in range(count):
        place = root / f"{k % 2}"
        place.mkdir(parents=True, exist_ok=True)
        write(place / f"r{k:03d}", beats(60 + k), cut=8 if k >= count - bad else 0)
    return root


def age(path: Path, seconds: float) -> None:
    """As if it had been written so long ago."""
    stat = path.stat()
    os.utime(path, (stat.st_atime - seconds, stat.st_mtime - seconds))
