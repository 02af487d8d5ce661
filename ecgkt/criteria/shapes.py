"""The shape of QRS, ST and T in each lead of the median beat, as criteria ask for it: mm (0.1 mV) and ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks

from ecgkt.ecg import LEADS
from ecgkt.measurements.amplitudes import amplitudes
from ecgkt.measurements.intervals import SMALLEST_R
from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.measurements.r_peaks import Signal

MM = 10.0  # in a millivolt, at the usual gain
LATE = (0.5, 0.85)  # of QRS: its later part, before the J point, where ST may already be displaced
LAST_R = 0.6  # of the tallest peak, from which a later one is the peak of a notched R
BELOW = 0.02  # mV below the level that count as a negative wave, so that its width is not that of the baseline
NOTCH = 0.05  # mV that two peaks of one QRS stand out between them
UPSLOPE = 0.06  # mV that ST rises from J to J + 60 ms where it is upsloping: 1 mV/s


@dataclass(frozen=True)
class Lead:
    """Heights in mm, times in ms.

    q: depth of a first negative wave, q_ms: its width (the whole of QRS for a QS complex, then qs). r, s: height and
    depth, 0 or more. s_ms: width of the last negative wave. r_peak: from QRS onset to the (last) peak of R. r_prime:
    height of a second R wave, 0 without one. late: mean of the later part of QRS. span: from the highest to the lowest
    point of QRS. st_j: at the J point. st: at J + 60 ms, st_rises: it is upsloping until then. t: its largest
    deflection, with its sign. p: that of P. p_end: area of the negative last part of P, mm ms. st, t, p: None where
    there is no wave.
    """

    name: str
    q: float
    q_ms: float
    qs: bool
    r: float
    s: float
    s_ms: float
    r_peak: float
    r_prime: float
    late: float
    span: float
    st_j: float
    st: float | None
    st_rises: bool
    t: float | None
    p: float | None
    p_end: float | None


def leads(beat: MedianBeat) -> dict[str, Lead]:
    """All twelve by name."""
    w, step = beat.waves, 1000 / beat.rate
    qrs = beat.part(w.qrs_onset, w.qrs_offset)
    p = None if w.p_onset is None or w.p_offset is None else beat.part(w.p_onset, w.p_offset)
    out = {}
    for i, (lead, size) in enumerate(zip(LEADS, amplitudes(beat), strict=True)):
        row = qrs[i]
        depth, width, qs = _q(row)
        st = size.st
        st_rises = st is not None and st - float(row[-1]) > UPSLOPE
        out[lead] = Lead(
            lead, MM * depth, width * step, qs, MM * size.r, MM * size.s, _last_negative(row) * step,
            _last_r(row) * step, MM * _second_r(row), MM * float(row[slice(*(int(k * len(row)) for k in LATE))].mean()),
            MM * float(np.ptp(row)), MM * float(row[-1]), None if st is None else MM * st, st_rises,
            None if size.t is None else MM * size.t, *((None, None) if p is None else _p(p[i], step)),
        )  # fmt: skip
    return out


def _q(row: Signal) -> tuple[float, int, bool]:
    """(depth, width in samples, is it a QS complex) of the wave before the first R; 0 deep where R comes first."""
    up = np.flatnonzero(row >= SMALLEST_R)
    first = int(up[0]) if len(up) else len(row)
    depth = max(0.0, -float(row[:first].min(initial=0.0)))
    if depth < SMALLEST_R:
        return 0.0, 0, False
    return depth, int((row[:first] < -BELOW).sum()), first == len(row)


def _last_negative(row: Signal) -> int:
    """Samples of the wave below the level with which QRS ends after R; 0 where it ends above."""
    after = row[int(np.argmax(row)) :]
    return int((after < -BELOW).sum()) if -float(after.min()) >= SMALLEST_R else 0


def _peaks(row: Signal) -> list[int]:
    """Where the R waves of one QRS have their peaks, in samples: those that stand out from each other."""
    found, _ = find_peaks(np.concatenate([[-1e3], row, [-1e3]]), prominence=NOTCH)
    return [int(k) - 1 for k in found if row[k - 1] >= SMALLEST_R]


def _last_r(row: Signal) -> int:
    return max((k for k in _peaks(row) if row[k] >= LAST_R * row.max()), default=int(np.argmax(row)))


def _second_r(row: Signal) -> float:
    peaks = _peaks(row)
    return float(row[peaks[-1]]) if len(peaks) > 1 else 0.0


def _p(row: Signal, step: float) -> tuple[float, float]:
    """(largest deflection in mm with its sign, area of its negative second half in mm ms) over its own chord."""
    above = row - np.linspace(row[0], row[-1], len(row))
    late = above[len(above) // 2 :]
    return MM * float(above[np.abs(above).argmax()]), MM * step * float(-np.minimum(late, 0).sum())


def t_shape(beat: MedianBeat, lead: str) -> tuple[float, float] | None:
    """(width of T at half its height in ms, its shorter over its longer half); None without a T wave."""
    w = beat.waves
    if w.t_onset is None or w.t_offset is None:
        return None
    row = beat.part(w.t_onset, w.t_offset)[LEADS.index(lead)]
    row = row * np.sign(row[np.abs(row).argmax()])
    top = int(row.argmax())
    before, after = (row[: top + 1] < row[top] / 2)[::-1], row[top:] < row[top] / 2
    rise = int(before.argmax()) if before.any() else top
    fall = int(after.argmax()) if after.any() else len(row) - 1 - top
    if not rise or not fall:
        return None
    return 1000 * (rise + fall) / beat.rate, min(rise, fall) / max(rise, fall)
