"""Rate, intervals, axes and voltages of a 12-lead ECG, as a recorder prints them: global, from the median beat.

Boundaries are those of `ecgkt.measurements.delineation`, whose errors benchmarks/delineation.md gives. What cannot be
measured has no value but a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees, hypot, sqrt

import numpy as np

from ecgkt.ecg import ECG, LEADS, Sex
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.measurements.median_beat import MedianBeat, median_beat
from ecgkt.measurements.normal_limits import Flag, Limit, limits
from ecgkt.measurements.r_peaks import Signal

CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
SMALLEST_R = 0.03  # mV; below it IEC 60601-2-25 sees no wave, and a QS complex counts as S
SMALLEST_T = 0.05  # mV, in the lead where T is largest; below it the end of T is lost in the noise
DEGREE = "\N{DEGREE SIGN}"
FLAT = 0.005  # mV: span of a lead without signal, as in ecgkt.quality.usable
# SD of the error against the annotators of LUDB's 150 recordings, ms: benchmarks/delineation.json (a test holds them).
ERROR_SD = {"p_duration": 14.1, "pr": 8.7, "qrs": 12.8, "qt": 17.5}
EQUIPHASIC = 0.1  # of the wave's whole area; a smaller net area has no direction to speak of


@dataclass(frozen=True)
class Measured:
    """One measurement in `unit`, or None and the reason in words. limit: normal for age and sex, where one is known."""

    name: str
    unit: str
    value: float | None
    reason: str = ""
    limit: Limit | None = None

    @property
    def flag(self) -> Flag | None:
        """Against the normal limit; None where there is no value or no limit."""
        if self.value is None or self.limit is None:
            return None
        return self.limit.axis_flag(self.value) if self.unit == DEGREE else self.limit.flag(self.value)


@dataclass(frozen=True)
class Deflection:
    """Heights of R and depth of S in one lead, mV, both 0 or more."""

    lead: str
    r: float
    s: float


@dataclass(frozen=True)
class Intervals:
    """All measurements of one tracing.

    rate: beats a minute, from the median RR interval. pr, p_duration, qrs, qt: ms. qtcf, qtcb: QT / RR^(1/3)
    (Fridericia 1920) and QT / RR^(1/2) (Bazett 1920), RR in s. p_axis, qrs_axis, t_axis: degrees from -180 to 180, 0
    toward the left arm, 90 toward the feet. transition: number of the first chest lead whose R is at least as high
    as its S is deep, 7 where none is. sokolow_lyon: S in V1 + the higher R of V5 and V6; cornell: R in aVL + S in V3;
    mV. progression: R and S of V1 to V6 (empty where nothing was measured). beat, beats: what all this was measured on.
    """

    rate: Measured
    pr: Measured
    p_duration: Measured
    qrs: Measured
    qt: Measured
    qtcf: Measured
    qtcb: Measured
    p_axis: Measured
    qrs_axis: Measured
    t_axis: Measured
    transition: Measured
    sokolow_lyon: Measured
    cornell: Measured
    progression: tuple[Deflection, ...]
    beat: MedianBeat | None
    beats: Beats

    @property
    def rows(self) -> tuple[Measured, ...]:
        """The measurements in the order in which they are shown."""
        return tuple(getattr(self, name) for name in _ROWS)


# Attribute -> name and unit.
_ROWS = {
    "rate": ("Heart rate", "/min"), "pr": ("PR interval", "ms"), "p_duration": ("P duration", "ms"),
    "qrs": ("QRS duration", "ms"), "qt": ("QT interval", "ms"), "qtcf": ("QTc (Fridericia)", "ms"),
    "qtcb": ("QTc (Bazett)", "ms"), "p_axis": ("P axis", DEGREE), "qrs_axis": ("QRS axis", DEGREE),
    "t_axis": ("T axis", DEGREE), "transition": ("R/S transition", "V lead"),
    "sokolow_lyon": ("Sokolow-Lyon voltage", "mV"), "cornell": ("Cornell voltage", "mV"),
}  # fmt: skip

_Value = float | str  # a value, or the reason why there is none


def measure(ecg: ECG, sex: Sex | None = None, age: float | None = None, beats: Beats | None = None) -> Intervals:
    """All measurements of `ecg`; what cannot be measured says why.

    sex, age (years): for the normal limits; the ECG's own where not given. beats: from `delineate`, if known already.
    """
    beats = delineate(ecg) if beats is None else beats
    beat = median_beat(ecg, beats)
    rate = beats.heart_rate
    values: dict[str, _Value] = {}
    deflections: dict[str, Deflection] = {}
    if beat is not None and rate is not None:
        missing = {lead for lead, row in zip(LEADS, ecg.signal, strict=True) if not _alive(row)}
        deflections = _deflections(beat, missing)
        values = {"rate": rate} | _times(beat, 60 / rate) | _axes(beat, missing) | _voltages(deflections)
    normal = limits(ecg.age if age is None else age, ecg.sex if sex is None else sex)
    measured = {}
    for key, (name, unit) in _ROWS.items():
        value = values.get(key, "fewer than two beats found")
        no = isinstance(value, str)
        # Twelve digits: 120 ms out of .3 and .42 s must not come out above a limit of 120.
        exact = None if no else float(f"{float(value):.12g}")
        measured[key] = Measured(name, unit, exact, str(value) if no else "", normal.get(key))
    progression = tuple(deflections[lead] for lead in CHEST if lead in deflections)
    return Intervals(**measured, progression=progression, beat=beat, beats=beats)


def _alive(row: np.ndarray) -> bool:
    known = row[np.isfinite(row)]
    return len(known) > 0 and float(np.ptp(known)) > FLAT


def _times(beat: MedianBeat, rr: float) -> dict[str, _Value]:
    """Intervals in ms; rr: s."""
    w = beat.waves
    out: dict[str, _Value] = {"qrs": 1000 * (w.qrs_offset - w.qrs_onset)}
    out |= dict.fromkeys(("pr", "p_duration"), "no P wave found")
    if w.p_onset is not None and w.p_offset is not None:
        out |= {"pr": 1000 * (w.qrs_onset - w.p_onset), "p_duration": 1000 * (w.p_offset - w.p_onset)}
    flat = _no_t(beat)
    qt = None if flat or w.t_offset is None else 1000 * (w.t_offset - w.qrs_onset)
    out |= dict.fromkeys(("qt", "qtcf", "qtcb"), flat)
    return out if qt is None else out | {"qt": qt, "qtcf": qt / rr ** (1 / 3), "qtcb": qt / sqrt(rr)}


def _no_t(beat: MedianBeat) -> str:
    """Why the T wave cannot be measured; empty where it can."""
    w = beat.waves
    if w.t_onset is None or w.t_offset is None:
        return "no T wave found"
    low = float(np.abs(beat.part(w.t_onset, w.t_offset)).max()) < SMALLEST_T
    return f"T wave below {SMALLEST_T:g} mV in every lead" if low else ""


def _axes(beat: MedianBeat, missing: set[str]) -> dict[str, _Value]:
    w = beat.waves
    out: dict[str, _Value] = {"qrs_axis": _axis(beat.part(w.qrs_onset, w.qrs_offset), missing)}
    if w.p_onset is None or w.p_offset is None:
        out["p_axis"] = "no P wave found"
    else:
        p = beat.part(w.p_onset, w.p_offset)
        chord = np.linspace(p[:, 0], p[:, -1], p.shape[1], axis=1)  # P may lie on the slope of the T before
        out["p_axis"] = _axis(p - chord, missing)
    flat = _no_t(beat)
    out["t_axis"] = flat or _axis(beat.part(w.t_onset or 0.0, w.t_offset or 0.0), missing)
    return out


def _axis(part: Signal, missing: set[str]) -> _Value:
    """Direction in the frontal plane of a wave's net area, degrees: atan2(2 aVF / sqrt 3, I).

    The factor makes a dipole of one size look alike in both leads: aVF is augmented by Goldberger, I is not.
    """
    off = [lead for lead in ("I", "aVF") if lead in missing]
    if off:
        return f"no signal in {' and '.join(off)}"
    one, foot = part[LEADS.index("I")], 2 / sqrt(3) * part[LEADS.index("aVF")]
    x, y = float(one.sum()), float(foot.sum())
    if hypot(x, y) <= EQUIPHASIC * float(np.hypot(one, foot).sum()):
        return "indeterminate: as much to one side as to the other in I and aVF"
    return degrees(atan2(y, x))


def _deflections(beat: MedianBeat, missing: set[str]) -> dict[str, Deflection]:
    """Lead -> R and S within QRS; a QS complex is an S. Leads without signal are left out."""
    qrs = beat.part(beat.waves.qrs_onset, beat.waves.qrs_offset)
    out = {}
    for lead, row in zip(LEADS, qrs, strict=True):
        if lead not in missing:
            top = int(np.argmax(row))
            r = max(0.0, float(row[top]))
            s = -float(row[top:].min() if r >= SMALLEST_R else row.min())
            out[lead] = Deflection(lead, r, max(0.0, s))
    return out


def _voltages(found: dict[str, Deflection]) -> dict[str, _Value]:
    def needs(*leads: str) -> str:
        off = [lead for lead in leads if lead not in found]
        return f"no signal in {', '.join(off)}" if off else ""

    chest, sokolow, cornell = needs(*CHEST), needs("V1", "V5", "V6"), needs("aVL", "V3")
    return {
        "transition": chest or next((k for k, lead in enumerate(CHEST, 1) if found[lead].r >= found[lead].s), 7),
        "sokolow_lyon": sokolow or found["V1"].s + max(found["V5"].r, found["V6"].r),
        "cornell": cornell or found["aVL"].r + found["V3"].s,
    }
