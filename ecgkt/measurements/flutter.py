"""Atrial flutter told from fibrillation: do the atria move in even waves, 240 to 340 a minute, all the time?

Between QRS complexes a flutter wave looks like the next one, and unlike what lies half a wave away; fibrillation does
not repeat itself, and P and T come once a beat. So the tracing, with QRS left out, is correlated with itself one and
two waves later, and half and one and a half waves later. Asked only where no P wave was found before QRS. How many
flutters are found, and how many other rhythms are called so: benchmarks/measurements.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS
from ecgkt.measurements.r_peaks import RATE, Signal, band
from ecgkt.measurements.rate import irregular

SEEN_IN = ("II", "III", "aVF", "V1")  # where flutter waves are largest
# A minute; typical flutter (Bun et al. 2015, Eur Heart J 36:2356).
ATRIAL_RATE = (240.0, 340.0)
BAND = (2.5, 20.0)  # Hz: the waves and their first harmonics, without wandering baseline
AROUND_QRS = (0.03, 0.02)  # s before and after QRS that are left out with it
LEAST_SECONDS = 0.8  # of the tracing that a correlation must rest on
NEAR = 0.08  # of a wave's length by which the next but one may be off
# Where each beat falls on the same wave, its P and T may pass for flutter waves: then they must be this much alike.
LOCKED, LOCKED_WITHIN = 0.85, 0.04
ALIKE, UNLIKE = 0.5, 1.1  # least correlation one and two waves on; least fall from it to that half a wave away


@dataclass(frozen=True)
class Flutter:
    """rate: atrial waves a minute. confidence: the lower of the correlations one and two waves on, 0 to 1."""

    rate: float
    confidence: float
    lead: str


def flutter(signal: Signal, qrs: list[tuple[float, float]]) -> Flutter | None:
    """The lead whose flutter waves are the plainest; None where none shows any.

    signal: [12, samples] mV at RATE; qrs: onset and end of each QRS, s.
    """
    outside = np.ones(signal.shape[1], dtype=bool)
    for onset, end in qrs:
        outside[max(0, round((onset - AROUND_QRS[0]) * RATE)) : round((end + AROUND_QRS[1]) * RATE) + 1] = False
    shortest, longest = (round(60 * RATE / rate) for rate in reversed(ATRIAL_RATE))
    if len(qrs) < 3 or signal.shape[1] < 6 * longest:
        return None
    kept = band(signal, *BAND)
    onsets = np.array([onset for onset, _ in qrs])
    rr = RATE * float(np.median(np.diff(onsets)))
    is_even = not irregular(onsets)
    found = []
    for lead in SEEN_IN:
        alike = _with_itself(kept[LEADS.index(lead)], outside, round(2.2 * longest))
        length = shortest + int(np.argmax(np.nan_to_num(alike[shortest : longest + 1], nan=-1.0)))
        on = float(np.nan_to_num(min(alike[length], _about(alike, 2 * length, np.max)), nan=-1.0))
        between = max(_about(alike, length / 2, np.min), _about(alike, 1.5 * length, np.min))
        locked = is_even and abs(rr - round(rr / length) * length) < LOCKED_WITHIN * rr
        if on >= (LOCKED if locked else ALIKE) and on - between >= UNLIKE:
            found.append(Flutter(60 * RATE / length, on, lead))
    return max(found, key=lambda each: each.confidence, default=None)


def _with_itself(row: Signal, use: npt.NDArray[np.bool_], lags: int) -> Signal:
    """[lags] correlation of `row` with itself later on, over the samples where both are in `use`; NaN for too few."""
    out = np.full(lags, np.nan)
    for lag in range(round(0.4 * 60 * RATE / ATRIAL_RATE[1]), lags):
        both = use[:-lag] & use[lag:]
        pair = np.stack([row[:-lag][both], row[lag:][both]])
        if pair.shape[1] >= LEAST_SECONDS * RATE and pair.std(axis=1).all():  # a lead without signal is like nothing
            out[lag] = np.corrcoef(*pair)[0, 1]
    return out


def _about(alike: Signal, lag: float, which: Callable[[Signal], float]) -> float:
    """Highest or lowest correlation near `lag` samples; NaN where none is known."""
    part = alike[round((1 - NEAR) * lag) : round((1 + NEAR) * lag) + 1]
    part = part[np.isfinite(part)]
    return float(which(part)) if len(part) else np.nan
