"""From eight leads to twelve, what fibrillating or fluttering atria draw, and what electrodes add.

Noise is added at the nine electrodes, so that the limb leads stay consistent.
"""

from __future__ import annotations

import numpy as np

from ecgkt.ecg import LEADS, derived_limb_leads


def twelve(eight: np.ndarray) -> np.ndarray:
    """[12, samples] in standard order from [8, samples] of I, II, V1..V6."""
    derived = derived_limb_leads(eight[0], eight[1])
    return np.concatenate([eight[:2], np.stack([derived[lead] for lead in LEADS[2:6]]), eight[2:]])


def fibrillatory(
    rng: np.random.Generator, leads: np.ndarray, hertz: float, size: float, rate: float, samples: int
) -> np.ndarray:
    """[8, samples] f waves: two wandering sources with harmonics, largest in V1; size in mV."""
    t = np.arange(samples, dtype=np.float32) / rate
    out = np.zeros((8, samples), np.float32)
    for vector in ((-0.45, 0.20, -0.75), (0.0, 0.40, 0.0)):
        wander = rng.uniform(0.25, 0.6) * np.sin(2 * np.pi * rng.uniform(0.08, 0.4) * t + rng.uniform(0, 6.28)) / 0.2
        wander += np.cumsum(rng.normal(0, 0.05, samples)).astype(np.float32)
        phase = 2 * np.pi * hertz * rng.uniform(0.93, 1.07) * t + wander * 0.5
        course = np.sin(phase) + 0.45 * np.sin(2 * phase + 0.8) + 0.2 * np.sin(3 * phase + 2)
        strength = size * (1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * t + rng.uniform(0, 6.28)))
        out += np.outer(leads @ np.array(vector), strength * course).astype(np.float32)
    return out


def flutter_waves(
    rng: np.random.Generator, leads: np.ndarray, hertz: float, size: float, rate: float, samples: int
) -> np.ndarray:
    """[8, samples] sawtooth: slow down, quick up in II, III, aVF, and half as large in V1; size in mV."""
    t = np.arange(samples) / rate
    phase = (hertz * t + rng.uniform()) % 1.0
    tooth = np.where(phase < 0.68, 0.5 - phase / 0.68, -0.5 + (phase - 0.68) / 0.32)
    tooth += 0.25 * np.sin(2 * np.pi * phase)
    return np.outer(leads @ np.array([-0.30, 0.95, -0.25]), size * tooth).astype(np.float32)


def recorded(rng: np.random.Generator, eight: np.ndarray, rate: float) -> tuple[np.ndarray, str]:
    """([8, samples] as the cart stores it, "" or the fault): noise, rarely an amplifier at its limit or a lead off."""
    out = eight + noise(rng, rate, eight.shape[1])
    chance, lead = rng.random(), int(rng.integers(2, 8))
    if chance < 0.003:
        out[lead] = np.clip(out[lead], *np.quantile(out[lead], [0.004, 0.985]))
        return out, "clipped"
    if chance < 0.006:
        begin = int(rng.uniform(0, 0.9) * out.shape[1])
        out[lead, begin : begin + int(rng.uniform(0.5, 4) * rate)] = float(rng.normal(0, 0.02))
        return out, "lead_off"
    return out, ""


def noise(rng: np.random.Generator, rate: float, samples: int) -> np.ndarray:
    """[8, samples] mV: baseline wander with breathing, mains, muscle and motion; loud in few recordings.

    Levels were set against the beat-to-beat spread and the spectra of real recordings (benchmarks/simulation.md).
    """
    t = np.arange(samples, dtype=np.float32) / rate
    frequency = np.concatenate([rng.uniform(0.03, 0.5, 5), [rng.normal(0.27, 0.04)]])
    start = rng.uniform(0, 6.28, (6, 1)).astype(np.float32)
    basis = np.sin(2 * np.pi * frequency[:, None].astype(np.float32) * t + start)
    wander = float(np.exp(rng.normal(-4.0, 0.7)))
    electrodes = ((rng.normal(0, wander, (9, 6)) / (0.5 + 2 * frequency)).astype(np.float32)) @ basis
    mains = float(np.exp(rng.normal(-6.8, 1.0)))
    electrodes += rng.normal(0, mains, (9, 1)).astype(np.float32) * np.sin(2 * np.pi * 60 * t + 1.0)
    white = rng.standard_normal((9, samples), dtype=np.float32)
    envelope = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.05, 0.3) * t + rng.uniform(0, 6.28)).astype(np.float32)
    # Muscle within the band of a cart's 150 Hz filter, roughly: the mean of two neighboring samples.
    limbs = np.array([1.2, 1.2, 0.8, 0, 0, 0, 0, 0, 0])  # arms tremble more than the chest
    muscle = np.exp(rng.normal(-7.2, 0.6) + limbs + rng.normal(0, 0.3, 9)).astype(np.float32)[:, None]
    electrodes += muscle * envelope * 0.65 * (white + np.roll(white, 1, axis=1))
    # Tremor and motion: below some 25 Hz, from straight lines between random heights 20 ms apart (variance 2/3).
    tremor = np.exp(rng.normal(-5.6, 0.45) + 0.7 * limbs + rng.normal(0, 0.25, 9)).astype(np.float32)[:, None, None]
    heights = tremor / np.float32(0.816) * rng.standard_normal((9, samples // 10 + 2, 1), dtype=np.float32)
    along = np.arange(10, dtype=np.float32) / 10
    electrodes += (heights[:, :-1] * (1 - along) + heights[:, 1:] * along).reshape(9, -1)[:, :samples]
    if rng.random() < 0.06:  # an electrode that moves
        which, at = int(rng.integers(9)), float(rng.uniform(0.5, 9))
        step = float(rng.normal(0, 0.5)) * np.exp(-np.maximum(t - at, 0) / 0.5) * (t > at)
        electrodes[which] += step.astype(np.float32)
    right_arm, left_arm, foot = electrodes[0], electrodes[1], electrodes[2]
    center = (right_arm + left_arm + foot) / 3
    return np.concatenate([np.stack([left_arm - right_arm, foot - right_arm]), electrodes[3:] - center])
