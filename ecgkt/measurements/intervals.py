"""Rate, intervals, axes and voltages of a 12-lead ECG, as a recorder prints them: global, from the median beat.

Boundaries are those of `ecgkt.measurements.delineation`: errors in benchmarks/delineation.md; beside what devices
print in benchmarks/measurements.md. What cannot be measured has no value but a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, degrees, hypot, sqrt

import numpy as np

from ecgkt.ecg import ECG, LEADS, Sex
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.measurements.median_beat import MedianBeat, median_beat
from ecgkt.measurements.normal_limits import Flag, Limit, limits
from ecgkt.measurements.p_waves import SURE
from ecgkt.measurements.r_peaks import Signal
from ecgkt.measurements.rhythm import rhythm

CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
SMALLEST_R = 0.03  # mV; below it IEC 60601-2-25 sees no wave, and a QS complex counts as S
SMALLEST_T = 0.05  # mV, in the lead where T is largest; below it the end of T is lost in the noise
DEGREE = "\N{DEGREE SIGN}"
FLAT = 0.005  # mV: span of a lead without signal, as in ecgkt.quality.usable
# SD of the error against the annotators of 75 recordings of LUDB that nothing was fitted to, ms:
# benchmarks/delineation.json (a test holds them).
ERROR_SD = {"p_duration": 10.2, "pr": 7.4, "qrs": 8.6, "qt": 15.5}
# Mean probability that the wave network must give to a wave for its intervals to be told; P waves of an irregular
# rhythm, which may be fibrillation, must be sure.
LEAST_CONFIDENCE = {"P": 0.5, "QRS": 0.6, "T": 0.6}
SHORTEST_P = 0.03  # s; what is shorter is no P wave of a human heart
T_SPREAD = 0.04  # s: median deviation, from beat to beat, of the end of T, above which it is none
PR_VARIES = 0.05  # s between the 10th and the 90th percentile of PR that are worth a word
EQUIPHASIC = 0.1  # of the wave's whole area; a smaller net area has no direction to speak of


@dataclass(frozen=True)
class Measured:
    """One measurement in `unit`, or None and the reason in words. limit: normal for age and sex, where one is known.

    note: how it was measured, where that is not the usual way. confidence: of the wave it rests on, 0 to 1.
    """

    name: str
    unit: str
    value: float | None
    reason: str = ""
    limit: Limit | None = None
    note: str = ""
    confidence: float | None = None

    @property
    def printed(self) -> float | None:
        """The value as it is written: whole, or in hundredths of a mV."""
        return None if self.value is None else round(self.value, 2 if self.unit == "mV" else 0)

    @property
    def flag(self) -> Flag | None:
        """The printed value against the normal limit, so that 100/min is not called fast where 100 is normal; None
        without a value or a limit."""
        if self.printed is None or self.limit is None:
            return None
        return self.limit.axis_flag(self.printed) if self.unit == DEGREE else self.limit.flag(self.printed)


@dataclass(frozen=True)
class Deflection:
    """Heights of R and depth of S in one lead, mV, both 0 or more."""

    lead: str
    r: float
    s: float


@dataclass(frozen=True)
class Intervals:
    """All measurements of one tracing.

    rate: beats a minute, the mean over the recording; rate_range: the slowest and the fastest from one beat to the
    next, None where the rhythm is regular; pacing: "ventricular pacing" and the like, or "". pr, p_duration, qrs, qt:
    ms. qtcf, qtcb: QT / RR^(1/3) (Fridericia 1920) and QT / RR^(1/2) (Bazett 1920), RR in s; in an irregular rhythm the
    mean over the beats, each with the RR interval before it. p_axis, qrs_axis, t_axis: degrees from -180 to 180, 0
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
    def rate_range(self) -> tuple[float, float] | None:
        return self.beats.rate_range

    @property
    def pacing(self) -> str:
        chamber = self.beats.pacing.chamber
        return f"{chamber} pacing" if chamber else ""

    @property
    def rhythm(self) -> str:
        """In a few words, as far as it was found; empty with fewer than two beats."""
        return rhythm(self.beats)

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
        values = {"rate": rate} | _times(beat, beats, 60 / rate) | _axes(beat, beats, missing) | _voltages(deflections)
    normal = limits(ecg.age if age is None else age, ecg.sex if sex is None else sex)
    for name in _NOT_NORMAL.get(beats.pacing.chamber or "", ()):
        normal.pop(name, None)
    notes, measured = _notes(beats), {}
    for key, (name, unit) in _ROWS.items():
        value = values.get(key, "fewer than two beats found")
        no = isinstance(value, str)
        # Twelve digits: 120 ms out of .3 and .42 s must not come out above a limit of 120.
        exact = None if no else float(f"{float(value):.12g}")
        note = "" if no else notes.get(key, "")
        confidence = beats.confidence.get(_RESTS_ON.get(key, ""))
        measured[key] = Measured(name, unit, exact, str(value) if no else "", normal.get(key), note, confidence)
    progression = tuple(deflections[lead] for lead in CHEST if lead in deflections)
    return Intervals(**measured, progression=progression, beat=beat, beats=beats)


