"""Amplitudes of the median beat, lead by lead: the same as its drawing, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ecgkt.ecg import LEADS
from ecgkt.measurements.median_beat import MedianBeat

AFTER_J = (
    0.06  # s after the J point at which ST is read, as in exercise tests (AHA; Fletcher et al. 2013: J + 60-80 ms)
)


@dataclass(frozen=True)
class Amplitudes:
    """One lead of the median beat in mV against the level before QRS; None where the wave was not found.

    p, t: the largest deflection, with its sign. q, s: depth before and after R, r: its height; 0 or more.
    st: 60 ms after the J point, None where the beat ends before.
    """

    lead: str
    p: float | None
    q: float
    r: float
    s: float
    st: float | None
    t: float | None


def amplitudes(beat: MedianBeat) -> tuple[Amplitudes, ...]:
    """All twelve leads in order."""
    w = beat.waves
    after = beat.part(w.qrs_offset + AFTER_J, w.qrs_offset + AFTER_J)
    out = []
    for i, lead in enumerate(LEADS):
        qrs = beat.part(w.qrs_onset, w.qrs_offset)[i]
        top = int(qrs.argmax())
        r = max(0.0, float(qrs[top]))
        q, s = (max(0.0, -float(part.min())) for part in (qrs[: top + 1], qrs[top:]))
        if r == 0:
            q, s = 0.0, max(q, s)  # a QS complex is an S, as in ecgkt.measurements.intervals
        st = float(after[i, 0]) if after.size else None
        p, t = _peak(beat, i, w.p_onset, w.p_offset), _peak(beat, i, w.t_onset, w.t_offset)
        out.append(Amplitudes(lead, p, q, r, s, st, t))
    return tuple(out)


def _peak(beat: MedianBeat, lead: int, first: float | None, last: float | None) -> float | None:
    if first is None or last is None:
        return None
    part = beat.part(first, last)[lead]
    return float(part[abs(part).argmax()])
