"""Pacing that is not seen: below 250 Hz a spike falls between two samples, and only the paced beat is left.

A beat paced from the apex of the right ventricle is broad, negative in V1, its axis far to the left, without a P wave
before it and regular (Surawicz and Knilans, Chou's Electrocardiography). So may be a ventricular escape rhythm; this is
a doubt, never a fact. Of how many recordings it is said, paced and not: benchmarks/measurements.md.
"""

from __future__ import annotations

from math import atan2, degrees, sqrt

from ecgkt.ecg import LEADS
from ecgkt.measurements.delineation import Beats
from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.measurements.pacing import SLOWEST_RATE

BROAD = 0.125  # s
LEFT = (-100.0, -45.0)  # degrees between which the axis lies
RATES = (45.0, 95.0)  # a minute, at which pacemakers pace as a rule
SENTENCE = (
    "It may be a paced rhythm (regular broad QRS with left axis and no P wave before it): at this sampling rate "
    "pacing spikes are lost."
)


def may_be_paced(beats: Beats, beat: MedianBeat | None) -> bool:
    """Does a recording below 250 Hz look like ventricular pacing?"""
    rate = beats.heart_rate
    if beat is None or rate is None or beat.rate >= SLOWEST_RATE or beats.rate_range is not None:
        return False
    if not RATES[0] <= rate <= RATES[1] or beats.atrial == "before every QRS":
        return False
    qrs = beat.part(beat.waves.qrs_onset, beat.waves.qrs_offset).sum(axis=1)
    one, foot, v1 = (float(qrs[LEADS.index(lead)]) for lead in ("I", "aVF", "V1"))
    axis = degrees(atan2(2 / sqrt(3) * foot, one))
    broad = beat.waves.qrs_offset - beat.waves.qrs_onset >= BROAD
    return broad and v1 < 0 and LEFT[0] <= axis <= LEFT[1]
