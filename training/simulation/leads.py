"""From dipoles to the twelve leads, and what electrodes add.

Lead vectors after Dower (a transformation of the Frank leads; Dower, Machado, Osborne, Clin Cardiol 1980), changed a
little from patient to patient and from one electrode placement to the next. Noise is added at the nine electrodes, so
that the limb leads stay consistent: III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2.
"""

from __future__ import annotations

import numpy as np

# Rows: I, II, V1 to V6; columns: the dipole's X, Y, Z.
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)


def patient_leads(rng: np.random.Generator) -> np.ndarray:
    """[8, 3] a patient's own lead vectors: torso shape and the heart's place in it."""
    turn = np.deg2rad(rng.normal(0, 9))  # about the body's long axis: rotation of the heart
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    gain = np.exp(rng.normal(0, 0.10, (8, 1)))
    return np.asarray((DOWER * gain + rng.normal(0, 0.05, (8, 3))) @ rotation)


def placed(rng: np.random.Generator, leads: np.ndarray) -> np.ndarray:
    """[8, 3] the same with this recording's chest electrodes a little higher, lower or to the side."""
    out = leads.copy()
    slide = rng.normal(0, 0.13, 6) + rng.normal(0, 0.08)
    neighbour = np.clip(np.arange(6) + np.where(slide > 0, 1, -1), 0, 5)
    out[2:] += np.abs(slide)[:, None] * (leads[2:][neighbour] - leads[2:])
    out[2:, 1] += rng.normal(0, 0.09)  # rows of electrodes too high or too low
    return out


def twelve(eight: np.ndarray) -> np.ndarray:
    """[12, samples] in standard order from [8, samples] of I, II, V1..V6."""
    one, two = eight[0], eight[1]
    return np.concatenate([
        np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]), eight[2:],
    ])  # fmt: skip


def fibrillatory(
    rng: np.random.Generator, leads: np.ndarray, hertz: float, size: float, rate: float, samples: int
) -> np.ndarray:
    """[8, samples] f waves: two wandering sources with harmonics, largest in V1; size in mV."""
    t = np.arange(samples, dtype=np.float32) / rate
    out = np.zeros((8, samples), np.float32)
    for vector in ((-0.55, 0.30, -0.75), (-0.1, 0.8, 0.1)):
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
    """[8, samples] sawtooth: slow down, quick up in II, III, aVF; upright in V1; size in mV."""
    t = np.arange(samples) / rate
    phase = (hertz * t + rng.uniform()) % 1.0
    tooth = np.where(phase < 0.68, 0.5 - phase / 0.68, -0.5 + (phase - 0.68) / 0.32)
    tooth += 0.25 * np.sin(2 * np.pi * phase)
    return np.outer(leads @ np.array([-0.30, 0.95, -0.25]), size * tooth).astype(np.float32)


def noise(rng: np.random.Generator, rate: float, samples: int) -> np.ndarray:
    """[8, samples] mV: baseline wander with breathing, mains, muscle and electrode noise; loud in few recordings."""
    t = np.arange(samples, dtype=np.float32) / rate
    frequency = np.concatenate([rng.uniform(0.03, 0.5, 5), [rng.normal(0.27, 0.04)]])
    start = rng.uniform(0, 6.28, (6, 1)).astype(np.float32)
    basis = np.sin(2 * np.pi * frequency[:, None].astype(np.float32) * t + start)
    wander = float(np.exp(rng.normal(-3.7, 0.7)))
    electrodes = ((rng.normal(0, wander, (9, 6)) / (0.5 + 2 * frequency)).astype(np.float32)) @ basis
    mains = float(np.exp(rng.normal(-6.8, 1.0)))
    electrodes += rng.normal(0, mains, (9, 1)).astype(np.float32) * np.sin(2 * np.pi * 60 * t + 1.0)
    white = rng.standard_normal((9, samples), dtype=np.float32)
    muscle = np.exp(rng.normal(-5.2, 0.6) + rng.normal(0, 0.35, 9)).astype(np.float32)[:, None]
    envelope = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.05, 0.3) * t + rng.uniform(0, 6.28)).astype(np.float32)
    # Band of a cart's 150 Hz filter, roughly: the mean of two neighbouring samples.
    coloured = 0.65 * white + 0.65 * np.roll(white, 1, axis=1)
    electrodes += muscle * envelope * coloured
    if rng.random() < 0.04:  # an electrode that moves
        which, at = int(rng.integers(9)), float(rng.uniform(0.5, 9))
        step = float(rng.normal(0, 0.5)) * np.exp(-np.maximum(t - at, 0) / 0.5) * (t > at)
        electrodes[which] += step.astype(np.float32)
    right_arm, left_arm, foot = electrodes[0], electrodes[1], electrodes[2]
    centre = (right_arm + left_arm + foot) / 3
    return np.concatenate([np.stack([left_arm - right_arm, foot - right_arm]), electrodes[3:] - centre])
