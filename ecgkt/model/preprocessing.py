"""ECG -> what the networks see. One function, used by training's preparation and by inference alike.

The model's view is not the diagnostic trace: 100 Hz and 0.5-40 Hz, because the real training set (PTB-XL's copy) holds
nothing outside that band, and a network must not be able to tell the sets apart by their filters.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfiltfilt

from ecgkt.ecg import ECG, FloatArray

MODEL_RATE = 100  # Hz
MODEL_SECONDS = 10.0
MODEL_SAMPLES = int(MODEL_RATE * MODEL_SECONDS)
BAND = (0.5, 40.0)  # Hz, zero-phase


@lru_cache(maxsize=8)
def _bandpass(rate: float) -> npt.NDArray[np.float64]:
    high = min(BAND[1], 0.45 * rate)
    return np.asarray(butter(2, (BAND[0], high), btype="bandpass", fs=rate, output="sos"))


def model_view(ecg: ECG) -> FloatArray:
    """[12, samples at MODEL_RATE] mV: resampled, band-limited; missing samples become 0 after filtering.

    The whole tracing is kept; `windows` cuts it to the network's length.
    """
    at_rate = ecg.resampled(MODEL_RATE).signal
    missing = ~np.isfinite(at_rate)
    # NaN would spread over the whole lead in the filter, so it is 0 before (no step in a centered lead) and 0 after.
    middle = np.median(np.where(missing, 0.0, at_rate), axis=1, keepdims=True)
    centered = np.where(missing, 0.0, at_rate - middle)
    filtered = sosfiltfilt(_bandpass(MODEL_RATE), centered, axis=1, padlen=min(300, at_rate.shape[1] - 1))
    filtered[missing] = 0.0
    return filtered.astype(np.float32)


def windows(view: FloatArray) -> list[tuple[int, FloatArray]]:
    """(first sample, [12, <= MODEL_SAMPLES]) stretches that cover `view`; one if it is not longer than 10 s.

    A longer recording is covered by equally spaced, overlapping windows of full length; a shorter one is returned as
    it is (the networks pool over time, so padding would only dilute it).
    """
    total = view.shape[1]
    if total <= MODEL_SAMPLES:
        return [(0, view)]
    count = int(np.ceil(total / MODEL_SAMPLES))
    starts = np.linspace(0, total - MODEL_SAMPLES, count).round().astype(int)
    return [(int(s), view[:, s : s + MODEL_SAMPLES]) for s in starts]
