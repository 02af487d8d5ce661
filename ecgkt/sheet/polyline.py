"""The line of a lead on its sheet: as many points as can be seen, no peak lost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG, LEAD_INDEX, FloatArray
from ecgkt.sheet.layout import Cell, Layout, Paper

# Two points (minimum and maximum) a bucket, so no QRS peak is lost: 2.5 s at 500 Hz stay as they are, in a strip of
# 10 s a bucket is about 2 pixels. Keeps a sheet below 300 kB even where relevance covers every sample.
POINTS: dict[Layout, int] = {"3x4": 1250, "6x2": 1000, "12x1": 1000}


def floats(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float32)


def thin(values: FloatArray, points: int) -> tuple[FloatArray, float]:
    """[samples] -> ([<= points], samples per point), each bucket as its minimum and maximum in the order they came.

    Keeps every extreme, which plain decimation does not. NaN stays where a whole bucket is NaN.
    """
    if len(values) <= points:
        return values, 1.0
    size = int(np.ceil(2 * len(values) / points))
    padded = np.pad(values, (0, -len(values) % size), constant_values=np.nan).reshape(-1, size)
    low = np.where(np.isnan(padded), np.inf, padded)
    high = np.where(np.isnan(padded), -np.inf, padded)
    rising = low.argmin(axis=1) < high.argmax(axis=1)
    least, most = low.min(axis=1), high.max(axis=1)
    pairs = np.where(rising[:, None], np.stack([least, most], 1), np.stack([most, least], 1)).ravel()
    pairs[~np.isfinite(pairs)] = np.nan
    return pairs.astype(np.float32), size / 2


def stretch(samples: int, rate: float, cell: Cell) -> slice:
    """The samples of a recording that a cell shows."""
    return slice(max(0, round(cell.first * rate)), min(samples, round(cell.last * rate)))


def heights(ecg: ECG, paper: Paper, cell: Cell, points: int | None = None) -> tuple[FloatArray, float, float]:
    """(heights in mm [points], seconds of the first point, seconds from point to point) of the lead in a cell.

    points: at most so many; as many as the tracing itself has where not said.
    """
    part = stretch(ecg.samples, ecg.rate, cell)
    millivolts = ecg.signal[LEAD_INDEX[cell.lead.upper()], part]
    values, per_point = thin(cell.offset + cell.sign * paper.gain * millivolts, points or POINTS[paper.layout])
    # The pair stands in the middle of its bucket's two halves.
    return values, (part.start + (per_point - 1) / 2) / ecg.rate, per_point / ecg.rate
