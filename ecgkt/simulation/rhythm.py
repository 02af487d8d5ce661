"""When atria and ventricles are activated: sinus rhythm, ectopy, atrial fibrillation and flutter, AV block, pacing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SECONDS = 10.0
SINUS, AFIB, AFLT, SVT, VT = "sinus", "afib", "aflutter", "svt", "vt"


@dataclass(frozen=True)
class Rhythm:
    """When the chambers are activated; times reach a little beyond 0 and 10 s.

    kind: SINUS, AFIB, AFLT, SVT or VT. p: [waves] onsets of P, s. qrs: [beats] onsets of QRS, s, sorted; ectopic:
    [beats] True for a PVC; before: [beats] RR interval before each, s. atrial_rate: Hz, of fibrillation and flutter.
    pacs: how many of the beats are atrial premature. block: "", "avb2" or "avb3".
    """

    kind: str
    p: np.ndarray
    qrs: np.ndarray
    ectopic: np.ndarray
    before: np.ndarray
    atrial_rate: float = 0.0
    pacs: int = 0
    block: str = ""


def _sinus_times(rng: np.random.Generator, rr: float, age: float, irregular: float) -> np.ndarray:
    """Sinus beats: respiratory variability that falls with age and with rate, and slow drift."""
    count = int((SECONDS + 3) / rr) + 6
    respiration = float(rng.normal(0.25, 0.04))
    depth = 0.055 * np.exp(-(age - 25) / 35) * min(1.5, rr / 0.8) ** 2 * irregular
    base = np.arange(count) * rr
    noise = np.cumsum(rng.normal(0, 0.006, count)) + rng.normal(0, 0.007, count)
    intervals = rr * (1 + depth * np.sin(2 * np.pi * respiration * base + rng.uniform(0, 6.28)) + noise)
    return np.cumsum(np.maximum(intervals, 0.33)) - 1.5 - float(rng.uniform(0, rr))


def _finish(
    kind: str, p: np.ndarray, qrs: np.ndarray, ectopic: np.ndarray, atrial_rate: float = 0.0, pacs: int = 0,
    block: str = "",
) -> Rhythm:  # fmt: skip
    """The part of a rhythm that shows in 10 s, beats in order of time."""
    order = np.argsort(qrs)
    qrs, ectopic = qrs[order], ectopic[order]
    before = np.diff(qrs, prepend=qrs[0] - float(np.median(np.diff(qrs))))
    keep = (qrs > -0.9) & (qrs < SECONDS + 0.3)
    shown = (p > -0.3) & (p < SECONDS + 0.1)
    return Rhythm(kind, p[shown], qrs[keep], ectopic[keep], before[keep], atrial_rate, pacs, block)


def fibrillation(rng: np.random.Generator, rate: float, block: str = "") -> Rhythm:
    """Irregularly irregular: lognormal intervals without memory, no P wave. block "avb3": a regular escape rhythm."""
    rr = 60 / (float(rng.uniform(36, 58)) if block else rate)
    intervals = np.clip(rr * np.exp(rng.normal(0, 0.015 if block else 0.21, int(16 / rr) + 20)), 0.30, 2.4)
    qrs = np.cumsum(intervals) - 2
    return _finish(AFIB, np.zeros(0), qrs, np.zeros(len(qrs), bool), float(rng.uniform(4.8, 7.8)), block=block)


def tachycardia(rng: np.random.Generator, kind: str, rate: float) -> Rhythm:
    """SVT or VT: fast and regular, P hidden or absent."""
    rr = 60 / rate
    qrs = np.cumsum(rr * (1 + rng.normal(0, 0.006, int(14 / rr) + 8))) - 2
    return _finish(kind, np.zeros(0), qrs, np.zeros(len(qrs), bool))


def flutter(rng: np.random.Generator, rate: float) -> Rhythm:
    """Atria near 290 per minute, conducted 2:1, 3:1, 4:1 or in changing ratio."""
    atrial = float(np.clip(rng.normal(4.8, 0.35), 3.9, 5.6))
    ratio = int(np.clip(round(atrial * 60 / rate), 2, 5))
    ratios = rng.choice([2, 3, 4], 60) if rng.random() < 0.3 else np.full(60, ratio)
    qrs = np.cumsum(ratios / atrial) - 2 + rng.normal(0, 0.004, 60)
    return _finish(AFLT, np.zeros(0), qrs, np.zeros(60, bool), atrial_rate=atrial)


def sinus(
    rng: np.random.Generator, rate: float, pr: float, age: float, irregular: float, block: str, pvcs: int, pacs: int
) -> Rhythm:
    """Sinus rhythm with AV conduction. pr in seconds; block: "", "avb2", "avb3"; pvcs, pacs: beats to place."""
    p = _sinus_times(rng, 60 / rate, age, irregular)
    if block == "avb3":
        qrs = _sinus_times(rng, 60 / float(rng.uniform(32, 46)), 80, 0.2)
        return _finish(SINUS, p, qrs, np.zeros(len(qrs), bool), block=block)
    premature = 0
    for _ in range(pacs):
        at = int(rng.integers(2, len(p) - 3))
        gap = p[at] - p[at - 1]
        pause = p[at + 1] - p[at]
        p[at] = p[at - 1] + gap * rng.uniform(0.55, 0.72)
        p[at + 1 :] += p[at] + pause * rng.uniform(1.05, 1.2) - p[at + 1]
        premature += int(0 < p[at] < SECONDS)
    delay = pr + rng.normal(0, 0.003, len(p))
    conducted = np.ones(len(p), bool)
    if block == "avb2":
        cycle = int(rng.integers(2, 5))
        place = (np.arange(len(p)) + int(rng.integers(cycle))) % cycle
        conducted = place != cycle - 1
        if rng.random() < 0.6:  # Wenckebach: PR grows, by less each beat, until a beat is dropped
            delay = delay + 0.07 * np.log1p(place)
    qrs, ectopic = p[conducted] + delay[conducted], np.zeros(int(conducted.sum()), bool)
    for _ in range(pvcs):
        at = int(rng.integers(1, len(qrs) - 2))
        if ectopic[at - 1 : at + 2].any():
            continue
        gap = qrs[at] - qrs[at - 1]
        # The next sinus impulse meets the refractory AV node: compensatory pause, its P hidden in the PVC's ST-T.
        qrs[at] = qrs[at - 1] + gap * rng.uniform(0.52, 0.74)
        ectopic[at] = True
    return _finish(SINUS, p, qrs, ectopic, pacs=premature, block=block)


def tracked(rng: np.random.Generator, rate: float, delay: float, age: float, irregular: float) -> Rhythm:
    """A pacemaker that follows the atria, `delay` s behind each P."""
    p = _sinus_times(rng, 60 / rate, age, irregular)
    return _finish(SINUS, p, p + delay, np.zeros(len(p), bool))


def on_demand(rng: np.random.Generator, rate: float, atria: float, age: float, irregular: float) -> Rhythm:
    """Ventricular pacing at a fixed rate beside P waves of their own (`atria` a minute) that it does not see."""
    p = _sinus_times(rng, 60 / atria, age, irregular)
    qrs = np.arange(-1.5, SECONDS + 2, 60 / rate) + float(rng.uniform(0, 60 / rate))
    return _finish(SINUS, p, qrs, np.zeros(len(qrs), bool), block="avb3")


def paced(rng: np.random.Generator, rate: float, atrial: bool) -> Rhythm:
    """Ventricular pacing at a fixed rate, with P waves 160 ms before when `atrial`."""
    qrs = np.arange(-1.5, SECONDS + 2, 60 / rate) + float(rng.uniform(0, 60 / rate))
    p = qrs - 0.16 if atrial else np.zeros(0)
    return _finish(SINUS if atrial else AFIB, p, qrs, np.zeros(len(qrs), bool),
                   atrial_rate=0.0 if atrial else float(rng.uniform(5, 7.5)))  # fmt: skip
