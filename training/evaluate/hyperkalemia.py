"""Real ECGs changed as a rising potassium changes them, to see whether the score of hyperkalemia follows.

Every number is a published slope of `ecgkt/simulation/effects.csv` (its sources stand there): T taller and narrower,
PR and QRS longer, P flatter. The rest of the recording, its noise and its rhythm stay as they are.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import Beat, delineate
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.simulation.tables import Effect, effects

View = npt.NDArray[np.float32]
EDGE = 0.03  # s over which a changed wave goes over into what is beside it
LEAST = 0.01  # s that a stretch keeps when its neighbors grow


@cache
def _effects() -> dict[str, Effect]:
    """parameter -> effect of a potassium above normal, for a patient of mean sensitivity."""
    return {e.parameter: e for e in effects() if e.source == "potassium" and e.direction == "above"}


def _effect(parameter: str, potassium: float) -> float:
    return _effects()[parameter].size(potassium)


def with_potassium(view: View, potassium: float) -> View:
    """`view` ([12, samples] mV at the model's rate) as it would be at that potassium (mmol/L), were it normal before.

    A tracing without beats, or a beat without a T wave, is returned as it is.
    """
    beats = [beat for beat in delineate(ECG(view, float(MODEL_RATE))).beats if beat.t_onset and beat.t_offset]
    time = np.arange(view.shape[1]) / MODEL_RATE
    if not beats:
        return view
    out = view.astype(np.float64)
    heights = [_t_height(out, time, beat) for beat in beats]
    gain = 1 + _effect("t_uv", potassium) / 1000 / max(float(np.mean(heights)), 0.02)
    for beat in beats:
        assert beat.t_onset is not None
        assert beat.t_offset is not None
        _scale(out, time, beat.t_onset, beat.t_offset, gain)
        if beat.p_onset is not None and beat.p_offset is not None:
            _scale(out, time, beat.p_onset, beat.p_offset, math.exp(_effect("p_log", potassium)))
    source = _source_times(beats, time, potassium)
    return np.stack([np.interp(source, time, lead) for lead in out]).astype(np.float32)


def _t_height(signal: npt.NDArray[np.float64], time: npt.NDArray[np.float64], beat: Beat) -> float:
    """mV from the line between T's ends to its peak, mean over the leads, either direction."""
    assert beat.t_onset is not None
    assert beat.t_offset is not None
    inside = (time >= beat.t_onset) & (time <= beat.t_offset)
    if inside.sum() < 3:
        return 0.0
    part = signal[:, inside]
    line = np.linspace(part[:, 0], part[:, -1], part.shape[1], axis=1)
    return float(np.abs(part - line).max(axis=1).mean())


def _scale(
    signal: npt.NDArray[np.float64], time: npt.NDArray[np.float64], first: float, last: float, gain: float
) -> None:
    """Multiply what rises above the line between a wave's ends, softly at both."""
    inside = np.flatnonzero((time >= first) & (time <= last))
    if len(inside) < 3:
        return
    part = signal[:, inside]
    line = np.linspace(part[:, 0], part[:, -1], part.shape[1], axis=1)
    soft = np.clip(np.minimum(time[inside] - first, last - time[inside]) / EDGE, 0, 1)
    signal[:, inside] = line + (part - line) * (1 + (gain - 1) * soft)


def _source_times(beats: list[Beat], time: npt.NDArray[np.float64], potassium: float) -> npt.NDArray[np.float64]:
    """For every sample of the changed tracing, the time in the old one that it is taken from; R stays where it is."""
    pr, qrs = _effect("pr", potassium) / 1000, _effect("qrs", potassium) / 1000
    narrow = math.exp(-_effect("t_narrow", potassium))
    old, new = [time[0]], [time[0]]
    for beat in beats:
        assert beat.t_onset is not None
        assert beat.t_offset is not None
        anchors: list[tuple[float, float]] = []
        if beat.p_onset is not None and beat.p_offset is not None:
            anchors += [(beat.p_onset, beat.p_onset - pr - qrs / 2), (beat.p_offset, beat.p_offset - pr - qrs / 2)]
        anchors += [(beat.qrs_onset, beat.qrs_onset - qrs / 2), (beat.r, beat.r)]
        anchors += [(beat.qrs_offset, beat.qrs_offset + qrs / 2)]
        middle = (beat.t_onset + beat.t_offset) / 2
        half = (beat.t_offset - beat.t_onset) / 2 * narrow
        anchors += [(beat.t_onset, middle + qrs / 2 - half), (beat.t_offset, middle + qrs / 2 + half)]
        for before, after in anchors:
            # Where there is no room (a fast rhythm) a wave moves less far.
            if before >= old[-1] + LEAST:
                old.append(before)
                new.append(max(after, new[-1] + LEAST))
    if time[-1] > max(old[-1], new[-1]) + LEAST:
        old.append(time[-1])
        new.append(time[-1])
    return np.interp(time, new, old)
