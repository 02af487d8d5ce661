"""The filter of a bedside monitor, for looking at rhythm through drift and tremor. Never what a model sees.

As recorded is the diagnostic view. A monitor's band of 0.5 to 40 Hz flattens R waves and notches (for diagnosis
AHA/ACCF/HRS 2007, part I, asks for 150 Hz at least), so a sheet drawn with it must say so (`words`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from ecgkt.ecg import ECG

Filter = Literal["none", "monitor"]
FILTERS: tuple[Filter, ...] = ("none", "monitor")
LOW_HZ, HIGH_HZ = 0.5, 40.0


def _band(rate: float) -> tuple[float, float]:
    """Edges in Hz; a slow recording has nothing above half its rate to be cut."""
    return LOW_HZ, min(HIGH_HZ, 0.45 * rate)


def words(filter: Filter, rate: float) -> str:
    """What was done to a tracing sampled at `rate` Hz, as it is printed on the sheet."""
    if filter == "none":
        return f"unfiltered, {rate:g} Hz"
    low, high = _band(rate)
    return f"filter: MONITOR {low:g}–{high:g} Hz, not for diagnosis (recorded at {rate:g} Hz)"


def filtered(ecg: ECG, filter: Filter) -> ECG:
    """The tracing through `filter`. No wave moves in time: the gain is real, and no phase is added.

    Gain at f Hz: 1 / (1 + (f / high)^4) / (1 + (low / f)^4), which is a second-order Butterworth edge run forwards and
    backwards (-6 dB at the edge). What was not recorded (NaN) is bridged by a straight line for the filter and is NaN
    again afterwards.
    """
    if filter == "none":
        return ecg
    signal = ecg.signal.astype(np.float32)
    known = np.isfinite(signal)
    for row, there in zip(signal, known, strict=True):
        if not there.all():
            at = np.flatnonzero(there)
            row[:] = np.interp(np.arange(len(row)), at, row[at]) if len(at) else 0.0
    # Two seconds turned over at each end, as in scipy.signal.filtfilt: the lower edge rings for about as long.
    pad = min(ecg.samples - 1, round(2 * ecg.rate))
    padded = np.pad(signal, ((0, 0), (pad, pad)), mode="reflect", reflect_type="odd")
    length = next_fast_len(padded.shape[1], real=True)
    frequency = rfftfreq(length, 1 / ecg.rate)
    low, high = _band(ecg.rate)
    gain = 1 / (1 + (frequency / high) ** 4) * frequency**4 / (frequency**4 + low**4)
    smooth = irfft(rfft(padded, length, axis=1) * gain.astype(np.float32), length, axis=1)[:, pad : pad + ecg.samples]
    return ECG(np.where(known, smooth, np.nan).astype(np.float32), ecg.rate, ecg.age, ecg.sex, ecg.notes)
