"""The line of rhythm and rate: what P waves and RR intervals show, and what the scores say where they show too little.

Where P waves were not surely found no rhythm is named by measurement. How often the line agrees with cardiologists:
benchmarks/interpretation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecgkt.criteria.check import Checked, check
from ecgkt.criteria.rhythm import BLOCKED
from ecgkt.criteria.rule import Quantity
from ecgkt.ecg import ECG
from ecgkt.interpretation.groups import groups
from ecgkt.interpretation.line import Certainty, Line
from ecgkt.measurements.intervals import Intervals
from ecgkt.prediction import LIKELY, Score
from ecgkt.results import numbers

SLOW, BRADYCARDIA = 60, 50  # a minute: below 60 by SCP-ECG's readers, below 50 by ACC/AHA/HRS 2018
FAST = 100
USUAL_P_AXIS = 90  # degrees, from 0
UPRIGHT_IN_II = (-30, 150)  # degrees of the P axis: outside, P is negative in II, which no sinus P wave is
NARROW = 120  # ms of QRS
NAMES = {
    "AFIB": "atrial fibrillation", "AFLT": "atrial flutter", "STACH": "sinus tachycardia", "SBRAD": "sinus bradycardia",
    "SARRH": "sinus arrhythmia", "SR": "sinus rhythm", "SVTAC": "supraventricular tachycardia",
    "PSVT": "supraventricular tachycardia", "SVARR": "supraventricular arrhythmia", "PACE": "paced rhythm",
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What lines are composed of. scores: of all heads by code, whatever their probability."""

    ecg: ECG
    found: Intervals
    known: Mapping[str, Quantity]
    scores: Mapping[str, Score]

    def value(self, name: str) -> float | None:
        return self.known[name].value

    def is_positive(self, *codes: str) -> bool:
        return any(code in self.scores and self.scores[code].positive for code in codes)

    @property
    def has_paced_qrs(self) -> bool:
        return self.found.beats.pacing.chamber in ("ventricular", "dual-chamber")

    def is_met(self, code: str) -> bool:
        checked = check(code, self.known, self.ecg.age)
        return checked is not None and checked.verdict == "met"


def rhythm_line(seen: Seen) -> Line:
    """Always one, "not told" where nothing can be said."""
    if seen.value("rate") is None:
        return Line("rhythm", "Rhythm not told", "open", seen.known["rate"].reason)
    if seen.value("paced"):
        chamber = seen.found.pacing.capitalize() or "Paced rhythm"
        return _line(seen, chamber, "PACE", "paced")
    if seen.value("flutter_waves"):
        return _flutter(seen)
    if seen.value("p_dissociated"):
        return _line(seen, "P waves independent of QRS", "", "", "measured", "ventricular ")
    if seen.value("p_before_qrs"):
        return _sinus(seen)
    if seen.value("p_before_qrs") is None:
        return _by_score(seen, "P waves not sure")
    return _without_p(seen)


def _flutter(seen: Seen) -> Line:
    if seen.is_positive("AFIB") and not seen.is_positive("AFLT"):
        return _line(seen, "Atrial fibrillation or flutter", "AFIB", "fibrillation", "likely", "ventricular ")
    is_sure = seen.is_positive("AFLT", "AFIB")
    name = "Atrial flutter" if is_sure else "Probable atrial flutter"
    certainty: Certainty = "confirmed" if is_sure else "measured"
    return _line(seen, name, "AFLT", "fibrillation", certainty, f"{seen.known['flutter_waves'].words}, ventricular ")


