"""Quantities of rhythm: rate, RR intervals, P waves beside QRS, premature beats, pacing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecgkt.criteria.rule import Quantity
from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import WIDE_QRS, Beat, Beats
from ecgkt.measurements.pacing import SLOWEST_RATE
from ecgkt.measurements.r_peaks import Signal

EARLY = 0.85  # of the median RR interval, below which a beat is premature
RR_ERROR = 8.0  # ms, of one RR interval: two samples at 250 Hz
ESCAPE = 60  # a minute: up to here a regular rhythm without P waves may be an escape rhythm behind a complete block
REGULAR = 15.0  # % of the mean RR interval, within which criteria.csv calls a rhythm regular
LEAST_PP = 0.3  # s between two P waves of one RR interval; closer ones are a P wave seen twice
BLOCKED = 2  # P waves without QRS that tell of block; one may be an ectopic one
P_WORDS = {
    "before every QRS": "a P wave before every QRS",
    "dissociated": "P waves independent of QRS",
    "none": "no P wave found",
}


def rhythm(ecg: ECG, beats: Beats) -> dict[str, Quantity]:
    """Name -> quantity; every name of them, also without beats."""
    p = _p(beats)
    return {
        **_rr(beats),
        **p,
        "av_dissociation": _av_dissociation(beats, p),
        **_hidden_by_pacing(beats),
        **_premature(beats),
        "paced": _paced(ecg, beats),
        "flutter_waves": _flutter(beats),
    }


def _rr(beats: Beats) -> dict[str, Quantity]:
    rr, mean = 1000 * np.diff(beats.r_times), beats.heart_rate
    if mean is None or len(rr) < 2:
        missing = Quantity(None, "", "fewer than three beats found")
        return dict.fromkeys(("rate", "rr_variation", "rr_spread"), missing)
    low, high = float(rr.min()), float(rr.max())
    told = f"RR from {low:,.0f} to {high:,.0f} ms"
    return {
        "rate": Quantity(round(mean), f"rate {mean:.0f}/min", error=1.0),
        "rr_variation": Quantity(100 * (high - low) / float(rr.mean()), told, error=100 * RR_ERROR / float(rr.mean())),
        "rr_spread": Quantity(high - low, told, error=RR_ERROR),
    }


def _p(beats: Beats) -> dict[str, Quantity]:
    names = ("p_before_qrs", "p_dissociated", "blocked_p")
    if not beats.beats:
        return dict.fromkeys(names, Quantity(None, "", "no beats found"))
    if beats.atrial == "unsure":
        return dict.fromkeys(names, Quantity(None, "", "P wave not sure"))
    words = P_WORDS[beats.atrial]
    linked = beats.atrial == "before every QRS"
    without = sum(b.p_onset is None for b in beats.beats[1:])
    if linked and without:
        words = f"a P wave before {len(beats.beats[1:]) - without} of {len(beats.beats[1:])} QRS complexes"
    blocked = _blocked(beats) if linked else None
    many = f"{blocked or 'no'} P wave{'' if blocked == 1 else 's'} without QRS"
    return {
        "p_before_qrs": Quantity(float(linked), words),
        "p_dissociated": Quantity(float(beats.atrial == "dissociated"), words),
        "blocked_p": Quantity(blocked, many) if blocked is not None else Quantity(None, "", words),
    }


def _av_dissociation(beats: Beats, p: dict[str, Quantity]) -> Quantity:
    """1 where P waves are independent of QRS, 0 where they are not.

    Nothing is denied where they may be and were missed: a slow and regular rhythm is one of escape beats until its P
    waves are found, in fibrillation too; and where some P waves are not followed by a QRS, the others may precede one
    by chance.
    """
    if (p["blocked_p"].value or 0) >= BLOCKED:
        return Quantity(None, "", p["blocked_p"].words)
    rr, rate = np.diff(beats.r_times), beats.heart_rate
    is_slow = rate is not None and round(rate) <= ESCAPE
    if is_slow and len(rr) > 1 and 100 * float(np.ptp(rr)) <= REGULAR * float(rr.mean()):
        if beats.atrial == "none":
            return Quantity(None, "", "a slow, regular rhythm without P waves may be one of escape beats")
        if beats.atrial == "before every QRS" and sum(b.p_onset is None for b in beats.beats[1:]) > 1:
            return Quantity(None, "", "in a slow, regular rhythm not every QRS has a P wave")
    return p["p_dissociated"]


def _flutter(beats: Beats) -> Quantity:
    if beats.flutter is None:
        return Quantity(0.0, "no flutter waves found")
    return Quantity(round(beats.flutter.rate), f"flutter waves at {beats.flutter.rate:.0f}/min in {beats.flutter.lead}")


def _blocked(beats: Beats) -> int:
    """P waves after which the next P wave comes before any QRS does. Not those behind a beat of another shape, which
    may have made the AV node refractory."""
    starts = [onset for onset, _ in beats.p_waves]
    qrs = np.array([beat.qrs_onset for beat in beats.beats])
    usual = np.array([beat.typical for beat in beats.beats])
    count = 0
    for a, b in pairwise(starts):
        before = int(np.searchsorted(qrs, a)) - 1
        count += b - a >= LEAST_PP and not ((qrs > a) & (qrs < b)).any() and before >= 0 and bool(usual[before])
    return count


def _hidden_by_pacing(beats: Beats) -> dict[str, Quantity]:
    """What cannot be told where a pacemaker makes the QRS complexes: it keeps RR intervals even in fibrillation, and
    QRS after P in AV block."""
    if beats.pacing.chamber not in ("ventricular", "dual-chamber") or beats.atrial == "dissociated":
        return {}
    return dict.fromkeys(
        ("rr_variation", "rr_spread", "p_dissociated", "av_dissociation"), Quantity(None, "", "paced rhythm")
    )


def _premature(beats: Beats) -> dict[str, Quantity]:
    """Beats that come early: wide and unlike the others, or narrow or as wide as all; the latter only where P waves
    make a rhythm."""
    rr = np.diff(beats.r_times)
    names = ("premature_wide", "premature_narrow", "bigeminal_pairs", "trigeminal_groups")
    if len(rr) < 3:
        return dict.fromkeys(names, Quantity(None, "", "fewer than four beats found"))
    early = rr < EARLY * float(np.median(rr))
    wide = [bool(e) and _is_wide(b) for e, b in zip(early, beats.beats[1:], strict=True)]
    narrow = [bool(e) and not w for e, w in zip(_sudden(early, rr), wide, strict=True)]
    count = sum(wide)
    out = {"premature_wide": Quantity(count, f"{count or 'no'} premature wide QRS complex{_es(count)}")}
    if beats.atrial == "before every QRS":
        count = sum(narrow)
        # In a bundle branch block, or with a pacemaker, all beats are wide.
        widest = max((_width(b) for b, n in zip(beats.beats[1:], narrow, strict=True) if n), default=0.0)
        kind, like = ("narrow ", "") if widest < WIDE_QRS else ("", ", as wide as the others")
        words = f"{count or 'no'} premature {kind}QRS complex{_es(count)}{like}"
        out["premature_narrow"] = Quantity(count, words)
    else:
        out["premature_narrow"] = Quantity(None, "", "no sinus rhythm that a beat could come before")
    foreign = [not beat.typical for beat in beats.beats]
    for name, word, length in (("bigeminal_pairs", "second", 2), ("trigeminal_groups", "third", 3)):
        runs = _groups(foreign, length)
        out[name] = Quantity(runs, f"every {word} beat unlike the others, {runs} times in a row")
    return out


def _sudden(early: npt.NDArray[np.bool_], rr: Signal) -> npt.NDArray[np.bool_]:
    """Of early beats those that come suddenly, alone or in a run: where RR grows shorter and longer little by little,
    as with breathing, no beat comes before its time. A run at the tracing's beginning is known by how it ends."""
    out = np.zeros(len(rr), dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], early.astype(int), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if start > 0:
            out[start:end] = rr[start] < EARLY * rr[start - 1]
        elif end < len(rr):
            out[start:end] = rr[end - 1] < EARLY * rr[end]
    return out


def _es(count: int) -> str:
    return "" if count == 1 else "es"


def _is_wide(beat: Beat) -> bool:
    return not beat.typical and _width(beat) >= WIDE_QRS


def _width(beat: Beat) -> float:
    return float(beat.qrs_offset - beat.qrs_onset)


def _groups(foreign: list[bool], length: int) -> int:
    """The most groups in a row of `length` beats of which the last alone is foreign."""
    pattern, most = [False] * (length - 1) + [True], 0
    for start in range(len(foreign)):
        count = 0
        while foreign[start + count * length : start + (count + 1) * length] == pattern:
            count += 1
        most = max(most, count)
    return most


def _paced(ecg: ECG, beats: Beats) -> Quantity:
    chamber = beats.pacing.chamber
    if chamber:
        return Quantity(1.0, f"{chamber} pacing spikes")
    if ecg.rate < SLOWEST_RATE:
        return Quantity(None, "", f"pacing spikes cannot be told at {ecg.rate:g} Hz")
    return Quantity(0.0, "no pacing spikes")
