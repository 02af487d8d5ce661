"""Where each beat's P, QRS and T lie: light enough for every page view, good enough to name the wave a score rests on.

R peaks from the spatial velocity over 12 leads, boundaries on the median beat (T end by the tangent method, after
Lepeschkin and Surawicz 1952), laid back on every beat. The boundaries are global: one set for all leads.

Measured on 150 LUDB recordings (1,367 beats inside its annotations of lead II): every R peak found within 100 ms, 6
false ones, all in one recording. The error of each boundary and of finding P, beside other delineators:
benchmarks/delineation.md; T_WIDER, P_WIDER and QRS_EARLIER were fitted there. A pacemaker's spike, which the filter
widens, makes QRS begin too early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from ecgkt.ecg import ECG
from ecgkt.measurements.r_peaks import RATE, SIMILAR, Signal, band, r_peaks

Segment = Literal["P", "PR", "QRS", "ST", "T", "TP"]
SEGMENTS: tuple[Segment, ...] = ("P", "PR", "QRS", "ST", "T", "TP")

BEFORE, AFTER = 0.36, 0.60  # s of the median beat around R, the latter cut to the RR interval
QRS_REACH = (0.13, 0.16)  # s before and after R within which QRS begins and ends
QRS_SHARE = 0.04  # of the peak velocity, above QUIET, at which QRS begins and ends
QRS_EARLIER = 0.004  # s before that, where it first leaves the line (fitted on LUDB; the simulator's truth agrees)
QUIET = 25  # percentile of the velocity that counts as no movement
# Of the height of P: further down its flanks noise moves the crossing, so it begins and ends P_WIDER s outside of it.
P_SHARE = 0.20
P_WIDER = (0.016, 0.020)  # fitted on LUDB
# s by which T in any lead begins before and ends after the tangents to the magnitude over all leads (fitted on LUDB).
T_WIDER = (0.03, 0.02)
ST_LEAST = 0.06  # s after the J point that are ST by name: raised or depressed it runs into T, which then begins at J
P_OVER_NOISE = 3.0  # times the spread between beats that a P wave's height must reach


@dataclass(frozen=True)
class Beat:
    """Times in s from the tracing's start. p_onset and p_offset are None where no P wave was found (as in atrial
    fibrillation), t_onset and t_offset where no T wave was."""

    r: float
    p_onset: float | None
    p_offset: float | None
    qrs_onset: float
    qrs_offset: float
    t_onset: float | None
    t_offset: float | None


@dataclass(frozen=True)
class Beats:
    """All beats of a tracing in order; empty where no QRS was found."""

    beats: tuple[Beat, ...]

    @property
    def r_times(self) -> Signal:
        """R peaks, s."""
        return np.array([beat.r for beat in self.beats])

    @property
    def heart_rate(self) -> float | None:
        """Beats a minute from the median RR interval; None with fewer than two beats."""
        return 60 / float(np.median(np.diff(self.r_times))) if len(self.beats) > 1 else None

    def wave_at(self, times: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """The segment that each time (s) lies in: one of `SEGMENTS`, or "" where no beat tells.

        PR runs from the end of P to QRS (without a P wave, TP runs up to QRS), ST from QRS to T and `ST_LEAST` at the
        least, as far as T reaches.
        """
        at = np.asarray(times, dtype=float)
        out = np.full(at.shape, "", dtype="<U3")
        for i, beat in enumerate(self.beats):
            following = self.beats[i + 1] if i + 1 < len(self.beats) else None
            t_onset = beat.t_onset
            if t_onset is not None and beat.t_offset is not None:
                t_onset = min(max(t_onset, beat.qrs_offset + ST_LEAST), beat.t_offset)
            edges: list[tuple[Segment, float | None, float | None]] = [
                ("P", beat.p_onset, beat.p_offset),
                ("PR", beat.p_offset, beat.qrs_onset),
                ("QRS", beat.qrs_onset, beat.qrs_offset),
                ("ST", beat.qrs_offset, t_onset),
                ("T", t_onset, beat.t_offset),
            ]
            if following is not None:
                start = beat.t_offset if beat.t_offset is not None else beat.qrs_offset
                edges.append(("TP", start, following.qrs_onset if following.p_onset is None else following.p_onset))
            for name, first, last in edges:
                if first is not None and last is not None:
                    out[(at >= first) & (at < last)] = name
        return out

    def masks(self, samples: int, rate: float) -> dict[Segment, npt.NDArray[np.bool_]]:
        """Segment -> [samples] mask at `rate` Hz; a sample belongs to one segment at most."""
        names = self.wave_at(np.arange(samples) / rate)
        return {segment: names == segment for segment in SEGMENTS}


@dataclass(frozen=True)
class _Shape:
    """Boundaries relative to R, in samples at RATE."""

    qrs: tuple[int, int]
    p: tuple[int, int] | None
    t: tuple[int, int] | None


def delineate(ecg: ECG) -> Beats:
    """R peaks and wave boundaries; no beats rather than an error where the tracing holds no QRS."""
    signal = np.nan_to_num(ecg.resampled(RATE).signal.astype(float))
    if signal.shape[1] < RATE:
        return Beats(())
    peaks = r_peaks(signal)
    if len(peaks) < 2:
        return Beats(())
    shape = _shape(band(signal, 0.5, 40.0), peaks)
    return Beats(tuple(_beats(shape, peaks, signal.shape[1])))


def _shape(signal: Signal, peaks: npt.NDArray[np.intp]) -> _Shape:
    """Boundaries on the median beat of `signal` [12, samples], filtered at RATE."""
    rr = float(np.median(np.diff(peaks)))
    before = round(min(BEFORE * RATE, 0.6 * rr))
    after = round(min(AFTER * RATE, 0.8 * rr))
    inside = [p for p in peaks if p >= before and p + after < signal.shape[1]] or [int(peaks[len(peaks) // 2])]
    wide = np.pad(signal, ((0, 0), (before, after + 1)), mode="edge")
    stack = np.stack([wide[:, p : p + before + after + 1] for p in inside])
    median = np.median(stack, axis=0)
    alike = [np.corrcoef(beat.ravel(), median.ravel())[0, 1] > SIMILAR for beat in stack]
    if sum(alike) >= 3:  # leave out premature and other foreign beats
        stack = stack[np.array(alike)]
        median = np.median(stack, axis=0)
    scale = np.ptp(median, axis=1, keepdims=True) + 1e-9
    first, last = _qrs(median / scale, before)
    level = median[:, max(0, first - 4) : first + 1].mean(axis=1, keepdims=True)  # 16 ms before QRS: isoelectric
    size = np.sqrt(np.mean(((median - level) / scale) ** 2, axis=0))
    spread = np.median(np.abs(stack - median), axis=0) / scale / np.sqrt(len(stack))
    noise = float(np.median(np.sqrt(np.mean(spread**2, axis=0))))
    t = _t_wave(size, last, rr)
    free = round((t[1] if t else last) - rr)  # where the previous beat's T ended
    p = _p_wave(size, first, max(0, free), noise)
    return _Shape(
        (first - before, last - before),
        (p[0] - before, p[1] - before) if p else None,
        (t[0] - before, t[1] - before) if t else None,
    )


def _qrs(beat: Signal, r: int) -> tuple[int, int]:
    """First and last sample of QRS: where the velocity has sunk to a share of its peak and stays there for 12 ms."""
    speed = uniform_filter1d(np.sqrt(np.mean(np.gradient(beat, axis=1) ** 2, axis=0)), 3)
    reach = round(0.05 * RATE)
    left = max(0, r - reach)
    peak = left + int(np.argmax(speed[left : r + reach]))
    limit = QRS_SHARE * speed[peak] + float(np.percentile(speed, QUIET))
    hold = 3
    first = max(0, r - round(QRS_REACH[0] * RATE))
    for at in range(min(peak, r), first, -1):
        if (speed[max(0, at - hold + 1) : at + 1] < limit).all():
            first = at
            break
    last = min(len(speed) - 2, r + round(QRS_REACH[1] * RATE))
    for at in range(max(peak, r), last):
        if (speed[at : at + hold] < limit).all():
            last = at
            break
    return max(0, first - round(QRS_EARLIER * RATE)), last


def _t_wave(size: Signal, qrs_end: int, rr: float) -> tuple[int, int] | None:
    """Onset and end of T by tangents at its steepest slopes on the spatial magnitude."""
    smooth = uniform_filter1d(size, round(0.04 * RATE))
    start = qrs_end + round(0.06 * RATE)
    stop = min(len(smooth), qrs_end + round(min(0.50 * RATE, 0.62 * rr)))
    if stop - start < 0.08 * RATE:
        return None
    peak = start + int(np.argmax(smooth[start:stop]))
    if peak in (start, stop - 1):
        tops, _ = find_peaks(smooth[start:stop])
        if not len(tops):
            return None
        peak = start + int(tops[np.argmax(smooth[start:stop][tops])])
    slope = np.gradient(smooth)
    end_zone = min(len(smooth), peak + round(0.16 * RATE))
    down = peak + int(np.argmin(slope[peak:end_zone]))
    floor = float(smooth[peak : min(len(smooth), peak + round(0.24 * RATE))].min())
    end = _tangent(smooth, slope, down, floor, end_zone)
    begin_zone = max(qrs_end, peak - round(0.16 * RATE))
    up = begin_zone + int(np.argmax(slope[begin_zone : peak + 1]))
    onset = _tangent(smooth, slope, up, float(smooth[begin_zone : peak + 1].min()), begin_zone)
    onset, end = onset - round(T_WIDER[0] * RATE), end + round(T_WIDER[1] * RATE)
    return max(qrs_end, min(onset, peak)), min(max(end, peak + 1), len(smooth) - 1)


def _tangent(size: Signal, slope: Signal, at: int, floor: float, otherwise: int) -> int:
    """Where the tangent at `at` meets `floor`."""
    if abs(slope[at]) < 1e-9:
        return otherwise
    return round(at + float((floor - size[at]) / slope[at]))


def _p_wave(size: Signal, qrs_onset: int, start: int, noise: float) -> tuple[int, int] | None:
    """Onset and end of P before QRS, None where nothing stands clear of the noise between beats."""
    start = max(start, qrs_onset - round(0.30 * RATE))
    stop = qrs_onset - round(0.02 * RATE)
    if stop - start < 0.06 * RATE:
        return None
    smooth = uniform_filter1d(size, round(0.02 * RATE))
    tops, found = find_peaks(smooth[start:stop], prominence=max(0.012, P_OVER_NOISE * noise))
    if not len(tops):
        return None
    best = int(np.argmax(found["prominences"]))
    peak = start + int(tops[best])
    floor = smooth[peak] - found["prominences"][best]
    limit = floor + P_SHARE * (smooth[peak] - floor)
    onset = peak
    while onset > start and peak - onset < 0.08 * RATE and smooth[onset] > limit:
        onset -= 1
    offset = peak
    while offset < qrs_onset and offset - peak < 0.08 * RATE and smooth[offset] > limit:
        offset += 1
    return max(start, onset - round(P_WIDER[0] * RATE)), min(qrs_onset, offset + round(P_WIDER[1] * RATE))


def _beats(shape: _Shape, peaks: npt.NDArray[np.intp], samples: int) -> list[Beat]:
    """The shape at each R peak, cut where the next beat or the tracing's edge comes first."""
    beats: list[Beat] = []
    free = 0.0  # up to where the tracing is taken, s
    for i, r in enumerate(peaks):
        end = (peaks[i + 1] + shape.qrs[0]) if i + 1 < len(peaks) else samples - 1

        def at(offset: int, r: int = int(r), free: float = free, end: float = end) -> float:
            return float(min(max((r + offset) / RATE, free), end / RATE))

        p = (at(shape.p[0]), at(shape.p[1])) if shape.p else None
        t = (at(shape.t[0]), at(shape.t[1])) if shape.t else None
        p = p if p and p[0] < p[1] else None
        t = t if t and t[0] < t[1] else None
        beats.append(
            Beat(
                r / RATE,
                p[0] if p else None,
                p[1] if p else None,
                at(shape.qrs[0]),
                at(shape.qrs[1]),
                t[0] if t else None,
                t[1] if t else None,
            )
        )
        free = t[1] if t else at(shape.qrs[1])
    return beats
