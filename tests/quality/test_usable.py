"""Junk must be refused and real recordings must not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from scipy.ndimage import gaussian_filter1d

from ecgkt.ecg import ECG, INDEPENDENT, LEADS, derived_limb_leads
from ecgkt.measurements.delineation import delineate
from ecgkt.quality.usable import assess, clipped_share
from ecgkt.readers import read

Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def real() -> ECG:
    return read(get_testdata_file("waveform_ecg.dcm", download=False))


def changed(ecg: ECG, change: Change) -> ECG:
    return ECG(change(ecg.signal.copy()).astype(np.float32), ecg.rate)


def lead_off(signal: np.ndarray) -> np.ndarray:
    signal[8] = 0.01
    return signal


def gap(signal: np.ndarray) -> np.ndarray:
    signal[:, 2000:5000] = np.nan
    return signal


def test_a_real_recording_passes(real: ECG) -> None:
    assert assess(real).ok
    short_gap = real.signal.copy()
    short_gap[6, 500:900] = np.nan
    assert assess(ECG(short_gap, real.rate)).ok
    assert assess(ECG(real.signal * np.linspace(0.5, 2, 12, dtype=np.float32)[:, None], real.rate)).ok


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda s: s[:, :4000], "long"),
        (lambda s: s * 0, "no signal"),
        (lambda s: s * 0 + 0.3, "no signal"),
        (lambda s: s * np.nan, "no signal"),
        (lead_off, "V3"),
        (gap, "missing"),
        (lambda s: np.clip(s, -0.1, 0.1), "clipped"),
        (lambda s: s * 1000, "unit"),
        (lambda s: s / 30, "unit"),
        (lambda s: np.repeat(s[1:2], 12, axis=0), "same signal"),
        (lambda s: np.outer(np.linspace(-2, 2.1, 12), s[1]), "same signal"),
        (lambda s: s[[1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]], "inconsistent"),
    ],
)
def test_junk_is_refused_with_its_reason(real: ECG, change: Change, word: str) -> None:
    quality = assess(changed(real, change))
    assert not quality.ok
    assert word in " ".join(quality.reasons).lower() or word in " ".join(quality.reasons)


@pytest.mark.parametrize("width", [0.0, 2.0, 10.0, 30.0])
def test_noise_of_any_color_is_refused(width: float) -> None:
    rng = np.random.default_rng(int(width))
    signal = rng.standard_normal((12, 5000))
    signal = gaussian_filter1d(signal, width, axis=1) if width else signal
    signal[2] = signal[1] - signal[0]  # even noise that agrees with Einthoven
    signal *= 0.3 / signal.std()
    assert not assess(ECG(signal.astype(np.float32), 500.0)).ok


@pytest.mark.parametrize("frequency", [1.2, 10.0, 50.0])
def test_a_sine_is_no_ecg(frequency: float) -> None:
    time = np.arange(5000) / 500
    signal = np.stack([np.sin(2 * np.pi * frequency * time + 0.3 * k) for k in range(12)])
    signal[2] = signal[1] - signal[0]
    assert not assess(ECG(signal.astype(np.float32), 500.0)).ok


@pytest.mark.slow
def test_real_recordings_pass_unless_a_lead_is_off(shared: Path) -> None:
    for pattern, step in (("cinc/*.hea", 9), ("ludb/data/*.hea", 15), ("ptbxl/records100/*/*.hea", 100)):
        for file in sorted(shared.glob(pattern))[::step]:
            quality = assess(read(file))
            assert quality.ok or quality.reasons[0].startswith("No signal in"), quality.reasons


def test_a_last_value_that_is_held_is_no_clipping() -> None:
    rng = np.random.default_rng(1)
    row = rng.standard_normal(5000)
    held, inside = row.copy(), row.copy()
    held[-60:] = inside[2000:2060] = row.max() + 1
    assert clipped_share(held, 500.0) == 0
    assert clipped_share(held[::-1], 500.0) == 0
    assert clipped_share(inside, 500.0) == 60 / 5000
    held[-600:] = row.max() + 1  # a lead that saturates and stays there
    assert clipped_share(held, 500.0) == 600 / 5000


def wide_tachycardia(rate: float, away: float) -> ECG:
    """A wave of 160 ms `rate` times a minute, which runs alike in all leads but for a share `away` of another."""
    rng = np.random.default_rng(0)
    phase = np.arange(5000) / 500 % (60 / rate)
    one, other, t = (np.exp(-(((phase - at) / sd) ** 2) / 2) for at, sd in ((0.14, 0.035), (0.20, 0.03), (0.32, 0.05)))
    eight = rng.uniform(0.5, 1.2, (8, 1)) * (one - 0.35 * t) + away * rng.standard_normal((8, 1)) * other
    signal = np.zeros((12, 5000))
    signal[[LEADS.index(lead) for lead in INDEPENDENT]] = eight + 0.004 * rng.standard_normal((8, 5000))
    for lead, row in derived_limb_leads(signal[0], signal[1]).items():
        signal[LEADS.index(lead)] = row
    return ECG(signal.astype(np.float32), 500.0)


def test_a_wide_tachycardia_is_read_though_its_leads_run_alike() -> None:
    """As ventricular tachycardia may; the same waves at 70 a minute are one lead copied."""
    fast, slow = wide_tachycardia(120, 0.2), wide_tachycardia(70, 0.2)
    assert delineate(fast).is_wide_tachycardia
    assert not delineate(slow).is_wide_tachycardia
    assert assess(fast).ok
    assert "same signal" in " ".join(assess(slow).reasons)
    assert "same signal" in " ".join(assess(wide_tachycardia(120, 0.05)).reasons), "nothing is that much alike"
