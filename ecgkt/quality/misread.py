"""Was an ECG misread? Time backwards, in pieces or at twice its speed; leads upside down or under each other's names.

A multinomial logistic regression on named quantities of the median beat and of the beats (`quantities`). The heights of
the waves tell which way is up and forward, the correlations between the leads their order, the durations the speed, and
the likeness of the beats whether waves follow each other as they were recorded. training/calibrate/misread.py fits it
to ECGs as recorded and to the same ECGs misread in each way, and writes misread.json. What it finds:
benchmarks/junk.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import log, nan
from pathlib import Path

import numpy as np

from ecgkt.ecg import INDEPENDENT
from ecgkt.measurements.delineation import WIDE_QRS, Beat, Beats
from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.measurements.r_peaks import RATE, Signal
from ecgkt.quality.lead_reversal import LOOKED_AT, PARTS, Row, features, rows_of

FILE = Path(__file__).with_name("misread.json")
ORDER, FAST, INVERTED, BACKWARDS = "leads in another order", "twice as fast", "upside down", "backwards"
SENTENCES = {
    BACKWARDS: "It looks more like an ECG when time is reversed: the samples may be in reverse order.",
    INVERTED: "All leads look upside down: the signal may be inverted.",
    ORDER: "The leads look more like an ECG's in another order: channels may be mislabeled, or cables exchanged.",
    "in pieces": "The waves do not follow each other as in an ECG: parts of the tracing may be in another order.",
    FAST: "Its waves are as short as those of an ECG at twice its speed: the sampling rate may be wrong.",
}
# s from the beginning and from the end of QRS: where the mean size of what lies before and after is looked at.
BEFORE = ((-0.32, -0.24), (-0.24, -0.16), (-0.16, -0.10), (-0.10, -0.04))
AFTER = ((0.02, 0.08), (0.08, 0.14), (0.14, 0.20), (0.20, 0.26), (0.26, 0.34), (0.34, 0.42))
# s from R: parts of a beat that are compared from beat to beat.
COMPARED = {"PR": (-0.25, -0.06), "QRS": (-0.06, 0.06), "ST": (0.06, 0.20), "T": (0.16, 0.40)}
FARTHEST = 5.0  # standard deviations of ECGs as recorded beyond which a quantity counts no more
# What stands in for a duration (s) that an ECG does not have; "no P" and "no T" tell of it.
USUAL = {"PR": 0.16, "P": 0.10, "T": 0.16, "ST": 0.08}


@dataclass(frozen=True)
class Misreadings:
    """mean, scale: [F] of the quantities `names` in ECGs as recorded; weights: [ways, F]; bias: [ways].

    limit: of `score`, which is the logarithm of the odds that an ECG was misread in any of the `ways`.
    """

    names: tuple[str, ...]
    ways: tuple[str, ...]
    mean: Row
    scale: Row
    weights: Row
    bias: Row
    limit: float

    def odds(self, values: Row) -> Row:
        """[..., ways]: logarithm of the odds of each way against "as recorded", from quantities [..., F]."""
        away = np.clip((values - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return np.asarray(away @ self.weights.T + self.bias)

    def score(self, values: Row) -> Row:
        """[...] from quantities [..., F]."""
        return np.asarray(np.logaddexp.reduce(self.odds(values), axis=-1))


@cache
def misreadings() -> Misreadings:
    content = json.loads(FILE.read_text())
    rows = content["quantities"]
    mean, scale, *weights = np.array(list(rows.values())).T
    bias = np.array(list(content["bias"].values()))
    return Misreadings(tuple(rows), tuple(content["bias"]), mean, scale, np.stack(weights), bias, content["limit"])


def suspected_misreading(beats: Beats, beat: MedianBeat | None, kept: Signal) -> str | None:
    """The likeliest of `SENTENCES`' ways in which the ECG was misread; None where it looks as it should.

    kept: [12, samples] mV at `RATE`, 0.5 to 40 Hz.
    """
    if beat is None or len(beats.beats) < 2:
        return None
    model, values = misreadings(), quantities(beats, beat, kept)
    odds = model.odds(np.array([values[name] for name in model.names]))
    if beat.waves.qrs_offset - beat.waves.qrs_onset > WIDE_QRS:  # whatever its rate, its waves are not short
        odds[model.ways.index(FAST)] = -np.inf
    if beats.is_wide_tachycardia:  # one that starts at the apex looks upside down, and has no P before and T after
        odds[[model.ways.index(INVERTED), model.ways.index(BACKWARDS)]] = -np.inf
    return model.ways[int(np.argmax(odds))] if np.logaddexp.reduce(odds) > model.limit else None


def quantities(beats: Beats, beat: MedianBeat, kept: Signal) -> dict[str, float]:
    """Name -> value, all of them finite. kept: as for `suspected_misreading`."""
    heights = features(beat)
    out = {f"{lead} {part}": heights[i, j] for i, lead in enumerate(LOOKED_AT) for j, part in enumerate(PARTS)}
    out |= _correlations(beat) | _sizes(beat) | _durations(beats, beat) | _likeness(beats, kept)
    return {name: float(value) for name, value in out.items()}


def _end(waves: Beat) -> float:
    return waves.t_offset if waves.t_offset is not None else waves.qrs_offset + 0.25


def _correlations(beat: MedianBeat) -> dict[str, float]:
    """Of every two leads, about the isoelectric level, within QRS and within ST-T."""
    waves, out = beat.waves, {}
    spans = {"QRS": (waves.qrs_onset - 0.02, waves.qrs_offset + 0.02), "ST-T": (waves.qrs_offset + 0.04, _end(waves))}
    for name, (start, end) in spans.items():
        rows = beat.part(start, end)[rows_of(INDEPENDENT)]
        rows = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)
        alike = rows @ rows.T
        for (i, one), (j, other) in combinations(enumerate(INDEPENDENT), 2):
            out[f"{name} {one} with {other}"] = float(alike[i, j])
    return out


def _sizes(beat: MedianBeat) -> dict[str, float]:
    """Logarithm of the RMS over all leads, each to its own scale, before and after QRS, over that of QRS."""
    waves, signal = beat.waves, beat.signal[rows_of(INDEPENDENT)]
    whole = beat.part(waves.qrs_onset, _end(waves))[rows_of(INDEPENDENT)]
    power = np.mean((signal / (np.sqrt(np.mean(whole**2, axis=1, keepdims=True)) + 1e-6)) ** 2, axis=0)

    def size(start: float, end: float) -> float:
        first = max(0, round(start * beat.rate))
        part = power[first : max(first, round(end * beat.rate)) + 1] if end > 0 else power[:0]
        return float(np.sqrt(part.mean())) if len(part) else 0.0

    qrs = size(waves.qrs_onset, waves.qrs_offset) + 1e-9
    stretches = {f"{a:.2f} to {b:.2f} s from QRS onset": (waves.qrs_onset + a, waves.qrs_onset + b) for a, b in BEFORE}
    stretches |= {f"{a:.2f} to {b:.2f} s from QRS end": (waves.qrs_offset + a, waves.qrs_offset + b) for a, b in AFTER}
    return {f"size {name}": log(max(size(*stretch) / qrs, 0.01)) for name, stretch in stretches.items()}


def _durations(beats: Beats, beat: MedianBeat) -> dict[str, float]:
    """Logarithms of s; how surely the wave network saw each wave; in how many beats."""
    waves = beat.waves
    p = None if waves.p_onset is None or waves.p_offset is None else (waves.p_onset, waves.p_offset)
    t = None if waves.t_onset is None or waves.t_offset is None else (waves.t_onset, waves.t_offset)
    rr = float(np.median(np.diff(beats.r_times)))
    qt = t[1] - waves.qrs_onset if t else 0.4 * rr ** (1 / 3)
    known = {
        "PR": waves.qrs_onset - p[0] if p else USUAL["PR"],
        "P": p[1] - p[0] if p else USUAL["P"],
        "QRS": waves.qrs_offset - waves.qrs_onset,
        "ST": t[0] - waves.qrs_offset if t else USUAL["ST"],
        "T": t[1] - t[0] if t else USUAL["T"],
        "QT": qt,
        "QTc": qt / rr ** (1 / 3),
    }
    out = {f"log {name}": log(max(seconds, 0.02)) for name, seconds in known.items()}
    out |= {f"{name} seen": beats.confidence.get(name, 0.0) for name in ("P", "QRS", "T")}
    every = beats.beats
    return out | {
        "no P": float(p is None),
        "no T": float(t is None),
        "beats with P": float(np.mean([b.p_onset is not None for b in every])),
        "beats with T": float(np.mean([b.t_offset is not None for b in every])),
    }


def _likeness(beats: Beats, kept: Signal) -> dict[str, float]:
    """How alike the beats of the prevailing kind are: correlation with their median by part, spread of intervals."""
    typical = [beat for beat in beats.beats if beat.typical]
    out = {"typical beats": len(typical) / len(beats.beats)}
    for name, times in {
        "PR": [nan if b.p_onset is None else b.qrs_onset - b.p_onset for b in typical],
        "QRS": [b.qrs_offset - b.qrs_onset for b in typical],
        "QT": [nan if b.t_offset is None else b.t_offset - b.qrs_onset for b in typical],
    }.items():
        known = [time for time in times if time == time]
        out[f"log SD of {name}"] = log(max(float(np.std(known)), 0.002)) if len(known) > 2 else log(0.01)
    centers = np.rint(np.array([beat.r for beat in typical]) * RATE).astype(int)
    for name, (start, end) in COMPARED.items():
        first, last = round(start * RATE), round(end * RATE)
        whole = centers[(centers + first >= 0) & (centers + last < kept.shape[1])]
        out[f"likeness of {name}"] = (
            _alike(np.stack([kept[:, c + first : c + last] for c in whole])) if len(whole) > 2 else 0.5
        )
    return out


def _alike(cuts: Signal) -> float:
    """Median over the beats of the correlation with their median beat; cuts: [beats, leads, samples]."""
    middle = np.median(cuts, axis=0).ravel()
    flat = cuts.reshape(len(cuts), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    middle = middle - middle.mean()
    return float(np.median(flat @ middle / (np.linalg.norm(flat, axis=1) * np.linalg.norm(middle) + 1e-9)))
