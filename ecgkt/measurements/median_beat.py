"""The typical beat of a tracing, less noisy than any single one, with its wave boundaries.

As recorders do it (Kligfield et al. 2007, AHA/ACC/HRS part I): beats of the prevailing kind, aligned, median sample by
sample. Only the wandering baseline is filtered away, so heights are those of the recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy.signal import sosfiltfilt

from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import AFTER, BEFORE, Beat, Beats, delineate
from ecgkt.measurements.r_peaks import SIMILAR, Signal, zero_phase_filter

LOW_CUT = 0.5  # Hz, zero-phase; AHA 2007 allows up to 0.67 without harm to ST
REACH = 0.06  # s to each side of R by which beats are aligned
LAG = 0.008  # s by which the R peak of a beat may be off
LEVEL = 0.016  # s before QRS whose mean is the isoelectric level


@dataclass(frozen=True)
class MedianBeat:
    """signal: [12, samples] mV against the level just before QRS, at `rate` Hz. `waves`: times in s from its start.

    count: beats that it is the median of.
    """

    signal: Signal
    rate: float
    waves: Beat
    count: int

    def part(self, start: float, end: float) -> Signal:
        """[12, samples] mV between two times (s), both ends included."""
        first = max(0, round(start * self.rate))
        return self.signal[:, first : max(first, round(end * self.rate)) + 1]


def median_beat(ecg: ECG, beats: Beats | None = None) -> MedianBeat | None:
    """The median of the beats that look like most others; None with fewer than two beats. Missing samples count as 0.

    beats: from `delineate`, if they are known already.
    """
    beats = delineate(ecg) if beats is None else beats
    if len(beats.beats) < 2:
        return None
    sos = zero_phase_filter("highpass", LOW_CUT, ecg.rate)
    signal = np.nan_to_num(ecg.signal.astype(float))
    signal = np.asarray(sosfiltfilt(sos, signal, axis=1, padlen=min(ecg.samples - 1, round(2 * ecg.rate))))
    rr = float(np.median(np.diff(beats.r_times)))
    before, after = (round(s * ecg.rate) for s in (min(BEFORE, 0.6 * rr), min(AFTER, 0.8 * rr)))
    centers = np.rint(beats.r_times * ecg.rate).astype(int)
    whole = centers[(centers >= before) & (centers + after < ecg.samples)]
    stack = _aligned(signal, whole if len(whole) else centers[len(centers) // 2 :][:1], before, after, ecg.rate)
    middle = np.median(stack, axis=0)
    alike = np.array([np.corrcoef(beat.ravel(), middle.ravel())[0, 1] > SIMILAR for beat in stack])
    if alike.sum() >= 3:  # leave out premature and other foreign beats
        stack = stack[alike]
        middle = np.median(stack, axis=0)
    waves = _typical(beats, before / ecg.rate, (before + after) / ecg.rate)
    onset = round(waves.qrs_onset * ecg.rate)
    level = middle[:, max(0, onset - round(LEVEL * ecg.rate)) : onset + 1].mean(axis=1, keepdims=True)
    return MedianBeat(middle - level, ecg.rate, waves, len(stack))


def _aligned(signal: Signal, centers: npt.NDArray[np.intp], before: int, after: int, rate: float) -> Signal:
    """[beats, 12, samples]: cut around `centers`, each moved by at most `LAG` to where it fits their median best."""
    reach, most = round(REACH * rate), max(1, round(LAG * rate))
    pad = max(before, after) + reach + most + 1
    wide = np.pad(signal, ((0, 0), (pad, pad)), mode="edge")
    middle = np.median([wide[:, pad + c - reach : pad + c + reach + 1] for c in centers], axis=0)
    middle = middle - middle.mean(axis=1, keepdims=True)  # so that a level of the beat counts for nothing
    cuts = []
    for c in centers + pad:
        fits = [float((wide[:, c + k - reach : c + k + reach + 1] * middle).sum()) for k in range(-most, most + 1)]
        at = c + int(np.argmax(fits)) - most
        cuts.append(wide[:, at - before : at + after + 1])
    return np.stack(cuts)


def _typical(beats: Beats, r: float, end: float) -> Beat:
    """Median of each boundary against R over the beats of the prevailing kind, laid at R = `r` and inside the beat's
    `end` (s). P waves that do not belong to QRS are left out."""
    every = [beat for beat in beats.beats if beat.typical] or list(beats.beats)

    def at(times: list[float | None]) -> float | None:
        known = [t - beat.r for t, beat in zip(times, every, strict=True) if t is not None]
        return min(max(r + median(known), 0.0), end) if known else None

    def sure(times: list[float]) -> float:
        return min(max(r + median(t - beat.r for t, beat in zip(times, every, strict=True)), 0.0), end)

    linked = beats.atrial in ("before every QRS", "unsure")
    return Beat(
        r,
        at([b.p_onset for b in every]) if linked else None,
        at([b.p_offset for b in every]) if linked else None,
        sure([b.qrs_onset for b in every]),
        sure([b.qrs_offset for b in every]),
        at([b.t_onset for b in every]),
        at([b.t_offset for b in every]),
    )
