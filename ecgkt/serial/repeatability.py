"""What two ECGs of an unchanged heart differ by, from hearts that were recorded twice.

`repeatability.csv`, written by training/calibrate/repeatability.py, holds the SD of a measurement within a patient from
one recording to the next, and within a recording from some beats to others. Two recordings differ by no more than
1.96 sqrt(2) times the first in 95% (repeatability coefficient; Bland and Altman 1986, Lancet 1:307; 1999, Stat Methods
Med Res 8:135). Electrodes put on anew, another day and another heart rate are in it. Where beats vary more in the two
ECGs at hand than it allows for, their own standard error counts instead.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from math import hypot, pi, sqrt
from pathlib import Path

import numpy as np

from ecgkt.measurements.intervals import Intervals

FILE = Path(__file__).with_name("repeatability.csv")
SURE = 1.96  # SDs to each side that hold 95% of a normal distribution
MEDIAN = sqrt(pi / 2)  # times SD / sqrt(n): standard error of a median of n normal values


@dataclass(frozen=True)
class Repeated:
    """A row of the table: a measurement (a field of `Intervals`, or a wave of `LeadChange` with its lead).

    recordings: SD within a patient, in `unit`, from `pairs` of recordings; beats: SD within a recording, from `ecgs`
    tracings, of a measurement on all of its beats.
    """

    measurement: str
    lead: str
    unit: str
    recordings: float
    pairs: int
    beats: float
    ecgs: int

    @property
    def coefficient(self) -> float:
        """Smallest detectable change: 95% limit of the difference of two recordings. Few patients were recorded twice,
        so where the beats of one recording varied more, they count."""
        return SURE * sqrt(2) * max(self.recordings, self.beats)


@cache
def table() -> dict[tuple[str, str], Repeated]:
    """(measurement, lead or "") -> its row."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [
            Repeated(
                row["measurement"], row["lead"], row["unit"], float(row["recordings_sd"]), int(row["recordings_pairs"]),
                float(row["beats_sd"]), int(row["beats_ecgs"]),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
    return {(row.measurement, row.lead): row for row in rows}


def detectable(key: str, before: Intervals, now: Intervals) -> float | None:
    """Smallest change of the measurement `key` that two recordings of one heart seldom show; None where not known."""
    row = table().get((key, ""))
    if row is None:
        return None
    errors = [_standard_error(key, found) for found in (before, now)]
    return max(row.coefficient, SURE * hypot(*errors))


def detectable_in_lead(wave: str, lead: str) -> float | None:
    """The same in mV for a wave of `LeadChange` in one lead."""
    row = table().get((wave, lead))
    return None if row is None else row.coefficient


def _standard_error(key: str, found: Intervals) -> float:
    """Of the median over an ECG's own beats, ms; 0 for what is not measured beat by beat."""
    beats = [beat for beat in found.beats.beats if beat.typical]
    spans: dict[str, list[tuple[float | None, float | None]]] = {
        "pr": [(b.p_onset, b.qrs_onset) for b in beats], "p_duration": [(b.p_onset, b.p_offset) for b in beats],
        "qrs": [(b.qrs_onset, b.qrs_offset) for b in beats], "qt": [(b.qrs_onset, b.t_offset) for b in beats],
    }  # fmt: skip
    spans["qtcf"] = spans["qtcb"] = spans["qt"]
    each = [1000 * (end - start) for start, end in spans.get(key, []) if start is not None and end is not None]
    return MEDIAN * float(np.std(each, ddof=1)) / sqrt(len(each)) if len(each) > 2 else 0.0
