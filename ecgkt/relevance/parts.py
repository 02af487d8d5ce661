"""The waves by name, as far as they are sure: what an attribution is shared out over, beat after beat.

Where a wave is not sure, the name of what lies around it would mislead: with a P wave missed, "TP segment" may be the P
wave. Such segments are put together and told by what is sure of them, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgkt.measurements.delineation import SEGMENTS, Beats, Segment
from ecgkt.measurements.intervals import LEAST_CONFIDENCE

WAVE_NAMES: dict[Segment, str] = {
    "P": "P wave",
    "PR": "PR segment",
    "QRS": "QRS complex",
    "ST": "ST segment",
    "T": "T wave",
    "TP": "TP segment",
}
ELSEWHERE = "Signal outside any beat"
MOST_WITHOUT_T = 0.5  # share of beats without a T wave found, above which what follows QRS goes without a name


@dataclass(frozen=True)
class Stretch:
    """Segments that have one name between them. segments: as `Beats.wave_at` gives them, "" is outside any beat.

    short: for a narrow column.
    """

    name: str
    short: str
    segments: tuple[str, ...]


def stretches(beats: Beats) -> tuple[Stretch, ...]:
    """Every segment in exactly one stretch, in the order of a beat."""
    if not beats.beats:
        return (Stretch("Signal (no beats found)", "signal", (*SEGMENTS, "")),)
    if sure := _unsure(beats, "QRS"):
        return (Stretch(f"Signal (QRS complexes not sure, {sure})", "signal", (*SEGMENTS, "")),)
    no_p, no_t = _no_p(beats), _no_t(beats)
    unnamed: tuple[str, ...] = ()
    if no_t:
        name, short = "Signal from QRS to the next P wave", "QRS to P"
        unnamed = ("ST", "T", "TP")
    if no_p:
        name, short = "Baseline between T and QRS", "T to QRS"
        unnamed = ("PR", "TP")
    if no_p and beats.atrial != "dissociated":
        unnamed = ("P", "PR", "TP", "") if beats.atrial == "unsure" else ("P", "PR", "TP")
    if no_p and no_t:
        name, short = "Signal between QRS complexes", "no QRS"
        unnamed = tuple(s for s in (*SEGMENTS, "") if s != "QRS")
    out = [Stretch(WAVE_NAMES[s], s, (s,)) for s in SEGMENTS if s not in unnamed]
    if unnamed:
        out.append(Stretch(f"{name} ({' and '.join(reason for reason in (no_p, no_t) if reason)})", short, unnamed))
    if "" not in unnamed:
        out.append(Stretch(ELSEWHERE, "other", ("",)))
    return tuple(out)


def _unsure(beats: Beats, wave: str) -> str:
    """How sure the wave is, where that is not enough for its name; empty where it is, or where nobody asked."""
    sure = beats.confidence.get(wave, 1.0)
    return f"{100 * sure:.0f}%" if sure < LEAST_CONFIDENCE[wave] else ""


def _no_p(beats: Beats) -> str:
    if beats.atrial == "dissociated":
        return "P waves independent of QRS"
    if beats.atrial == "unsure":
        return "P wave not sure"
    return "no P wave found" if beats.atrial == "none" else ""


def _no_t(beats: Beats) -> str:
    without = sum(beat.t_offset is None for beat in beats.beats) / len(beats.beats)
    if without > MOST_WITHOUT_T:
        return "no T wave found"
    return "T wave not sure" if _unsure(beats, "T") else ""