# Limits that hold for normal conduction only, and the wave whose confidence a measurement has.
_PACED_QRS = ("qrs", "qtcf", "qtcb", "qrs_axis", "t_axis", "transition", "sokolow_lyon", "cornell", "pr")
_NOT_NORMAL = {
    "ventricular": _PACED_QRS, "dual-chamber": (*_PACED_QRS, "p_duration", "p_axis"),
    "atrial": ("pr", "p_duration", "p_axis"),
}  # fmt: skip
_RESTS_ON = {
    "pr": "P", "p_duration": "P", "p_axis": "P", "qrs": "QRS", "qrs_axis": "QRS", "qt": "T", "qtcf": "T", "qtcb": "T",
    "t_axis": "T",
}  # fmt: skip


def _notes(beats: Beats) -> dict[str, str]:
    """How a measurement was taken, where that is not the usual way."""
    out: dict[str, str] = {}
    if beats.rate_range is not None:
        low, high = beats.rate_range
        out["rate"] = f"mean; irregular, from {low:.0f} to {high:.0f}"
        out |= dict.fromkeys(("qtcf", "qtcb"), "irregular rhythm: mean over the beats, each with the RR before it")
    pr = [beat.qrs_onset - beat.p_onset for beat in beats.beats if beat.typical and beat.p_onset is not None]
    if len(pr) > 2:
        low, high = np.percentile(pr, [10, 90])
        if high - low > PR_VARIES:
            out["pr"] = f"varies, from {1000 * low:.0f} to {1000 * high:.0f}"
    if beats.pacing.chamber in ("ventricular", "dual-chamber"):
        out["qrs"] = "paced QRS"
    return out


def _alive(row: np.ndarray) -> bool:
    known = row[np.isfinite(row)]
    return len(known) > 0 and float(np.ptp(known)) > FLAT


def _times(beat: MedianBeat, beats: Beats, rr: float) -> dict[str, _Value]:
    """Intervals in ms; rr: s."""
    w = beat.waves
    no_qrs = _unsure(beats, "QRS")
    out: dict[str, _Value] = {"qrs": no_qrs or 1000 * (w.qrs_offset - w.qrs_onset)}
    no_p = _no_p(beat, beats)
    out |= dict.fromkeys(("pr", "p_duration"), no_p)
    if not no_p and w.p_onset is not None and w.p_offset is not None:
        out |= {"pr": 1000 * (w.qrs_onset - w.p_onset), "p_duration": 1000 * (w.p_offset - w.p_onset)}
    no_t = no_qrs or _no_t(beat, beats)
    out |= dict.fromkeys(("qt", "qtcf", "qtcb"), no_t)
    if no_t or w.t_offset is None:
        return out
    qt = w.t_offset - w.qrs_onset
    out["qt"] = 1000 * qt
    each = np.array(_qt_and_rr(beats)) if beats.rate_range is not None else np.zeros((0, 2))
    each = each if len(each) > 2 else np.array([[qt, rr]])
    for name, power in (("qtcf", 1 / 3), ("qtcb", 1 / 2)):
        out[name] = 1000 * float(np.mean(each[:, 0] / each[:, 1] ** power))
    return out


