"""Which P wave belongs to which QRS: conducted, blocked, dissociated, or no P waves at all.

Searched for from 0.4 s before QRS, in the T wave before too, in what the network of
`ecgkt.measurements.wave_network` takes for P.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ecgkt.measurements.r_peaks import Signal
from ecgkt.measurements.wave_network import OUT_RATE

EARLIEST, LATEST = 0.42, 0.04  # s before QRS onset at which P may begin; longer PR intervals are rare
LINKED = 0.35  # mean probability, over beats aligned by QRS, from which there is a P wave before QRS
SURE = 0.65  # from which it is sure; between both, it is measured and called unsure
NEAR = 0.05  # s from the usual place at which a beat's own P wave may begin
IN_A_BEAT = 0.25  # probability that a beat's own P wave must reach where P is usual
ALONE = 0.5  # and elsewhere
# Dissociation: this share of as many P waves as beats at least, most of them at even intervals (to this share of the
# usual one), whose distance from QRS varies more (SD, s) than any Wenckebach sequence's within one tracing.
INDEPENDENT_COUNT, EVEN, MOSTLY, VARIES = 0.8, 0.12, 0.6, 0.07

Wave = tuple[float, float, float]  # onset, end (s), highest probability
Kind = Literal["before every QRS", "dissociated", "none", "unsure"]


@dataclass(frozen=True)
class PWaves:
    """kind: how P stands to QRS. of_beats: for each beat its P wave or None. every: all of the tracing's P waves.

    confidence: mean probability at the usual place before QRS, 0 to 1.
    """

    kind: Kind
    of_beats: tuple[Wave | None, ...]
    every: tuple[Wave, ...]
    confidence: float


def stretches(probability: Signal, level: float = 0.5, least: float = 0.0) -> list[Wave]:
    """Where `probability` [samples at OUT_RATE] stays above `level` for `least` s, between its crossings."""
    padded = np.concatenate([[0.0], probability, [0.0]])
    above = (padded > level).astype(int)
    out = []
    for a, b in zip(np.flatnonzero(np.diff(above) == 1), np.flatnonzero(np.diff(above) == -1), strict=True):
        # Samples a + 1 to b of `padded` lie above; linear between each and its neighbor below.
        first = a + (level - padded[a]) / (padded[a + 1] - padded[a])
        last = b + (padded[b] - level) / (padded[b] - padded[b + 1])
        onset, end = (max(0.0, first - 1) / OUT_RATE, min(len(probability) - 1.0, last - 1) / OUT_RATE)
        if end - onset >= least:
            out.append((float(onset), float(end), float(padded[a + 1 : b + 1].max())))
    return out


def p_waves(probability: Signal, onsets: Signal, typical: npt.NDArray[np.bool_]) -> PWaves:
    """P waves of the beats whose QRS begins at `onsets` (s); typical: [beats], False for foreign beats."""
    every = stretches(probability, least=0.03)
    aligned = _aligned(probability, onsets[typical])
    if aligned is None:
        return PWaves("none", (None,) * len(onsets), tuple(every), 0.0)
    mean = aligned.mean(axis=0)
    best = int(np.argmax(mean))
    confidence = float(mean[best])
    usual = -EARLIEST + best / OUT_RATE  # s from QRS onset to where P is surest
    dissociated = confidence < SURE and _independent(every, onsets)
    found = []
    for onset, is_typical in zip(onsets, typical, strict=True):
        linked = confidence >= LINKED and not dissociated and bool(is_typical)
        found.append(_of_beat(probability, onset, onset + usual if linked else None))
    if dissociated:
        return PWaves("dissociated", tuple(found), tuple(every), confidence)
    if confidence < LINKED:
        return PWaves("none", (None,) * len(onsets), tuple(every), confidence)
    return PWaves("before every QRS" if confidence >= SURE else "unsure", tuple(found), tuple(every), confidence)


def _aligned(probability: Signal, onsets: Signal) -> Signal | None:
    """[beats, samples] from EARLIEST before QRS onset up to it; None without a beat that lies far enough inside."""
    reach, late = round(EARLIEST * OUT_RATE), round(LATEST * OUT_RATE)
    ends = np.rint(onsets * OUT_RATE).astype(int)
    cuts = [probability[end - reach : end - late // 2] for end in ends if reach <= end <= len(probability)]
    return np.stack(cuts) if cuts else None


def _of_beat(probability: Signal, onset: float, usual: float | None) -> Wave | None:
    """The P wave that covers `usual` (s), or, where that is None, the last one before QRS onset."""
    first, last = round((onset - EARLIEST) * OUT_RATE), round(onset * OUT_RATE)
    first = max(0, first)
    part = probability[first : last + 1]
    if not len(part):
        return None
    if usual is not None:
        low, high = (round((usual + s) * OUT_RATE) - first for s in (-NEAR, NEAR))
        near = part[max(0, low) : max(0, high + 1)]
        if len(near) and near.max() >= IN_A_BEAT:
            peak = max(0, low) + int(np.argmax(near))
            return _around(part, peak, first)
    found = [w for w in stretches(part, least=0.03) if w[2] >= ALONE and onset - first / OUT_RATE - w[0] >= LATEST]
    return (found[-1][0] + first / OUT_RATE, found[-1][1] + first / OUT_RATE, found[-1][2]) if found else None


def _around(part: Signal, peak: int, first: int) -> Wave | None:
    """The stretch about `peak` above half of its height, or above 0.5 where it is sure."""
    level = 0.5 * min(1.0, float(part[peak]))
    for onset, end, high in stretches(part, level):
        if onset * OUT_RATE <= peak <= end * OUT_RATE:
            return onset + first / OUT_RATE, end + first / OUT_RATE, high
    return None


def _independent(every: list[Wave], onsets: Signal) -> bool:
    """Do P waves march through at an even pace of their own?"""
    starts = np.array([w[0] for w in every if w[2] >= ALONE])
    least = max(4, INDEPENDENT_COUNT * len(onsets))
    if len(starts) < least or len(onsets) < 3:
        return False
    gaps = np.diff(starts)
    # A P wave hidden in QRS leaves a gap of two or three, a T wave taken for one breaks a gap in two that are uneven.
    even = max(
        int((np.abs(gaps[:, None] - unit * np.array([1, 2, 3])) < EVEN * unit).any(axis=1).sum()) for unit in gaps
    )
    to_qrs = [float(o - starts[starts < o][-1]) for o in onsets if (starts < o).any()]
    is_even = even >= MOSTLY * len(gaps) and even + 1 >= least
    return is_even and len(to_qrs) > 2 and float(np.std(to_qrs)) > VARIES
