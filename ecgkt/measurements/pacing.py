"""A pacemaker's spikes: found at the recording's own rate, told from QRS, and cut out before waves are sought.

A spike is over within some 10 ms (stimuli last 2 ms at the most, the recorder's filter widens them), so above
`LOW_EDGE` it stands alone, where even a steep QRS keeps moving for 40 ms and more. It counts only where it comes before
a QRS, or before a P wave, in many beats: a single one is an electrode that moved. Below 250 Hz a spike lies between two
samples and shows now and then only, so nothing is claimed there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks, sosfiltfilt

from ecgkt.ecg import ECG
from ecgkt.measurements.r_peaks import zero_phase_filter

Signal = npt.NDArray[np.float64]
Chamber = Literal["atrial", "ventricular", "dual-chamber"]

SLOWEST_RATE = 250.0  # Hz; below it spikes cannot be told from noise (AHA/ACC/HRS 2007 asks for far more)
LOW_EDGE = 70.0  # Hz; QRS has little above it, a spike most of its energy
SMALLEST = 0.02  # mV, root mean square over the leads above LOW_EDGE
ALONE = 8.0  # times the level around it that a spike stands out (7.5 at most in 780 unpaced recordings, 13 and more
# with unipolar leads); bipolar spikes are smaller and are asked for a steady place before QRS instead
ALONE_IF_STEADY, STEADY = 4.5, 0.006  # s: median deviation of the delay from spike to R
AROUND, CORE = 0.045, 0.012  # s to each side that are compared, and s that belong to the spike itself
TO_R = (0.015, 0.25)  # s from a ventricular spike to the R peak: latency and a broad QRS
TO_QRS = 0.10  # s from a ventricular spike to QRS onset at most
TO_P = (0.10, 0.40)  # s from an atrial spike to QRS onset
BEFORE_VENTRICULAR = (0.30, 0.10)  # s before a ventricular spike between which an atrial one is sought
STANDS_OUT = 5.0  # times the level there that it must stand out on average: 11 in the one such recording there is, at
# most 2.4 in nine with ventricular pacing alone
BEATS_WITH = 0.4  # of all beats, in which spikes must be for the rhythm to count as paced
BLANK = (0.006, 0.012)  # s before and after a spike that are cut out at the least
LONGEST_TAIL = 0.03  # s after it that a slow decay may last


@dataclass(frozen=True)
class Pacing:
    """spikes: s from the tracing's start. chamber: which are paced; None where no pacing was found."""

    spikes: tuple[float, ...] = ()
    chamber: Chamber | None = None


@dataclass(frozen=True)
class Candidates:
    """Steep, lonely deflections: at: [n] samples at the recording's rate; alone: [n] times the level around."""

    at: npt.NDArray[np.intp]
    alone: Signal


def candidates(ecg: ECG) -> Candidates:
    """Whatever could be a spike; nothing below `SLOWEST_RATE`."""
    none = Candidates(np.zeros(0, dtype=np.intp), np.zeros(0))
    around, core = round(AROUND * ecg.rate), round(CORE * ecg.rate)
    if ecg.rate < SLOWEST_RATE or ecg.samples < 4 * around:
        return none
    size = _fast(ecg)
    at, _ = find_peaks(size, height=SMALLEST, distance=round(0.04 * ecg.rate))
    at = at[(at >= around) & (at < ecg.samples - around)]
    alone = []
    for k in at:
        sides = np.concatenate([size[k - around : k - core], size[k + core + 1 : k + around + 1]])
        alone.append(size[k] / (np.percentile(sides, 80) + 1e-6))
    keep = np.array(alone) >= ALONE_IF_STEADY if alone else np.zeros(0, dtype=bool)
    return Candidates(at[keep], np.array(alone)[keep]) if keep.any() else none


def _fast(ecg: ECG) -> Signal:
    """[samples] mV: what moves above `LOW_EDGE`, root mean square over the leads."""
    signal = np.nan_to_num(ecg.signal.astype(float))
    sos = zero_phase_filter("highpass", min(LOW_EDGE, 0.4 * ecg.rate), ecg.rate)
    fast = sosfiltfilt(sos, signal, axis=1)
    return np.asarray(uniform_filter1d(np.sqrt(np.mean(fast**2, axis=0)), max(1, round(0.004 * ecg.rate))))


