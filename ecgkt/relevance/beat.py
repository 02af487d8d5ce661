"""Relevance folded over all beats: what a score rests on in the typical beat, wherever in the tracing it was found."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from ecgkt.measurements.delineation import Beats
from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import summed


def folded(attribution: Attribution, beats: Beats, beat: MedianBeat) -> npt.NDArray[np.float32]:
    """[12, samples of `beat`]: mean over `beats` of the relevance at the same time from R, signs kept.

    Smoothed over 50 ms as on the sheet (`ecgkt.relevance.classes`); a beat cut by the tracing's edge counts where it is
    there.
    """
    values = summed(attribution)
    when = np.arange(values.shape[1]) / attribution.rate
    from_r = np.arange(beat.signal.shape[1]) / beat.rate - beat.waves.r
    times = beats.r_times[:, None] + from_r  # [beats, samples], s
    parts = np.stack([np.interp(times, when, row, left=np.nan, right=np.nan) for row in values])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a time that no beat has is 0
        return np.nan_to_num(np.nanmean(parts, axis=1)).astype(np.float32)
