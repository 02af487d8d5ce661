"""Why a score may have changed: what was measured, in both ECGs, of what its label is read from.

`read_from.csv` lists for each label its measurements and leads, as textbooks read them (Surawicz and Knilans, Chou's
Electrocardiography; AHA/ACCF/HRS 2009 recommendations, parts III to VI; Fourth Universal Definition of Myocardial
Infarction 2018). A measured change beside a score is no proof that the network looked at it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from ecgkt.measurements.delineation import Beats
from ecgkt.measurements.intervals import DEGREE, Intervals
from ecgkt.measurements.rate import irregular
from ecgkt.serial.comparison import IntervalChange, LeadChange, SerialComparison, Wave

FILE = Path(__file__).with_name("read_from.csv")
MOST = 2  # measurements named for one score
P_WAVES = {
    "before every QRS": "before every QRS", "dissociated": "independent of QRS", "none": "none found",
    "unsure": "not sure",
}  # fmt: skip
# Measurement -> (what is compared, its words for a fall and for a rise).
VERBS = {
    "rate": ("heart rate", "fell", "rose"), "pr": ("PR", "shortened", "lengthened"),
    "p_duration": ("P", "shortened", "lengthened"), "qrs": ("QRS", "narrowed", "widened"),
    "qtcf": ("QTc", "shortened", "lengthened"), "qrs_axis": ("QRS axis", "turned left", "turned right"),
    "sokolow_lyon": ("Sokolow-Lyon voltage", "fell", "rose"), "cornell": ("Cornell voltage", "fell", "rose"),
    "q": ("Q", "shrank", "deepened"), "r": ("R", "shrank", "grew"), "s": ("S", "shrank", "deepened"),
    "p": ("P", "fell", "rose"), "st": ("ST", "fell", "rose"), "t": ("T", "fell", "rose"),
}  # fmt: skip


@dataclass(frozen=True)
class MeasuredChange:
    """One measured change. times: how many times what repeats differ by it is; above 1 it is beyond."""

    words: str
    times: float


@cache
def read_from() -> dict[str, tuple[tuple[str, str], ...]]:
    """Code of a label -> (measurement, lead or "") of what it is read from."""
    out: dict[str, list[tuple[str, str]]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pairs = [(name, lead) for name in row["measurements"].split() for lead in row["leads"].split() or [""]]
            for code in row["labels"].split():
                out.setdefault(code, []).extend(pairs)
    return {code: tuple(pairs) for code, pairs in out.items()}


def reason(code: str, found: SerialComparison, before: Intervals, now: Intervals) -> str:
    """A sentence on what was measured of what the label `code` is read from; empty where nothing is known of it."""
    known = read_from().get(code)
    if known is None:
        return ""
    intervals = {change.key: change for change in found.intervals}
    leads = {change.lead: change for change in found.leads}
    changes = []
    for name, lead in known:
        if lead:
            changes.append(_of_lead(name, leads.get(lead)))
        elif name in intervals:
            changes.append(_of_interval(intervals[name]))
        else:
            changes.append(_of_rhythm(name, before, now))
    measured = sorted((change for change in changes if change is not None), key=lambda c: c.times, reverse=True)
    if not measured:
        return "Nothing that it is read from could be measured in both ECGs."
    beyond = [change.words for change in measured if change.times > 1]
    if beyond:
        words = "; ".join(beyond[:MOST])
        return f"{words[0].upper()}{words[1:]}."
    return f"Nothing that it is read from changed by more than repeats differ by (most: {measured[0].words})."


def _of_interval(change: IntervalChange) -> MeasuredChange | None:
    if change.change is None or change.detectable is None:
        return None
    unit = change.now.unit
    printed = unit if unit in (DEGREE, "/min") else f" {unit}"
    return _in_words(change.key, "", change.change, change.detectable, printed, unit)


def _of_lead(wave: str, change: LeadChange | None) -> MeasuredChange | None:
    wave_ = next(name for name in get_args(Wave) if name == wave)
    size, least = (None, None) if change is None else (change.change(wave_), change.detectable(wave_))
    if change is None or size is None or least is None:
        return None
    return _in_words(wave, f" in {change.lead}", size, least, " mV", "mV")


def _in_words(key: str, where: str, change: float, least: float, unit: str, kind: str) -> MeasuredChange:
    name, down, up = VERBS[key]
    size = f"{abs(change):.{2 if kind == 'mV' else 0}f}"
    words = f"{name}{where} {up if change > 0 else down} {size}{unit}"
    if float(size) == 0:
        words = f"{name}{where} unchanged"
    return MeasuredChange(words, abs(change) / least)


def _of_rhythm(name: str, before: Intervals, now: Intervals) -> MeasuredChange | None:
    """P waves, irregularity, premature beats and spikes: they change, or they do not."""
    both = [(found.beats, len(found.beats.beats)) for found in (before, now)]
    if min(count for _, count in both) < 2:
        return None
    was, is_now = (_rhythm_in_words(name, beats) for beats, _ in both)
    subject = {"rr": "RR", "p_waves": "P waves", "premature": "beats of another shape", "spikes": "pacing"}[name]
    if was == is_now:
        return MeasuredChange(f"{subject} as before ({is_now})", 0.0)
    return MeasuredChange(f"{subject} {was} before, {is_now} now", 2.0)


def _rhythm_in_words(name: str, beats: Beats) -> str:
    if name == "rr":
        return "irregular" if irregular(beats.r_times) else "regular"
    if name == "p_waves":
        return P_WAVES[beats.atrial]
    if name == "premature":
        return str(sum(not beat.typical for beat in beats.beats))
    return beats.pacing.chamber or "none found"