def before_qrs(found: Candidates, rate: float, r: Signal) -> npt.NDArray[np.intp]:
    """Those of `found` that pace: before R in many beats, plain to see or always at the same distance. Samples."""
    if not len(found.at) or len(r) < 2:
        return found.at[:0]
    plain = found.at[found.alone >= ALONE]
    weak = found.at[found.alone < ALONE]
    delays = {int(k): float(d) for k, d in ((k, _to_next(k / rate, r)) for k in weak) if TO_R[0] <= d <= TO_R[1]}
    steady: list[int] = []
    if len(delays) >= max(3, BEATS_WITH * len(r)):
        middle = float(np.median(list(delays.values())))
        near = [k for k, d in delays.items() if abs(d - middle) <= 3 * STEADY]
        away = np.median([abs(d - middle) for d in delays.values()])
        if away <= STEADY and len(near) >= max(3, BEATS_WITH * len(r)):
            steady = near
    every = np.array(sorted({*plain.tolist(), *steady}), dtype=np.intp)
    paced = sum(any(TO_R[0] <= t - k / rate <= TO_P[1] for k in every) for t in r)
    return every if paced >= max(2, BEATS_WITH * len(r)) else found.at[:0]


def _to_next(time: float, r: Signal) -> float:
    later = r[r >= time]
    return float(later[0] - time) if len(later) else np.inf


def blanked(ecg: ECG, spikes: npt.NDArray[np.intp]) -> ECG:
    """The ECG with a straight line in place of each spike (samples)."""
    if not len(spikes):
        return ecg
    signal = ecg.signal.copy()
    bends = np.abs(np.diff(np.nan_to_num(signal.astype(float)), axis=1)).mean(axis=0)
    before, least, most = (round(s * ecg.rate) for s in (*BLANK, LONGEST_TAIL))
    for k in spikes:
        first = max(0, int(k) - before)
        tail = bends[k : k + most]
        fast = np.flatnonzero(tail > 0.1 * bends[max(0, k - least) : k + least].max())
        last = min(ecg.samples - 1, int(k) + max(least, int(fast[-1]) + 2 if len(fast) else 0))
        edges = signal[:, [first, last]]
        signal[:, first : last + 1] = edges[:, :1] + (edges[:, 1:] - edges[:, :1]) * np.linspace(0, 1, last - first + 1)
    return ECG(signal, ecg.rate, ecg.age, ecg.sex, ecg.notes)


def atrial_too(ecg: ECG, paced: Pacing) -> Pacing:
    """`paced` with the atrial spikes that come at one and the same time before the ventricular ones, too small to be
    found one by one, in the median over all of them."""
    if paced.chamber != "ventricular":
        return paced
    first, last = (round(s * ecg.rate) for s in BEFORE_VENTRICULAR)
    at = np.array([round(s * ecg.rate) for s in paced.spikes])
    at = at[at >= first]
    if len(at) < 3:
        return paced
    size = _fast(ecg)
    middle = np.median([size[k - first : k - last] for k in at], axis=0)
    best = int(np.argmax(middle))
    if middle[best] < STANDS_OUT * np.percentile(middle, 80):
        return paced
    atrial = (at - first + best) / ecg.rate
    return Pacing(tuple(sorted({*paced.spikes, *(float(s) for s in atrial)})), "dual-chamber")


def pacing(spikes: Signal, qrs_onsets: Signal) -> Pacing:
    """Which chambers the spikes (s) pace, from where they stand before each QRS onset (s)."""
    if not len(spikes):
        return Pacing()
    enough = max(2, BEATS_WITH * len(qrs_onsets))
    ventricular = sum(bool(((q - spikes >= -0.02) & (q - spikes <= TO_QRS)).any()) for q in qrs_onsets)
    atrial = sum(bool(((q - spikes > TO_P[0]) & (q - spikes <= TO_P[1])).any()) for q in qrs_onsets)
    chamber: Chamber | None = None
    if ventricular >= enough:
        chamber = "dual-chamber" if atrial >= enough else "ventricular"
    elif atrial >= enough:
        chamber = "atrial"
    return Pacing(tuple(float(s) for s in spikes), chamber) if chamber else Pacing()