def _qt_and_rr(beats: Beats) -> list[tuple[float, float]]:
    """QT and the RR interval before, s, of each beat of the prevailing kind."""
    pairs = zip(beats.beats, beats.beats[1:], strict=False)
    return [(b.t_offset - b.qrs_onset, b.r - a.r) for a, b in pairs if b.typical and b.t_offset is not None]


def _unsure(beats: Beats, wave: str) -> str:
    """Why what rests on `wave` is not told; empty where it is sure enough, or where nobody asked the network."""
    sure, least = beats.confidence.get(wave, 1.0), LEAST_CONFIDENCE[wave]
    if wave == "P" and beats.rate_range is not None:
        least = SURE
    return f"{wave} not told apart surely ({100 * sure:.0f}%)" if sure < least else ""


def _no_p(beat: MedianBeat, beats: Beats) -> str:
    """Why there is no PR interval; empty where there is one."""
    if beats.flutter is not None:
        return f"probably flutter waves ({beats.flutter.rate:.0f}/min) in place of P"
    if beats.atrial == "dissociated":
        return "P waves and QRS independent of each other"
    if beats.atrial == "none" or beat.waves.p_onset is None:
        return "no P wave found"
    if beat.waves.p_offset is None or beat.waves.p_offset - beat.waves.p_onset < SHORTEST_P:
        return "no P wave with a beginning and an end found"
    return _unsure(beats, "P")


def _no_t(beat: MedianBeat, beats: Beats) -> str:
    """Why the T wave cannot be measured; empty where it can."""
    w = beat.waves
    if beats.flutter is not None:
        return "probably flutter waves over T"
    if w.t_onset is None or w.t_offset is None:
        return "no T wave found"
    if float(np.abs(beat.part(w.t_onset, w.t_offset)).max()) < SMALLEST_T:
        return f"T wave below {SMALLEST_T:g} mV in every lead"
    ends = [b.t_offset - b.r for b in beats.beats if b.typical and b.t_offset is not None]
    if len(ends) > 2 and float(np.median(np.abs(np.array(ends) - np.median(ends)))) > T_SPREAD:
        return "the end of T differs from beat to beat"
    return _unsure(beats, "T")


def _axes(beat: MedianBeat, beats: Beats, missing: set[str]) -> dict[str, _Value]:
    w = beat.waves
    out: dict[str, _Value] = {"qrs_axis": _axis(beat.part(w.qrs_onset, w.qrs_offset), missing)}
    no_p = _no_p(beat, beats)
    if no_p or w.p_onset is None or w.p_offset is None:
        out["p_axis"] = no_p
    else:
        p = beat.part(w.p_onset, w.p_offset)
        chord = np.linspace(p[:, 0], p[:, -1], p.shape[1], axis=1)  # P may lie on the slope of the T before
        out["p_axis"] = _axis(p - chord, missing)
    flat = _no_t(beat, beats)
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
        return "indeterminate (isoelectric in I and aVF)"
    return degrees(atan2(y, x))


def _deflections(beat: MedianBeat, missing: set[str]) -> dict[str, Deflection]:
    """Lead -> R and S within QRS. Where Q is deeper than R is high (QS, Qr) it counts as S, as in voltage criteria and
    R/S transition. Leads without signal are left out."""
    qrs = beat.part(beat.waves.qrs_onset, beat.waves.qrs_offset)
    out = {}
    for lead, row in zip(LEADS, qrs, strict=True):
        if lead not in missing:
            top = int(np.argmax(row))
            r = max(0.0, float(row[top]))
            follows_r = r >= SMALLEST_R and r >= -float(row[: top + 1].min())
            s = -float(row[top:].min() if follows_r else row.min())
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
