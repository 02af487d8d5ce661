"""Tracings that a reader lets through and no patient has: by name, a function that makes one from a real tracing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecgkt.ecg import ECG, LEADS, FloatArray

Change = Callable[[FloatArray], FloatArray]
HEIGHTS = np.linspace(0.3, 1.5, len(LEADS))[:, None]  # mV, a lead each: leads that are all alike are refused


def at(ecg: ECG, rate: float, seconds: float, change: Change | None = None) -> ECG:
    """The tracing's samples over and over, the nearest in time, so with its own steps; changed."""
    index = (np.arange(int(rate * seconds)) * ecg.rate / rate).astype(int) % ecg.samples
    signal = np.nan_to_num(ecg.signal)[:, index]
    changed = signal if change is None else change(signal)
    return ECG(changed.astype(np.float32), rate, ecg.age, ecg.sex)


def short(ecg: ECG, samples: int, rate: float = 500.0) -> ECG:
    return at(ecg, rate, (samples + 0.5) / rate)


def time_of(signal: FloatArray, rate: float) -> FloatArray:
    return (np.arange(signal.shape[1]) / rate).astype(np.float32)


def shaped(rate: float, shape: Callable[[FloatArray], FloatArray]) -> Change:
    """All leads one shape of the time in s, at heights of their own."""
    return lambda signal: (shape(time_of(signal, rate)) * HEIGHTS).astype(np.float32)


def spikes(every: int) -> Change:
    return lambda signal: (HEIGHTS * (np.arange(signal.shape[1]) % every == 0)).astype(np.float32)


def blunt(time: FloatArray, a_second: int) -> FloatArray:
    """Triangles 8 ms wide."""
    return np.clip(1 - np.abs((time * a_second) % 1 - 0.5) / a_second / 0.004, 0, None).astype(np.float32)


def lost(where: Callable[[FloatArray], np.ndarray]) -> Change:
    """NaN where `where` says so."""
    return lambda signal: np.where(where(signal), np.nan, signal).astype(np.float32)


def dice(signal: FloatArray) -> np.ndarray:
    return np.random.default_rng(1).random(signal.shape)


def wander(signal: FloatArray) -> FloatArray:
    return (np.random.default_rng(2).standard_normal(signal.shape).cumsum(axis=1) * 0.01).astype(np.float32)


def only(signal: FloatArray, *leads: str) -> FloatArray:
    return np.where(np.isin(LEADS, leads)[:, None], signal, 0).astype(np.float32)


