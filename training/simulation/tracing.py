"""One ECG: rhythm and conduction from the state, waves from the morphology, noise from the electrodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.simulation import beats, leads
from training.simulation.effects import Morphology
from training.simulation.rhythm import AFIB, AFLT, Rhythm, fibrillation, flutter, paced, sinus
from training.simulation.state import Patient, Stay

RATE = 500
SAMPLES = 5000
# How often an ECG shows a chronic condition that is present (intermittent block, paroxysms, pacing on demand).
SHOWN = {
    "lbbb": 0.93, "rbbb": 0.92, "lafb": 0.85, "lpfb": 0.80, "wpw": 0.80, "aflutter": 0.60, "avb2": 0.70, "avb3": 0.80,
    "pacemaker": 0.65, "ventricular_ectopy": 0.65,
}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """What a patient brings to every tracing: lead vectors [8, 3], factors of the five QRS vectors, irregularity."""

    leads: np.ndarray
    loop: np.ndarray
    irregular: float
    ectopy_left: bool


@dataclass(frozen=True)
class Conduction:
    """What the tracing shows: rhythm kind, block ("", lbbb, rbbb, irbbb, paced), fascicles, delta wave, AV block."""

    kind: str
    block: str
    lafb: bool
    lpfb: bool
    delta: bool
    av: str


@dataclass(frozen=True)
class Tracing:
    """signal: [12, SAMPLES] mV in standard lead order; beat: [12, 500] the noiseless beat, QRS onset at 200 ms.

    qt: seconds as drawn, at the mean RR; rr: [intervals] s.
    """

    signal: np.ndarray
    beat: np.ndarray
    rhythm: Rhythm
    conduction: Conduction
    morphology: Morphology
    qt: float
    rate: float
    rr: np.ndarray


def draw_body(rng: np.random.Generator) -> Body:
    loop = np.exp(rng.normal(0, 1, 5) * np.array([0.40, 0.30, 0.12, 0.22, 0.45]))
    return Body(leads.patient_leads(rng), loop, float(np.exp(rng.normal(0, 0.5))), bool(rng.random() < 0.4))


def draw_conduction(rng: np.random.Generator, stay: Stay) -> Conduction:
    """Which of the conditions of rhythm and conduction this recording shows, and a few incidental ones."""
    chance = rng.random(14)
    shows = {name: name in stay.active and chance[i] < p for i, (name, p) in enumerate(SHOWN.items())}
    kind = "sinus"
    if "afib" in stay.active:
        severity = stay.active["afib"]
        if chance[10] < (0.40 if severity < 0.4 else 0.95):
            kind = AFIB
    elif shows["aflutter"] or chance[11] < 0.002:
        kind = AFLT
    block = "paced" if shows["pacemaker"] else "lbbb" if shows["lbbb"] else "rbbb" if shows["rbbb"] else ""
    if not block and chance[12] < 0.035 + (0.06 if "pulmonary_embolism" in stay.active else 0.0):
        block = "irbbb"  # PE: 4.8 against 2.8 %, n=6049
    free = block in ("", "rbbb", "irbbb")
    av = "avb3" if shows["avb3"] else "avb2" if shows["avb2"] else ""
    if kind != "sinus" or block == "paced":
        av = ""
    lafb = free and (shows["lafb"] or chance[13] < 0.008)
    return Conduction(kind, block, lafb, free and shows["lpfb"] and not lafb,
                      free and shows["wpw"] and kind == "sinus", av)  # fmt: skip


def _rhythm(rng: np.random.Generator, c: Conduction, m: Morphology, stay: Stay, patient: Patient, body: Body) -> Rhythm:
    often = "ventricular_ectopy" in stay.active
    pvcs = int(rng.poisson(1.8)) if often and rng.random() < SHOWN["ventricular_ectopy"] else int(rng.random() < 0.025)
    pacs = int(rng.poisson(1.2)) if rng.random() < (0.20 if "afib" in stay.active or patient.age > 75 else 0.05) else 0
    if c.block == "paced":
        return paced(rng, float(rng.uniform(60, 85)), atrial=c.kind == "sinus" and rng.random() < 0.6)
    if c.kind == AFIB:
        return fibrillation(rng, float(np.clip(m["rate"] * rng.lognormal(0.1, 0.18), 45, 175)))
    if c.kind == AFLT:
        return flutter(rng, float(np.clip(m["rate"] * rng.lognormal(0.22, 0.3), 60, 150)))
    return sinus(rng, m["rate"], m["pr"] / 1000, patient.age, body.irregular, c.av, pvcs, pacs)


def _conducted(c: Conduction, m: Morphology, rng: np.random.Generator) -> None:
    """A blocked bundle or a pacemaker sets the QRS duration and a bypass shortens PR, whatever the baseline says."""
    wide = {"lbbb": (148, 11), "rbbb": (136, 11), "paced": (160, 13)}
    if c.block in wide:
        m.values["qrs"] = float(np.clip(rng.normal(*wide[c.block]) + 0.4 * (m["qrs"] - 92), 122, 205))
    elif c.block == "irbbb":
        m.values["qrs"] = float(np.clip(m["qrs"] + 11, 92, 118))
    elif c.av == "avb3":
        m.values["qrs"] = max(m["qrs"], float(rng.uniform(95, 140)))
    if c.delta:
        m.values["pr"], m.values["qrs"] = float(rng.uniform(85, 115)), float(rng.uniform(115, 140))
    if c.kind == "sinus":  # P must end before QRS begins
        m.values["p_ms"] = min(m["p_ms"], m["pr"] - 8)
        m.values["p_ms"] -= max(0.0, (m["rate"] - 90) * 0.25)
        m.values["pr"] -= max(0.0, (m["rate"] - 80) * 0.25)


def draw_tracing(rng: np.random.Generator, patient: Patient, stay: Stay, body: Body, m: Morphology) -> Tracing:
    """The ECG of this state; `m` is completed in place with what conduction dictates."""
    c = draw_conduction(rng, stay)
    _conducted(c, m, rng)
    rhythm = _rhythm(rng, c, m, stay, patient, body)
    inside = (rhythm.qrs > 0) & (rhythm.qrs < SAMPLES / RATE)
    intervals = rhythm.before[inside]
    rr = float(np.mean(intervals))
    # Fridericia; at high rates T would otherwise run into the next P, which real hearts shorten more to avoid.
    qt = min(m["qtc"] / 1000 * rr ** (1 / 3), 0.30 + 0.28 * rr + 0.0006 * max(m["qtc"] - 420, 0))
    block = "lbbb" if c.av == "avb3" and m["qrs"] > 120 else c.block
    vectors = leads.placed(rng, body.leads)
    waves = beats.ventricles(m, body.loop, qt, block, c.lafb, c.lpfb, c.delta)
    local = 1 + rng.normal(0, 0.07, (8, 1))  # near fields under a chest electrode that no single dipole gives
    local[:2] = 1
    respiration, phase = float(rng.uniform(0.2, 0.33)), float(rng.uniform(0, 6.28))

    def gains(onset: np.ndarray, count: int) -> np.ndarray:
        breath = 1 + 0.035 * np.sin(2 * np.pi * respiration * onset + phase)
        return breath[:, None] * (1 + rng.normal(0, 0.03, (len(onset), count)))

    normal = ~rhythm.ectopic
    onset, before = rhythm.qrs[normal], rhythm.before[normal]
    stretch = np.clip((before / rr) ** 0.18, 0.85, 1.12)  # QT follows the last interval only in part
    eight = (local * (vectors @ waves.vector.T)).astype(np.float32) @ beats.profiles(
        waves, onset, stretch, gains(onset, len(waves.centre)), RATE, SAMPLES
    )
    if rhythm.ectopic.any():
        wide = Morphology({**m.values, "qrs": 150.0, "scoop": 0.0})
        pvc = beats.ventricles(wide, body.loop, qt * 1.06, "pvc_left" if body.ectopy_left else "pvc_right")
        at = rhythm.qrs[rhythm.ectopic]
        eight += (vectors @ pvc.vector.T).astype(np.float32) @ beats.profiles(
            pvc, at, np.ones(len(at)), gains(at, len(pvc.centre)), RATE, SAMPLES
        )
    atrial = beats.p_wave(m)
    if len(rhythm.p):
        eight += (vectors @ atrial.vector.T).astype(np.float32) @ beats.profiles(
            atrial, rhythm.p, np.ones(len(rhythm.p)), gains(rhythm.p, 2), RATE, SAMPLES
        )
    elif rhythm.kind == AFIB:
        size = float(np.exp(rng.normal(-3.3, 0.45)))
        eight += leads.fibrillatory(rng, vectors, rhythm.atrial_rate, size, RATE, SAMPLES)
    elif rhythm.kind == AFLT:
        eight += leads.flutter_waves(rng, vectors, rhythm.atrial_rate, float(rng.uniform(0.10, 0.26)), RATE, SAMPLES)
    if c.block == "paced":
        spikes = ((rhythm.qrs - 0.004) * RATE).astype(int)
        spikes = spikes[(spikes >= 0) & (spikes < SAMPLES)]
        eight[:, spikes] += (vectors @ (np.array([0.2, 0.9, 0.2]) * float(rng.uniform(0.2, 1.3))))[:, None]
    clean = (local * (vectors @ waves.vector.T)).astype(np.float32) @ beats.profiles(
        waves, np.array([0.2]), np.ones(1), np.ones((1, len(waves.centre))), RATE, 500
    )
    signal = leads.twelve(eight + leads.noise(rng, RATE, SAMPLES))
    return Tracing(signal.astype(np.float32), leads.twelve(clean), rhythm, c, m, qt, 60 / rr, intervals)
