"""Does a tracing rest at one level between beats? An ECG does, whatever its rhythm; a sawtooth and an EEG do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG
from ecgkt.measurements.r_peaks import RATE, band

LEVEL = 0.10  # of a lead's span: how far a level reaches
# Median over the leads of the share of samples at the level where most of them are: 0.21 at least in 494 real
# recordings (0.7 as a rule; the lowest are wide rhythms without a level stretch), 0.14 at most in sawtooth waves, 0.22
# at most in synthetic EEGs (benchmarks/junk.py).
NEVER_RESTS, HARDLY_RESTS = 0.16, 0.25


def resting_share(ecg: ECG) -> float:
    """0 to 1: the share of samples that lie within a tenth of a lead's span around one level, median over the leads.

    Between 0.5 and 40 Hz, so that a wandering baseline counts as level; NaN as 0 mV.
    """
    filled = ECG(np.nan_to_num(ecg.signal), ecg.rate)
    return float(np.median([_densest(row) for row in band(filled.resampled(RATE).signal.astype(float), 0.5, 40.0)]))


def _densest(row: npt.NDArray[np.float64]) -> float:
    low, high = np.percentile(row, [0.5, 99.5])
    ranked = np.sort(row)
    within = np.searchsorted(ranked, ranked + LEVEL * (high - low), side="right") - np.arange(len(ranked))
    return float(within.max() / len(ranked))
