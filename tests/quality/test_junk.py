"""What is no ECG, or not the ECG it claims to be, is refused or flagged with the reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from scipy.ndimage import gaussian_filter1d

from ecgkt.ecg import ECG
from ecgkt.quality.usable import assess
from ecgkt.quality.warnings import quality_warnings
from ecgkt.readers import read

pytestmark = pytest.mark.slow

RATE, SAMPLES = 500.0, 5000
Make = Callable[[np.random.Generator], np.ndarray]


def colored(rng: np.random.Generator, exponent: float, leads: int = 12) -> np.ndarray:
    """Noise whose power falls with frequency to the power of `exponent`: 0 white, 1 pink, 2 brown."""
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    frequency[0] = frequency[1]
    spectrum = np.fft.rfft(rng.standard_normal((leads, SAMPLES))) / frequency ** (exponent / 2)
    return np.fft.irfft(spectrum, SAMPLES)


def scribble(rng: np.random.Generator, leads: int = 12) -> np.ndarray:
    """A hand's smooth line to and fro across the paper."""
    return gaussian_filter1d(rng.standard_normal((leads, SAMPLES)), rng.uniform(15, 80), axis=1)


def eeg(rng: np.random.Generator) -> np.ndarray:
    """A synthetic EEG: pink background with an alpha rhythm of 10 Hz that waxes and wanes; microvolts by nature."""
    t = np.arange(SAMPLES) / RATE
    background = colored(rng, 1)
    waxing = 1 + 0.6 * np.sin(2 * np.pi * 0.3 * t + rng.uniform(0, 6))
    return background / background.std() + 1.2 * waxing * np.sin(2 * np.pi * 10 * t + rng.uniform(0, 6, (12, 1)))


JUNK: dict[str, Make] = {
    "white noise": lambda rng: colored(rng, 0),
    "pink noise": lambda rng: colored(rng, 1),
    "brown noise": lambda rng: colored(rng, 2),
    "one scribble traced twelve times": lambda rng: np.repeat(scribble(rng, 1), 12, axis=0),
    "one scribble, other sizes and upside down": lambda rng: (
        np.repeat(scribble(rng, 1), 12, axis=0) * rng.uniform(0.3, 2, (12, 1)) * rng.choice([-1, 1], (12, 1))
    ),
    "twelve scribbles": scribble,
    "synthetic EEG": eeg,
}


@pytest.mark.parametrize("name", JUNK)
@pytest.mark.parametrize("limb_leads_agree", [False, True])
def test_junk_is_refused(name: str, limb_leads_agree: bool) -> None:
    for seed in range(6):
        signal = JUNK[name](np.random.default_rng(seed))
        signal *= 0.3 / signal.std()
        if limb_leads_agree and "one scribble" not in name:  # junk from a device that computes III and the augmented
            one, two = signal[:2]
            signal[2:6] = two - one, -(one + two) / 2, one - two / 2, two - one / 2
        ecg = ECG(signal.astype(np.float32), RATE)
        quality = assess(ecg)
        assert not quality.ok or quality_warnings(ecg), (name, seed)
        if "one scribble" in name:
            assert "same signal" in " ".join(quality.reasons)


@pytest.fixture(scope="module")
def real() -> ECG:
    return read(get_testdata_file("waveform_ecg.dcm", download=False))


@pytest.mark.parametrize("lead", range(12))
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_a_lead_copied_twelve_times_is_refused(real: ECG, lead: int, noise: float) -> None:
    rng = np.random.default_rng(lead)
    gains = rng.uniform(0.4, 2, (12, 1)) * rng.choice([-1, 1], (12, 1))
    signal = gains * real.signal[lead] + noise * np.ptp(real.signal[lead]) * 0.1 * rng.standard_normal(
        real.signal.shape
    )
    quality = assess(ECG(signal.astype(np.float32), real.rate))
    assert "same signal" in " ".join(quality.reasons)


def test_units_taken_for_each_other_are_named(real: ECG) -> None:
    too_large = assess(ECG(real.signal * 1000, real.rate))
    too_small = assess(ECG(real.signal / 1000, real.rate))
    assert "µV taken for mV" in " ".join(too_large.reasons)
    assert "mV taken for µV" in " ".join(too_small.reasons)
    assert not too_large.ok
    assert not too_small.ok
    line = np.random.default_rng(0).choice([0.0, 0.001], real.signal.shape)
    assert "no signal in any lead" in " ".join(assess(ECG(line.astype(np.float32), real.rate)).reasons)


@pytest.mark.parametrize("exchanged", [(4, 5), (3, 4), (3, 5)])
def test_augmented_leads_under_each_others_names_are_refused(real: ECG, exchanged: tuple[int, int]) -> None:
    signal = real.signal.copy()
    signal[list(exchanged)] = signal[list(exchanged[::-1])]
    assert "inconsistent with I and II" in " ".join(assess(ECG(signal, real.rate)).reasons)
