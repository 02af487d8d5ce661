"""A small network that tells for each moment whether it lies in a P wave, in QRS, in T: without PyTorch, in NumPy.

A U-Net in one dimension (Ronneberger et al. 2015) over all twelve leads, 255,091 numbers, fitted by
`training.waves.fit` to simulated ECGs, whose boundaries are known, to half of LUDB's annotated records
and to PTB-XL's records of sinus rhythm and of fibrillation. It sees a lead's shape, not its height.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load_file

from ecgkt.measurements.r_peaks import RATE, Signal, band

Array = npt.NDArray[np.float32]

FILE = Path(__file__).with_name("wave_network.safetensors")
WAVES = ("P", "QRS", "T")
OUT_RATE = RATE / 2  # Hz, of the probabilities
LEVELS = 4  # times that the resolution is halved, after the first layer has
BLOCK = 2 ** (LEVELS + 1)  # samples that a tracing's length must be a multiple of
LARGEST = 6.0  # times a lead's 98th percentile; beyond it is an artifact
FLAT = 1e-4  # mV: 98th percentile of a lead without signal


@cache
def _weights() -> dict[str, Array]:
    return {name: np.asarray(value, dtype=np.float32) for name, value in load_file(FILE).items()}


def standardized(signal: Signal, kept: Signal | None = None) -> Array:
    """[12, samples] mV at RATE as the network takes it: 0.5 to 40 Hz, each lead to its own scale.

    kept: what `band` leaves of `signal` between these two, if known already.
    """
    kept = band(signal, 0.5, 40.0) if kept is None else kept
    scale = np.percentile(np.abs(kept), 98, axis=1, keepdims=True)
    out = np.clip(kept / np.maximum(scale, 1e-6), -LARGEST, LARGEST) * (scale > FLAT)
    return np.asarray(out, dtype=np.float32)


def wave_probabilities(signal: Signal, kept: Signal | None = None) -> Signal:
    """[3, samples / 2] probabilities of `WAVES` at OUT_RATE; signal: [12, samples] mV at RATE, kept: see
    `standardized`."""
    x = standardized(signal, kept)
    length = x.shape[1]
    x = np.pad(x, ((0, 0), (0, -length % BLOCK)))
    skips = []
    x = _layer(x, "stem", 2)
    for i in range(LEVELS):
        skips.append(x)
        x = _layer(_layer(x, f"down.{i}", 2), f"mid.{i}")
    for i, skip in enumerate(reversed(skips)):
        x = _layer(np.concatenate([np.repeat(x, 2, axis=1)[:, : skip.shape[1]], skip]), f"up.{i}")
    x = _convolved(_layer(x, "last"), "head")
    return np.asarray(1 / (1 + np.exp(-x[:, : (length + 1) // 2].astype(float))))


def _layer(x: Array, name: str, stride: int = 1) -> Array:
    return np.maximum(_convolved(x, name, stride), 0)


def _convolved(x: Array, name: str, stride: int = 1) -> Array:
    """Convolution of [channels, samples], zeros beyond the edges."""
    weight, bias = _weights()[f"{name}.weight"], _weights()[f"{name}.bias"]
    size = weight.shape[2]
    wide = np.pad(x, ((0, 0), (size // 2, size // 2)))
    cuts = sliding_window_view(wide, size, axis=1)[:, ::stride]  # [channels, samples, size]
    columns = cuts.transpose(0, 2, 1).reshape(-1, cuts.shape[1])
    return np.asarray(weight.reshape(len(weight), -1) @ columns + bias[:, None], dtype=np.float32)
