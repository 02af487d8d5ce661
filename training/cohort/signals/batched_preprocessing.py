"""`ecgkt.model.preprocessing.model_view` of many records at once.

Without missing samples the model's view is a linear map of the tracing, so it is two matrix products: a decimation to
100 Hz, the same for each stretch of the tracing, and the zero-phase filter with its edges. Both matrices are what
`ECG.resampled` and `model_view` themselves answer to unit impulses, so that there is one definition of the view; the
tests hold the two against each other on real records.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import ThreadpoolController

from ecgkt.ecg import ECG, LEADS, FloatArray
from ecgkt.model.preprocessing import MODEL_RATE, MODEL_SAMPLES, model_view

ROWS = 192  # channels of 16 records
BLOCK = 25  # samples at 100 Hz that one product gives: wide enough for BLAS, few zeros in the matrix
REACH = 10  # half the length of resample_poly's filter, in samples of the lower rate


def step_of(rate: float) -> int:
    """How many samples become one of the model's; 0 where that is no whole number (such records go one by one)."""
    return int(rate) // MODEL_RATE if rate % MODEL_RATE == 0 else 0


def _impulses(at: npt.NDArray[np.int64], samples: int) -> FloatArray:
    """[calls, 12, samples]: an impulse of 1 mV at each place, twelve places a tracing."""
    signal = np.zeros((-(-len(at) // len(LEADS)) * len(LEADS), samples), dtype=np.float32)
    signal[np.arange(len(at)), at] = 1
    return signal.reshape(-1, len(LEADS), samples)


@cache
def _filter() -> FloatArray:
    """[1000, 1000]: row i is the view of an impulse at sample i of a tracing at 100 Hz."""
    impulses = _impulses(np.arange(MODEL_SAMPLES), MODEL_SAMPLES)
    return np.concatenate([model_view(ECG(twelve, MODEL_RATE)) for twelve in impulses])[:MODEL_SAMPLES]


@cache
def _decimation(step: int) -> tuple[FloatArray, FloatArray]:
    """[BLOCK, samples it depends on], and [1000], what the last sample adds because `ECG.resampled` holds the edges."""
    rate, samples, first = step * MODEL_RATE, step * MODEL_SAMPLES, MODEL_SAMPLES // 2

    def answers(at: npt.NDArray[np.int64]) -> FloatArray:
        answered = [ECG(twelve, rate).resampled(MODEL_RATE).signal for twelve in _impulses(at, samples)]
        return np.concatenate(answered)[: len(at)]

    width = (BLOCK - 1) * step + 2 * REACH * step + 1
    inner = answers(first * step - REACH * step + np.arange(width))[:, first : first + BLOCK].T
    last = _padded(1, step, 1)
    last[0, -1 - REACH * step] = 1
    return np.ascontiguousarray(inner), answers(np.array([samples - 1]))[0] - _blocks(last, inner, step)[0, :, 0]


def _padded(count: int, step: int, channels: int) -> FloatArray:
    """[count, 10 s and the filter's reach on both sides, channels] of zeros."""
    return np.zeros((count, step * (MODEL_SAMPLES + 2 * REACH), channels), dtype=np.float32)


def _blocks(padded: FloatArray, inner: FloatArray, step: int) -> FloatArray:
    """`_padded` signals -> [N, 1000, channels]."""
    stretches = sliding_window_view(padded, inner.shape[1], axis=1)[:, :: BLOCK * step].swapaxes(2, 3)
    return np.matmul(inner, stretches).reshape(len(padded), MODEL_SAMPLES, padded.shape[2])


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def model_views(raw: npt.NDArray[np.int16], rate: float) -> FloatArray:
    """[N, channels, 1000] in the unit of raw [N, 10 s, channels]: the view of each channel, no sample missing.

    rate: Hz, a multiple of 100 (`step_of`).
    """
    with _blas().limit(limits=1, user_api="blas"):
        return _views(raw, rate)


def _views(raw: npt.NDArray[np.int16], rate: float) -> FloatArray:
    step, (count, samples, channels) = step_of(rate), raw.shape
    padded = _padded(count, step, channels)
    centered = padded[:, REACH * step : REACH * step + samples]
    # A constant has no view. Taking the first sample as zero keeps an offset of many mV out of float32's digits, and
    # leaves the edge at the end alone to be held.
    np.subtract(raw, raw[:, :1], out=centered, dtype=np.float32)
    if step > 1:
        inner, held = _decimation(step)
        low = _blocks(padded, inner, step) + held[:, None] * centered[:, -1:]
    else:
        low = centered
    # Products of one fixed shape, by one thread: else the last bits, and so a rounded value here and there, depend
    # on how many records came together and on the machine's cores.
    rows = np.zeros((-(-count * channels // ROWS) * ROWS, MODEL_SAMPLES), dtype=np.float32)
    rows[: count * channels] = low.swapaxes(1, 2).reshape(-1, MODEL_SAMPLES)
    views = np.matmul(rows.reshape(-1, ROWS, MODEL_SAMPLES), _filter()).reshape(-1, MODEL_SAMPLES)
    return views[: count * channels].reshape(count, channels, MODEL_SAMPLES)