STRANGE: dict[str, Callable[[ECG], ECG]] = {
    **{f"{n} samples": lambda e, n=n: short(e, n) for n in (2, 3, 10, 49, 50, 249, 499, 500, 700, 1500)},  # type: ignore[misc]
    "2 samples of one level": lambda e: at(e, 500.0, 0.005, lambda s: s * 0 + HEIGHTS),
    "20 samples at 2000 Hz": lambda e: short(e, 20, 2000.0),
    **{f"{r} Hz": lambda e, r=r: at(e, r, 10) for r in (50.0, 50.0001, 62.5, 99.999, 123.456, 997.0, 1999.99)},  # type: ignore[misc]
    "a minute at 2000 Hz": lambda e: at(e, 2000.0, 60),
    "a minute at 1999.9 Hz": lambda e: at(e, 1999.9, 60),
    "a minute at 50 Hz": lambda e: at(e, 50.0, 60),
    # Below 100 Hz samples may jump; above, what jumps as no ECG does is refused by the readers.
    **{f"a spike every {n} samples": lambda e, n=n: at(e, 99.0, 60, spikes(n)) for n in (2, 20, 200)},  # type: ignore[misc]
    **{
        f"{n} blunt spikes a second": lambda e, n=n: at(e, 2000.0, 60, shaped(2000.0, lambda t: blunt(t, n)))  # type: ignore[misc]
        for n in (1, 7, 50)
    },
    "noise": lambda e: at(e, 99.0, 60, lambda s: dice(s) - 0.5),
    "the largest that is read, up and down": lambda e: at(
        e, 99.0, 60, lambda s: np.where(np.arange(s.shape[1]) % 2, 999, -999) * HEIGHTS / 1.5
    ),
    "one spike": lambda e: at(e, 500.0, 10, shaped(500.0, lambda t: blunt(t / 10, 1))),
    "wandering": lambda e: at(e, 2000.0, 60, wander),
    "flat": lambda e: at(e, 500.0, 10, lambda s: s * 0),
    "flat for a minute": lambda e: at(e, 2000.0, 60, lambda s: s * 0),
    "a hundred thousand times too small": lambda e: at(e, 500.0, 10, lambda s: s * np.float32(1e-5)),
    "denormal": lambda e: at(e, 2000.0, 60, lambda s: s * np.float32(1e-38)),
    "denormal at its end": lambda e: at(e, 2000.0, 60, lambda s: np.where(time_of(s, 2000.0) < 2, s, 1e-40)),
    "at 999 mV": lambda e: at(e, 500.0, 10, lambda s: s + 999),
    "as tall as is read": lambda e: at(e, 500.0, 10, lambda s: np.clip(1000 * s, -999, 999)),
    "one lead drifting to 999 mV": lambda e: at(
        e, 500.0, 10, lambda s: s + np.eye(12, dtype=np.float32)[1][:, None] * 99.9 * time_of(s, 500.0)
    ),
    "all lost": lambda e: at(e, 500.0, 10, lost(lambda s: s == s)),
    "all but one sample lost": lambda e: at(e, 500.0, 10, lost(lambda s: np.arange(s.shape[1]) != 7)),
    "a thousandth lost": lambda e: at(e, 500.0, 10, lost(lambda s: dice(s) < 0.001)),
    "half lost": lambda e: at(e, 500.0, 10, lost(lambda s: dice(s) < 0.5)),
    "nearly all lost": lambda e: at(e, 500.0, 10, lost(lambda s: dice(s) < 0.999)),
    "every second sample lost": lambda e: at(e, 2000.0, 60, lost(lambda s: np.arange(s.shape[1]) % 2 == 0)),
    "lost in blocks": lambda e: at(e, 2000.0, 60, lost(lambda s: np.arange(s.shape[1]) // 50 % 2 == 0)),
    "its first half lost": lambda e: at(e, 500.0, 10, lost(lambda s: time_of(s, 500.0) < 5)),
    "a lead lost": lambda e: at(e, 500.0, 10, lost(lambda s: np.arange(12)[:, None] == 1)),
    "chest leads lost": lambda e: at(e, 500.0, 10, lost(lambda s: np.arange(12)[:, None] > 5)),
    "one lead and nothing else": lambda e: at(e, 500.0, 10, lambda s: only(s, "II")),
    "V1 alone": lambda e: at(e, 500.0, 10, lambda s: only(s, "V1")),
    "pacing spikes everywhere": lambda e: at(e, 2000.0, 60, lambda s: s + 3 * (np.arange(s.shape[1]) % 40 == 0)),
    "pacing of two samples": lambda e: at(e, 1000.0, 60, lambda s: s + 5 * (np.arange(s.shape[1]) % 17 < 2)),
    "a sine of 5 Hz": lambda e: at(e, 2000.0, 60, shaped(2000.0, lambda t: np.sin(2 * np.pi * 5 * t))),
    "a square wave": lambda e: at(e, 500.0, 60, shaped(500.0, lambda t: np.sign(np.sin(2 * np.pi * 5 * t)))),
    "a saw": lambda e: at(e, 500.0, 60, shaped(500.0, lambda t: 3 * t % 1)),
    "steps": lambda e: at(e, 500.0, 60, shaped(500.0, lambda t: np.floor(5 * t) % 7)),
    "300 a minute": lambda e: at(e, 250.0, 60, lambda s: np.tile(s[:, :50], (1, s.shape[1] // 50))),
    "turned upside down": lambda e: at(e, 500.0, 10, lambda s: -s),
    "turned round in time": lambda e: at(e, 500.0, 10, lambda s: s[:, ::-1]),
    "age 0": lambda e: ECG(at(e, 500.0, 10).signal, 500.0, 0.0, "male"),
    "age 130": lambda e: ECG(at(e, 500.0, 10).signal, 500.0, 130.0, None),
}
