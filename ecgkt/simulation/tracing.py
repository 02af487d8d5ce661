"""One ECG: rhythm and conduction from the state, waves from body and morphology, noise from the electrodes.

Each step draws from a stream of its own, so that a tracing can be made again with one cause taken away and every other
random number as it was (`truth.py`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from ecgkt.simulation import beats, leads
from ecgkt.simulation.body import Body, placement, shapes
from ecgkt.simulation.effects import Morphology
from ecgkt.simulation.rhythm import (
    AFIB,
    AFLT,
    SINUS,
    SVT,
    VT,
    Rhythm,
    fibrillation,
    flutter,
    on_demand,
    paced,
    sinus,
    tachycardia,
    tracked,
)
from ecgkt.simulation.state import Patient, Stay
from ecgkt.simulation.waveform import Waves, profiles

RATE = 500
SAMPLES = 5000
# How often an ECG shows a chronic condition that is present (intermittent block, paroxysms, pacing on demand).
SHOWN = {
    "lbbb": 0.93, "rbbb": 0.92, "lafb": 0.85, "lpfb": 0.80, "wpw": 0.80, "aflutter": 0.60, "avb2": 0.70, "avb3": 0.80,
    "pacemaker": 0.65, "ventricular_ectopy": 0.65, "svt": 0.60, "vt": 0.50,
}  # fmt: skip
# Places among `chances` behind those of SHOWN.
(FIBRILLATES, FLUTTERS, INCOMPLETE, FASCICLE, WIDTH, WIDTH_TOO, ESCAPE, DELTA, FOLLOWS, POISONED, FAST) = range(
    len(SHOWN), len(SHOWN) + 11
)


class Streams:
    """Random numbers of one ECG, a generator a purpose: `streams("rhythm")` always starts at the same place."""

    def __init__(self, *key: int) -> None:
        self.key = key

    def __call__(self, purpose: str) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self.key, zlib.crc32(purpose.encode())])))


@dataclass(frozen=True)
class Conduction:
    """What the tracing shows: rhythm kind, block ("", lbbb, rbbb, irbbb, paced, vt), fascicles, delta wave, AV block.

    av of a paced beat: "avb3" where the pacemaker does not follow the atria.
    """

    kind: str
    block: str
    lafb: bool
    lpfb: bool
    delta: bool
    av: str


@dataclass(frozen=True)
class Tracing:
    """signal: [12, SAMPLES] mV in standard lead order; beat: [12, 500] the noiseless beat as correctly placed
    electrodes see it, QRS onset at 200 ms.

    qt: seconds at the mean RR, without the morphology's st_ms, by which ST is longer or shorter; rate: per minute; rr:
    [intervals] s; mix: [8, 8] of this recording's electrodes; fault: what is wrong with the recording, or "".
    """

    signal: np.ndarray
    beat: np.ndarray
    rhythm: Rhythm
    conduction: Conduction
    morphology: Morphology
    qt: float
    rate: float
    rr: np.ndarray
    mix: np.ndarray
    fault: str


def chances(rng: np.random.Generator) -> np.ndarray:
    """[FAST + 1] uniform numbers that decide `draw_conduction` and `conducted`."""
    return rng.random(FAST + 1)


def draw_conduction(chance: np.ndarray, stay: Stay) -> Conduction:
    """Which of the conditions of rhythm and conduction this recording shows, and a few incidental ones."""
    shows = {name: name in stay.active and chance[i] < p for i, (name, p) in enumerate(SHOWN.items())}
    kind = SINUS
    if shows["vt"] or shows["svt"]:
        kind = VT if shows["vt"] else SVT
    elif "afib" in stay.active:
        severity = stay.active["afib"]
        if chance[FIBRILLATES] < (0.40 if severity < 0.4 else 0.95):
            kind = AFIB
    elif shows["aflutter"] or chance[FLUTTERS] < 0.002:
        kind = AFLT
    block = "lbbb" if shows["lbbb"] else "rbbb" if shows["rbbb"] else ""
    if kind == VT:
        block = "vt"
    elif shows["pacemaker"] and kind != SVT:
        block = "paced"
    if not block and chance[INCOMPLETE] < 0.035 + (0.06 if "pulmonary_embolism" in stay.active else 0.0):
        block = "irbbb"  # published with and without PE: 4.8 against 2.8 % (n=6049)
    free = block in ("", "rbbb", "irbbb")
    av = "avb3" if shows["avb3"] else "avb2" if shows["avb2"] else ""
    if kind != SINUS:
        av = ""
    if "digoxin_toxicity" in stay.active and kind in (SINUS, AFIB):
        # Complete block in one of seven, with a regular escape rhythm in fibrillation too; chosen.
        av = "avb3" if chance[POISONED] < 0.14 else "avb2" if chance[POISONED] < 0.28 and kind == SINUS else av
    if block == "paced":  # an older device, or one of a single lead, does not follow the atria
        av = "avb3" if kind == SINUS and chance[FOLLOWS] < 0.2 else ""
    lafb = free and (shows["lafb"] or chance[FASCICLE] < 0.008)
    return Conduction(kind, block, lafb, free and shows["lpfb"] and not lafb,
                      free and shows["wpw"] and kind == SINUS, av)  # fmt: skip


def _rhythm(rng: np.random.Generator, c: Conduction, m: Morphology, stay: Stay, patient: Patient, body: Body) -> Rhythm:
    often = "ventricular_ectopy" in stay.active
    pvcs = int(rng.poisson(1.8)) if often and rng.random() < SHOWN["ventricular_ectopy"] else int(rng.random() < 0.025)
    if "digoxin_toxicity" in stay.active and rng.random() < 0.6:
        pvcs += int(rng.poisson(2.5))  # the commonest arrhythmia of digitalis; how often is chosen
    pacs = int(rng.poisson(1.2)) if rng.random() < (0.20 if "afib" in stay.active or patient.age > 75 else 0.05) else 0
    if c.block == "paced":
        if c.kind != SINUS:
            return paced(rng, float(rng.uniform(60, 85)), atrial=False)
        if c.av:
            return on_demand(rng, float(rng.uniform(60, 80)), m["rate"], patient.age, body.irregular)
        return tracked(rng, max(m["rate"], 60.0), m["pr"] / 1000, patient.age, body.irregular)
    if c.kind in (SVT, VT):
        return tachycardia(rng, c.kind, m["rate"])
    if c.kind == AFIB:
        return fibrillation(rng, float(np.clip(m["rate"] * rng.lognormal(0.1, 0.18), 45, 175)), c.av)
    if c.kind == AFLT:
        return flutter(rng, float(np.clip(m["rate"] * rng.lognormal(0.22, 0.3), 60, 150)))
    return sinus(rng, m["rate"], m["pr"] / 1000, patient.age, body.irregular, c.av, pvcs, pacs)


def conducted(chance: np.ndarray, c: Conduction, m: Morphology) -> Morphology:
    """The parameters as this conduction shows them: a blocked bundle or a pacemaker sets the QRS duration, a bypass
    sets PR and QRS, a pacemaker its own PR, a tachycardia the rate; P and PR shorten at high sinus rates."""
    v = dict(m.values)
    # Nearly normal: the sum of two uniform numbers less their mean, in standard deviations.
    draw = (chance[WIDTH] + chance[WIDTH_TOO] - 1) * 6**0.5
    widths = {"lbbb": (152, 12), "rbbb": (140, 11), "paced": (162, 13), "vt": (158, 14)}
    if c.block in widths:
        mean, spread = widths[c.block]
        # Whatever widens QRS besides, a block widens it more.
        v["qrs"] = min(max(mean + spread * float(draw) + 0.4 * (v["qrs"] - 95), v["qrs"] + 12, 122), 205)
    elif c.block == "irbbb":
        v["qrs"] = min(max(v["qrs"] + 9, 92), 119)
    elif c.av == "avb3":
        v["qrs"] = max(v["qrs"], 95 + 45 * float(chance[ESCAPE]))
    if c.delta:
        v["pr"], v["qrs"] = 85 + 30 * float(chance[ESCAPE]), 115 + 25 * float(chance[DELTA])
    if c.kind in (SVT, VT):  # the middle nine tenths of 572 SVT: 134 to 206 (chapman_diagnostics)
        v["rate"] = 140 + 60 * float(chance[FAST])
    if c.block == "paced" and c.kind == SINUS:
        v["pr"] = 130 + 70 * float(chance[ESCAPE])
        v["p_ms"] = min(v["p_ms"], v["pr"] - 8)
    elif c.kind == SINUS:  # P must end before QRS begins
        v["p_ms"] = min(v["p_ms"], v["pr"] - 8) - max(0.0, (v["rate"] - 90) * 0.25)
        v["pr"] -= max(0.0, (v["rate"] - 80) * 0.25)
    return Morphology(v, m.applied, m.own)


def qt_interval(qtc: float, rr: float) -> float:
    """Seconds, from Fridericia's QTc (ms) and RR (s).

    At high rates T would otherwise run into the next P, which real hearts shorten more to avoid.
    """
    return float(min(qtc / 1000 * rr ** (1 / 3), 0.30 + 0.28 * rr + 0.0006 * max(qtc - 420, 0)))


def ventricular(c: Conduction, m: Morphology, body: Body, qt: float) -> Waves:
    """QRS to U of a beat of this conduction, in the patient's true leads."""
    block = "lbbb" if c.av == "avb3" and m["qrs"] > 120 and c.block in ("", "irbbb") else c.block
    if block == "vt":
        block = body.focus
    name = block if block in ("lbbb", "rbbb") else "lafb" if c.lafb else "normal"
    shape = body.shape[name]
    if name == "rbbb" and c.lafb:  # bifascicular: the fascicle's difference on top of the bundle's beat
        shape = shape + body.gain[:, None] * 0.8 * (shapes()["lafb"][0] - shapes()["normal"][0])
    return beats.ventricles(m, shape, body, qt, block, c.lpfb, c.delta)


