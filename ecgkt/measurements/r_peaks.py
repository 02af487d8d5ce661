"""R peaks of 12 leads at once: where many leads move fast together. Used by `ecgkt.measurements.delineation`.

How many beats are missed or false, on every set of real recordings: benchmarks/measurements.md.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, find_peaks, sosfiltfilt

Signal = npt.NDArray[np.float64]

RATE = 250.0  # Hz, at which waves are sought: 4 ms a sample
SHORTEST_RR = 0.24  # s: 250 beats a minute
PEAK_SHARE = 0.35  # of the typical tallest velocity in 2 s; T waves stay below, small QRS above
TALLEST = 1.2  # times a lead's typical peak velocity; more is an artifact of one lead
QUIETEST = 0.02  # of that peak, between beats; quieter leads than that count the same
LEAD_SHARES = np.array(
    [2 / 3] * 3 + [0.0] * 3 + [1.0] * 6
)  # two of I, II, III are independent; the chest leads all are
SIMILAR = 0.8  # correlation from which two beats count as the same kind


@lru_cache(maxsize=32)  # rates come from files
def zero_phase_filter(kind: str, edges: float | tuple[float, float], rate: float) -> Signal:
    """Second-order sections of a Butterworth filter of order 2, designed once: it takes longer than the filtering."""
    return np.asarray(butter(2, edges, btype=kind, fs=rate, output="sos"))


def band(signal: Signal, low: float, high: float) -> Signal:
    """`signal` ([leads, samples] at RATE) between two frequencies (Hz), zero-phase."""
    sos = zero_phase_filter("bandpass", (low, high), RATE)
    return np.asarray(sosfiltfilt(sos, signal, axis=1, padlen=min(signal.shape[1] - 1, 500)))


def _weights(moves: Signal) -> Signal:
    """[leads]: how much each lead counts, from its QRS beside what moves between. moves: [leads, samples], 0 or more.

    A lead that trembles moves between beats nearly as much as in them. I, II and III are two leads in three, aVR, aVL
    and aVF follow from them: one bad electrode must not outvote the chest.
    """
    span = int(2 * RATE)
    tall = _typical_height(moves, span)
    between = np.median(moves, axis=1) / (tall + 1e-12)
    between = np.where(tall > 1e-6, np.maximum(between, QUIETEST), np.inf)
    alive = np.sort(between[np.isfinite(between)])
    if not len(alive):
        return np.zeros(len(tall))
    best = alive[min(1, len(alive) - 1)]  # the second best, lest one lead of a single odd wave sets the scale
    return np.asarray(np.minimum(1.0, best / between) ** 2 * LEAD_SHARES)


def _typical_height(moves: Signal, span: int) -> Signal:
    """The median over stretches of `span` samples of the highest value in each."""
    starts = range(0, max(1, moves.shape[-1] - span // 2), span)
    return np.asarray(np.median([moves[..., i : i + span].max(axis=-1) for i in starts], axis=0))


def r_peaks(signal: Signal) -> npt.NDArray[np.intp]:
    """Samples of the R peaks in `signal` ([12, samples] mV at RATE), one for each QRS."""
    fast = band(signal, 8.0, 30.0)
    width = round(0.08 * RATE)
    moves = np.sqrt(np.maximum(uniform_filter1d(np.gradient(fast, axis=1) ** 2, width, axis=1), 0))
    weights = _weights(moves)
    if not weights.any():
        return np.zeros(0, dtype=np.intp)
    span = int(2 * RATE)
    # The square of the mean of roots: many leads that move a little outweigh one that moves a lot, as at an artifact.
    parts = np.minimum(moves / (_typical_height(moves, span)[:, None] + 1e-12), TALLEST)
    speed = ((weights[:, None] * np.sqrt(parts)).sum(axis=0) / weights.sum()) ** 2
    height = PEAK_SHARE * float(_typical_height(speed, span))
    found, _ = find_peaks(speed, height=height, distance=int(SHORTEST_RR * RATE))
    scaled = fast / (np.percentile(np.abs(fast), 98, axis=1, keepdims=True) + 1e-9)
    size = np.sqrt((weights[:, None] * scaled**2).sum(axis=0))
    reach = round(0.06 * RATE)
    peaks = [max(0, at - reach) + int(np.argmax(size[max(0, at - reach) : at + reach + 1])) for at in found]
    return np.unique(_aligned(fast, np.array(peaks, dtype=np.intp), reach))


def _aligned(fast: Signal, peaks: npt.NDArray[np.intp], reach: int) -> npt.NDArray[np.intp]:
    """Peaks moved to the same point of QRS as in the most typical beat, `reach` samples to each side of it compared.

    A broad QRS has two peaks of like height (bundle branch block), of which now one, now the other is the taller.
    """
    if len(peaks) < 3:
        return peaks
    far = round(0.10 * RATE)  # two peaks of one QRS are no further apart
    wide = np.pad(fast, ((0, 0), (far + reach, far + reach)))
    cuts = np.stack([wide[:, p : p + 2 * (far + reach)] for p in peaks])
    middle = cuts[:, :, far : far + 2 * reach].reshape(len(peaks), -1)
    middle = middle / (np.linalg.norm(middle, axis=1, keepdims=True) + 1e-9)
    typical = middle[np.argmax((middle @ middle.T).sum(axis=1))]
    moved = peaks.copy()
    for i in np.flatnonzero(middle @ typical < SIMILAR):
        fits = np.stack([cuts[i][:, lag : lag + 2 * reach].ravel() for lag in range(2 * far + 1)])
        likeness = fits @ typical / (np.linalg.norm(fits, axis=1) + 1e-9)
        if likeness.max() > SIMILAR:
            moved[i] += int(np.argmax(likeness)) - far
    return np.asarray(np.clip(moved, 0, fast.shape[1] - 1))