def _sinus(seen: Seen) -> Line:
    """A P wave before every QRS, or nearly so."""
    axis, rate = seen.known["p_axis"], seen.value("rate") or 0.0
    figures = ""
    if axis.value is not None and not seen.is_met("SR"):
        low, high = UPRIGHT_IN_II
        if not low - axis.error <= axis.value <= high + axis.error:
            return _line(seen, "P waves not of sinus origin, or leads exchanged", "", "", "measured", f"{axis.words}, ")
        if not -axis.error <= axis.value <= USUAL_P_AXIS + axis.error:
            figures = f"{axis.words}, "
    slow = rate < BRADYCARDIA or (rate < SLOW and seen.is_positive("SBRAD"))
    if (seen.value("blocked_p") or 0) >= BLOCKED:  # the rate is the ventricles', so neither slow nor fast is sinus
        name = "Sinus rhythm, not every P wave conducted"
        return _line(seen, name, "SR", "sinus", before=f"{figures}{seen.known['blocked_p'].words}, ventricular ")
    name, code = ("Sinus rhythm", "SR")
    flutter = seen.scores.get("AFLT")
    if rate > FAST and flutter and flutter.positive and flutter.probability >= LIKELY and not seen.is_positive("STACH"):
        # Of two flutter waves for a QRS one looks like P and the other lies in QRS or T.
        words = "Sinus tachycardia, or atrial flutter with 2:1 conduction"
        return _line(seen, words, "AFLT", "fibrillation", "likely", figures)
    if rate > FAST:
        name, code = "Sinus tachycardia", "STACH"
    elif slow:
        name, code = "Sinus bradycardia", "SBRAD"
    elif seen.is_met("SARRH"):
        name, code = ("Sinus arrhythmia", "SARRH") if seen.is_positive("SARRH") else ("Irregular sinus rhythm", "SR")
    return _line(seen, name, code, "sinus", before=figures)


def _without_p(seen: Seen) -> Line:
    variation, qrs = seen.value("rr_variation") or 0.0, seen.found.qrs.value
    if seen.is_met("AFIB"):
        if seen.is_positive("AFIB", "AFLT"):
            return _line(seen, "Atrial fibrillation", "AFIB", "fibrillation", "confirmed", "ventricular ")
        return _line(seen, "Irregular rhythm, no P wave found", "", "", "measured")
    regular = "Regular" if variation <= 15 else "Irregular"
    rate = seen.value("rate") or 0.0
    told = f"{regular} {'bradycardia' if 0 < rate < BRADYCARDIA else 'rhythm'}, no P wave found"
    if rate > FAST and qrs is not None:
        width = "narrow" if qrs < NARROW else "wide"
        told = f"{regular} {width}-QRS tachycardia, no P wave found"
    found = _by_score(seen, "no P wave found", told)
    if seen.is_met("SVTAC") and seen.is_positive("SVTAC") and found.statement == told:
        return _line(seen, "Supraventricular tachycardia, no P wave found", "SVTAC", "svt", "confirmed")
    if seen.is_met("I472") and found.statement == told:
        return _line(seen, f"{told}: consider ventricular tachycardia", "I472", "vt", "measured")
    return found


def _by_score(seen: Seen, why: str, otherwise: str = "") -> Line:
    """The rhythm that the scores name, marked as theirs; without one above threshold, what was measured. No sinus
    rhythm where P waves were looked for in vain (then `otherwise` says so)."""
    barred = {"PACE", *(groups()["sinus"].codes if otherwise else ())}
    above = [seen.scores[code] for code in NAMES if seen.is_positive(code) and code not in barred]
    best = max(above, key=lambda score: score.probability, default=None)
    if best is None or best.probability < LIKELY:
        return _line(seen, otherwise or f"Rhythm not named: {why}", "", "", "measured" if otherwise else "open")
    code = best.label.code
    group = next(key for key in ("sinus", "fibrillation", "svt", "svarr") if code in groups()[key].codes)
    return _line(seen, f"Probable {NAMES[code]}, {why}", code, group, "likely")


def _line(
    seen: Seen, statement: str, code: str, group: str, certainty: Certainty | None = None, before: str = ""
) -> Line:
    """certainty: by default "confirmed" with a score above threshold and "measured" without."""
    score = seen.scores.get(code)
    others = [c for c in groups()[group].codes if c != code and seen.is_positive(c)] if group else []
    if certainty is None:
        certainty = "confirmed" if score is not None and score.positive else "measured"
    return Line(
        "rhythm",
        statement,
        certainty,
        before + _rate(seen.found),
        score,
        tuple(seen.scores[c] for c in others),
        _checked(seen, code),
        codes=groups()[group].codes if group else (),
    )


def _rate(found: Intervals) -> str:
    spread = found.rate_range
    told = f"{numbers.measured(round(found.rate.value or 0))}/min"
    return told + (f" ({spread[0]:.0f} to {spread[1]:.0f})" if spread else "")


def _checked(seen: Seen, code: str) -> Checked | None:
    return check(code, seen.known, seen.ecg.age) if code else None
