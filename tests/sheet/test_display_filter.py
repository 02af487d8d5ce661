"""The monitor's filter against SciPy's own Butterworth filter, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from ecgkt.ecg import ECG
from ecgkt.sheet.display_filter import filtered, words


def _tone(hertz: float, rate: float = 500.0) -> ECG:
    wave = np.sin(2 * np.pi * hertz * np.arange(int(10 * rate)) / rate)
    return ECG(np.repeat(wave[None].astype(np.float32), 12, axis=0), rate)


@pytest.mark.parametrize(
    ("hertz", "low", "high"), [(0.05, 0, 0.01), (0.5, 0.4, 0.6), (10, 0.98, 1.02), (40, 0.45, 0.55), (150, 0, 0.02)]
)
def test_only_0_5_to_40_hz_pass(hertz: float, low: float, high: float) -> None:
    middle = filtered(_tone(hertz), "monitor").signal[:, 1500:3500]
    assert low <= np.abs(middle).max() <= high


def test_agrees_with_a_butterworth_filter_run_forwards_and_backwards() -> None:
    signal = np.cumsum(np.random.default_rng(0).normal(size=(12, 5000)), axis=1).astype(np.float32) / 50
    expected = signal.astype(float)
    for edge, kind in ((0.5, "highpass"), (40, "lowpass")):
        sos = butter(2, edge, kind, fs=500, output="sos")
        expected = sosfiltfilt(sos, expected, axis=1, padlen=1000)
    ours = filtered(ECG(signal, 500.0), "monitor").signal
    np.testing.assert_allclose(ours[:, 500:-500], expected[:, 500:-500], atol=0.02 * np.abs(expected).max())


def test_as_recorded_is_the_very_same_tracing() -> None:
    ecg = _tone(150)
    assert filtered(ecg, "none") is ecg


def test_no_wave_moves_in_time() -> None:
    signal = np.zeros((12, 5000), dtype=np.float32)
    signal[:, 2000:2040] = np.hanning(40)
    smooth = filtered(ECG(signal, 500.0), "monitor").signal[0]
    assert abs(int(smooth.argmax()) - 2020) <= 1


def test_what_was_not_recorded_stays_open_and_does_not_spread() -> None:
    ecg = _tone(5)
    ecg.signal[3, 1000:2000] = np.nan
    ecg.signal[7] = np.nan
    smooth = filtered(ecg, "monitor").signal
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(ecg.signal))
    np.testing.assert_allclose(smooth[0, 500:-500], ecg.signal[0, 500:-500], atol=0.02)


def test_the_sheet_says_what_was_done_at_any_rate() -> None:
    assert words("none", 1000) == "unfiltered, 1000 Hz"
    assert "0.5–40 Hz" in words("monitor", 500)
    assert "0.5–22.5 Hz" in words("monitor", 50)
    assert np.isfinite(filtered(_tone(5, 50.0), "monitor").signal).all()
