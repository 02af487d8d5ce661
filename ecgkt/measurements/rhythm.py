"""The rhythm in a few words, and no more than was found: pacing, P waves, flutter, regular or not."""

from __future__ import annotations

from ecgkt.measurements.delineation import Beats
from ecgkt.measurements.rate import irregular


def rhythm(beats: Beats) -> str:
    """ "regular, a P wave before every QRS" and the like; empty with fewer than two beats."""
    if len(beats.beats) < 2:
        return ""
    parts = [f"{beats.pacing.chamber} pacing"] if beats.pacing.chamber else []
    parts += ["irregular" if irregular(beats.r_times) else "regular", _atria(beats)]
    foreign = sum(not beat.typical for beat in beats.beats)
    if foreign:
        parts.append(f"{foreign} beat{'s' if foreign > 1 else ''} of another shape")
    return ", ".join(parts)


def _atria(beats: Beats) -> str:
    if beats.flutter is not None:
        sure = 100 * beats.flutter.confidence
        return f"probably atrial flutter ({beats.flutter.rate:.0f} waves/min, {sure:.0f}% alike)"
    if beats.atrial == "dissociated":
        return "P waves and QRS independent of each other (AV dissociation)"
    if beats.atrial == "none":
        return "no P waves found"
    return "P waves not sure" if beats.atrial == "unsure" else "a P wave before every QRS"