def atrial(m: Morphology, body: Body) -> Waves:
    """The P wave, in the patient's true leads."""
    return beats.p_wave(m, body.shape["normal"], body)


def draw_tracing(
    streams: Streams, patient: Patient, stay: Stay, body: Body, drawn: Morphology, chance: np.ndarray | None = None
) -> Tracing:
    """The ECG of this state. chance: decides what of rhythm and conduction shows, if not its own numbers."""
    chance = chances(streams("conduction")) if chance is None else chance
    c = draw_conduction(chance, stay)
    m = conducted(chance, c, drawn)
    rhythm = _rhythm(streams("rhythm"), c, m, stay, patient, body)
    intervals = rhythm.before[(rhythm.qrs > 0) & (rhythm.qrs < SAMPLES / RATE)]
    rr = float(np.mean(intervals))
    qt = qt_interval(m["qtc"], rr)
    waves = ventricular(c, m, body, qt)
    mix, fault = placement(streams("placement"), body)
    eight = mix @ _heart(streams, rhythm, c, m, body, waves, qt, rr)
    clean = waves.eight.astype(np.float32) @ profiles(
        waves, np.array([0.2]), np.ones(1), np.ones((1, len(waves.center))), RATE, 500
    )
    noisy, broken = leads.recorded(streams("noise"), eight, RATE)
    return Tracing(leads.twelve(noisy).astype(np.float32), leads.twelve(clean), rhythm, c, m, qt, 60 / rr, intervals,
                   mix, fault or broken)  # fmt: skip


