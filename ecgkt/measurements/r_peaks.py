"""R peaks of 12 leads at once, from the spatial velocity (how fast the heart's vector moves). Used by
`ecgkt.measurements.delineation`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, find_peaks, sosfiltfilt

Signal = npt.NDArray[np.float64]

RATE = 250.0  # Hz, at which waves are sought: 4 ms a sample
SHORTEST_RR = 0.24  # s: 250 beats a minute
PEAK_SHARE = 0.35  # of the typical tallest velocity in 2 s; T waves stay below, small QRS above
SIMILAR = 0.8  # correlation from which two beats count as the same kind


def band(signal: Signal, low: float, high: float) -> Signal:
    """`signal` ([leads, samples] at RATE) between two frequencies (Hz), zero-phase."""
    sos = butter(2, (low, high), btype="bandpass", fs=RATE, output="sos")
    return np.asarray(sosfiltfilt(sos, signal, axis=1, padlen=min(signal.shape[1] - 1, 500)))


def _speed(signal: Signal) -> Signal:
    """Spatial velocity: root mean square over the leads of their slopes, each lead to its own scale."""
    slopes = np.gradient(signal, axis=1)
    scale = np.percentile(np.abs(slopes), 98, axis=1, keepdims=True)
    used = scale[:, 0] > 1e-6
    return np.asarray(np.sqrt(np.mean((slopes[used] / scale[used]) ** 2, axis=0))) if used.any() else slopes[0] * 0


def r_peaks(signal: Signal) -> npt.NDArray[np.intp]:
    """Samples of the R peaks in `signal` ([12, samples] mV at RATE), one for each QRS."""
    fast = band(signal, 8.0, 30.0)
    speed = uniform_filter1d(_speed(fast), round(0.08 * RATE))
    span = int(2 * RATE)
    tallest = [speed[i : i + span].max() for i in range(0, len(speed) - span // 2, span)]
    found, _ = find_peaks(speed, height=PEAK_SHARE * float(np.median(tallest)), distance=int(SHORTEST_RR * RATE))
    size = np.sqrt(np.mean((fast / (np.percentile(np.abs(fast), 98, axis=1, keepdims=True) + 1e-9)) ** 2, axis=0))
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
