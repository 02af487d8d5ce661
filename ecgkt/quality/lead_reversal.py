"""Do the leads look like what they are called? Swapped cables.

One rule for all: a tracing is held against the spread of real and simulated ECGs (`typical_beat.json`, fitted by
training/calibrate/lead_reversal.py). If it would look much more like them with two cables changed back, it is flagged.
The idea of testing each interchange by undoing it is Kors and van Herpen's (2001, J Electrocardiol 34 Suppl). Each lead
counts to its own scale, so wrong gains do no harm. What a swap leaves nearly alike cannot be found (left arm and left
leg, V5 and V6): benchmarks/quality.py measures it. What turns all leads or time over: `ecgkt.quality.misread`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS
from ecgkt.measurements.median_beat import MedianBeat

FILE = Path(__file__).with_name("typical_beat.json")
LOOKED_AT = ("I", "II", "III", "V1", "V2", "V3", "V4", "V5", "V6")  # the others follow from I and II
PARTS = ("P", "QRS begins", "QRS", "QRS ends", "T")
# Degrees of freedom of Student's t: its tails are wide, so one odd wave does not outweigh all that looks right.
FREEDOM = 20.0
# Squared distance that a tracing may have once it is put right: a strange ECG is not told apart by being less strange.
STILL_LIKELY = 100.0

Row = npt.NDArray[np.float64]
Moves = dict[str, tuple[str, int]]  # lead as recorded -> (the lead it is in truth, its sign)


def _exchanged(*pairs: tuple[str, str]) -> Moves:
    return {a: (b, 1) for pair in pairs for a, b in (pair, pair[::-1])}


ROTATED = "right arm cable on the left arm, left arm on the leg, leg on the right arm"
ROTATED_BACK = "right arm cable on the leg, leg on the left arm, left arm on the right arm"
# Limb electrodes: I = LA - RA, II = LL - RA, III = LL - LA, so every mistake is a change of order and sign.
SWAPS: dict[str, Moves] = {
    "right arm and left arm": {"I": ("I", -1), "II": ("III", 1), "III": ("II", 1)},
    "left arm and left leg": {"I": ("II", 1), "II": ("I", 1), "III": ("III", -1)},
    "right arm and left leg": {"I": ("III", -1), "II": ("II", -1), "III": ("I", -1)},
    ROTATED: {"I": ("III", 1), "II": ("I", -1), "III": ("II", -1)},
    ROTATED_BACK: {"I": ("II", -1), "II": ("III", -1), "III": ("I", 1)},
    **{f"V{k} and V{k + 1}": _exchanged((f"V{k}", f"V{k + 1}")) for k in range(1, 6)},
    "V1 and V3": _exchanged(("V1", "V3")),
    "V1 to V6, in reverse": _exchanged(("V1", "V6"), ("V2", "V5"), ("V3", "V4")),
}


@dataclass(frozen=True)
class TypicalBeat:
    """How the waves of ECGs lie: mean [F] and precision [F, F] of `features`, and the limit of each suspicion.

    limits: name in `SWAPS` -> gain in log likelihood above which it is suspected.
    """

    mean: Row
    precision: Row
    limits: Mapping[str, float]

    def distance(self, features: Row) -> float:
        """Squared Mahalanobis distance of features [9, 5] from the mean."""
        away = features.ravel() - self.mean
        return float(away @ self.precision @ away)

    def gain(self, recorded: float, put_right: float) -> float:
        """Logarithm of how much likelier a tracing is at the distance `put_right`, per degree of freedom of Student's
        t; negative infinity where it would still be a strange one."""
        if put_right > STILL_LIKELY:
            return -np.inf
        return float(np.log((FREEDOM + recorded) / (FREEDOM + put_right)))


@cache
def typical_beat() -> TypicalBeat:
    content = json.loads(FILE.read_text())
    covariance = np.array(content["covariance"])
    return TypicalBeat(np.array(content["mean"]), np.linalg.inv(covariance), content["limits"])


def rows_of(leads: Sequence[str]) -> list[int]:
    return [LEADS.index(lead) for lead in leads]


def parts(beat: MedianBeat) -> tuple[Row, Row]:
    """(mean height [9, 5] mV of each of `PARTS` in each of `LOOKED_AT`, their samples [9, n] from QRS to T's end)."""
    signal = beat.signal[rows_of(LOOKED_AT)]
    waves = beat.waves
    end = waves.t_offset if waves.t_offset is not None else waves.qrs_offset + 0.25
    start = waves.t_onset if waves.t_onset is not None else waves.qrs_offset
    qrs = beat.part(waves.qrs_onset, waves.qrs_offset)[rows_of(LOOKED_AT)]
    place = np.linspace(-1, 1, qrs.shape[1])
    thirds = [np.maximum(0, -place), 1 - np.abs(place), np.maximum(0, place)]
    p = np.zeros(len(signal))
    if waves.p_onset is not None and waves.p_offset is not None:
        p = _mean(beat, waves.p_onset, waves.p_offset)
    columns = [p, *(qrs @ weights / (weights.sum() + 1e-9) for weights in thirds), _mean(beat, start, end)]
    return np.stack(columns, axis=1), beat.part(waves.qrs_onset, end)[rows_of(LOOKED_AT)]


def features(beat: MedianBeat) -> Row:
    """[9, 5]: mean height of each of `PARTS` in each of `LOOKED_AT`, over the lead's own RMS from QRS to T's end."""
    columns, whole = parts(beat)
    return np.asarray(columns / (np.sqrt(np.mean(whole**2, axis=1, keepdims=True)) + 1e-6))


def _mean(beat: MedianBeat, start: float, end: float) -> Row:
    return np.asarray(beat.part(start, end)[rows_of(LOOKED_AT)].mean(axis=1))


def moved(values: Row, swap: Moves) -> Row:
    """Features [9, 5] with the leads where `swap` says that they belong. Every swap but the cyclic undoes itself."""
    out = values.copy()
    for recorded, (true, sign) in swap.items():
        out[LOOKED_AT.index(true)] = sign * values[LOOKED_AT.index(recorded)]
    return out


def suspected_reversals(beat: MedianBeat | None) -> tuple[str, ...]:
    """Sentences on what seems exchanged, by the median beat; at most one on the limb leads, one on the chest leads."""
    if beat is None:
        return ()
    typical, found = typical_beat(), features(beat)
    recorded = typical.distance(found)
    gains = {
        name: typical.gain(recorded, typical.distance(moved(found, swap))) - typical.limits[name]
        for name, swap in SWAPS.items()
    }
    sentences = []
    for is_chest in (False, True):
        likely = {name: gain for name, gain in gains.items() if name.startswith("V") == is_chest and gain > 0}
        if likely:
            sentences.append(_sentence(max(likely, key=lambda name: likely[name])))
    return tuple(sentences)


def _sentence(name: str) -> str:
    if name.startswith("V"):
        order = name if "reverse" in name else f"{name} exchanged"
        return f"Chest leads may be in the wrong order ({order})."
    heart = ", or dextrocardia" if name == "right arm and left arm" else ""
    return f"Limb leads may be reversed ({name}){heart}."