def _heart(
    streams: Streams, rhythm: Rhythm, c: Conduction, m: Morphology, body: Body, waves: Waves, qt: float, rr: float
) -> np.ndarray:
    """[8, SAMPLES] mV without noise, in the patient's true leads."""
    rng = streams("beats")
    respiration, phase = float(rng.uniform(0.2, 0.33)), float(rng.uniform(0, 6.28))

    def gains(onset: np.ndarray, count: int, spread: float) -> np.ndarray:
        breath = 1 + 0.035 * np.sin(2 * np.pi * respiration * onset + phase)
        return breath[:, None] * (1 + rng.normal(0, spread, (len(onset), count)))

    def add(part: Waves, onset: np.ndarray, stretch: np.ndarray, spread: float = 0.03) -> np.ndarray:
        times = profiles(part, onset, stretch, gains(onset, len(part.center), spread), RATE, SAMPLES)
        return np.asarray(part.eight.astype(np.float32) @ times)

    normal = ~rhythm.ectopic
    # QT follows the last interval only in part.
    eight = add(waves, rhythm.qrs[normal], np.clip((rhythm.before[normal] / rr) ** 0.18, 0.85, 1.12))
    if rhythm.ectopic.any():
        wide = Morphology({**m.values, "qrs": 155.0, "scoop": 0.0})
        pvc = beats.ventricles(wide, body.shape["normal"], body, qt * 1.06, body.focus)
        at = rhythm.qrs[rhythm.ectopic]
        eight += add(pvc, at, np.ones(len(at)))
    atria = streams("atria")
    if len(rhythm.p):
        eight += add(atrial(m, body), rhythm.p, np.ones(len(rhythm.p)), 0.15)
    elif rhythm.kind == AFIB:
        size = float(np.exp(atria.normal(-3.6, 0.5)))
        eight += leads.fibrillatory(atria, body.leads, rhythm.atrial_rate, size, RATE, SAMPLES)
    elif rhythm.kind == AFLT:
        size = float(atria.uniform(0.08, 0.22))
        eight += leads.flutter_waves(atria, body.leads, rhythm.atrial_rate, size, RATE, SAMPLES)
    if c.block == "paced":
        spikes = ((rhythm.qrs - 0.004) * RATE).astype(int)
        spikes = spikes[(spikes >= 0) & (spikes < SAMPLES)]
        eight[:, spikes] += (body.leads @ (np.array([0.2, 0.9, 0.2]) * float(atria.uniform(0.1, 1.0))))[:, None]
    return eight
