"""Simulated tracings with the boundaries of every wave: more long PR intervals, blocks, fast rates and pacing than
patients have, so that the wave network sees enough of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import resample_poly

from ecgkt.ecg import ECG
from ecgkt.measurements.pacing import blanked
from ecgkt.measurements.r_peaks import RATE
from ecgkt.simulation import beats, leads
from ecgkt.simulation import tracing as simulated
from ecgkt.simulation.body import placement
from ecgkt.simulation.effects import Morphology
from ecgkt.simulation.rhythm import AFIB, AFLT, SINUS, Rhythm, fibrillation, flutter, paced, sinus
from ecgkt.simulation.visits import visits

# Share of tracings of each kind; the rest is as the patient has it.
KINDS = {
    "sinus": 0.22, "long PR": 0.18, "fast": 0.13, "avb2": 0.07, "avb3": 0.07, "fibrillation": 0.09, "flutter": 0.06,
    "paced": 0.14,
}  # fmt: skip
BLOCKED = 0.25  # share with a bundle branch block
ECTOPY, ECTOPY_STRETCH, ECTOPY_QRS = 0.15, 1.06, 0.155  # as in ecgkt.simulation.tracing

Waves = list[tuple[float, float]]  # onset, end, s


@dataclass(frozen=True)
class Drawn:
    """signal: [12, samples] mV at RATE."""

    signal: np.ndarray
    p: Waves
    qrs: Waves
    t: Waves


def draw(seed: int, index: int) -> Drawn:
    """The first ECG of patient `index`, in a rhythm of its own choice."""
    visit = next(iter(visits(seed, index)))
    planned = visit.ecgs[0]
    streams, rng = planned.streams, planned.streams("waves")
    chance = simulated.chances(streams("conduction"))
    kind = str(rng.choice([*KINDS, "own"], p=[*KINDS.values(), 1 - sum(KINDS.values())]))
    c, values = simulated.draw_conduction(chance, visit.stay), dict(planned.drawn.values)
    if kind != "own":
        block = str(rng.choice(["lbbb", "rbbb", "irbbb"])) if rng.random() < BLOCKED else c.block
        heart = {"fibrillation": AFIB, "flutter": AFLT}.get(kind, SINUS)
        av = kind if kind.startswith("avb") else ""
        block = "paced" if kind == "paced" else "" if block == "paced" else block
        c = replace(c, kind=heart, av=av, delta=False, block=block, lafb=c.lafb and not block)
    if kind == "long PR":
        values |= {"pr": float(rng.uniform(200, 400)), "rate": float(rng.uniform(45, 100))}
    if kind == "fast":
        values["rate"] = float(rng.uniform(95, 165))
    m = simulated.conducted(chance, c, Morphology(values, planned.drawn.applied, planned.drawn.own))
    if kind == "long PR":
        m = Morphology({**m.values, "pr": values["pr"]}, m.applied, m.own)
    rhythm = _rhythm(rng, c, m, visit.patient.age, visit.body.irregular)
    intervals = rhythm.before[(rhythm.qrs > 0) & (rhythm.qrs < simulated.SAMPLES / simulated.RATE)]
    rr = float(np.mean(intervals)) if len(intervals) else 1.0
    qt = simulated.qt_interval(m["qtc"], rr)
    waves = simulated.ventricular(c, m, visit.body, qt)
    mix, _ = placement(streams("placement"), visit.body)
    eight = mix @ simulated._heart(streams, rhythm, c, m, visit.body, waves, qt, rr)
    twelve = leads.twelve(leads.recorded(streams("noise"), eight, simulated.RATE)[0]).astype(np.float32)
    if c.block == "paced":
        spikes = ((rhythm.qrs - 0.004) * simulated.RATE).astype(int)
        inside = spikes[(spikes > 20) & (spikes < simulated.SAMPLES - 20)]
        twelve = blanked(ECG(twelve, simulated.RATE), inside).signal
    signal = resample_poly(twelve, int(RATE), simulated.RATE, axis=1)
    return Drawn(signal, *_boundaries(rhythm, m, qt, rr))


def _rhythm(rng: np.random.Generator, c: simulated.Conduction, m: Morphology, age: float, irregular: float) -> Rhythm:
    if c.block == "paced":
        rhythm = paced(rng, float(rng.uniform(50, 100)), atrial=True)
        if rng.random() < 0.25:
            return replace(rhythm, kind=AFIB, p=np.zeros(0), atrial_rate=6.0)
        if rng.random() < 0.85:  # follows the atria
            return replace(rhythm, kind=SINUS, p=rhythm.qrs - float(rng.uniform(0.10, 0.30)))
        return replace(rhythm, kind=SINUS, p=np.cumsum(np.full(40, float(rng.uniform(0.5, 0.9)))) - 1)
    if c.kind == AFIB:
        return fibrillation(rng, float(np.clip(m["rate"] * rng.lognormal(0.1, 0.25), 45, 175)))
    if c.kind == AFLT:
        return flutter(rng, float(np.clip(m["rate"] * rng.lognormal(0.22, 0.3), 60, 150)))
    pvcs = int(rng.poisson(1.8)) if rng.random() < ECTOPY else 0
    pacs = int(rng.poisson(1.5)) if rng.random() < ECTOPY else 0
    return sinus(rng, m["rate"], m["pr"] / 1000, age, irregular, c.av, pvcs, pacs)


def _boundaries(rhythm: Rhythm, m: Morphology, qt: float, rr: float) -> tuple[Waves, Waves, Waves]:
    p = [(float(at), float(at) + m["p_ms"] / 1000) for at in rhythm.p]
    qrs, t = [], []
    for at, ectopic, before in zip(rhythm.qrs, rhythm.ectopic, rhythm.before, strict=True):
        qrs.append((float(at), float(at) + (ECTOPY_QRS if ectopic else m["qrs"] / 1000)))
        # As `tracing._heart` stretches the waves that follow QT.
        stretch = 1.0 if ectopic else float(np.clip((before / rr) ** 0.18, 0.85, 1.12))
        end = float(at) + (qt * (ECTOPY_STRETCH if ectopic else 1) + m["st_ms"] / 1000) * stretch
        onset = max(qrs[-1][1], end - beats.T_DOWN * qt - 2.1 * beats.T_LEFT * qt)
        t.append((onset, end))
    return p, qrs, t
