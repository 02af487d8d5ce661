"""An ECG rests at one level between beats; a sawtooth and an EEG do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import sawtooth

from ecgkt.datasets.collection import Collection
from ecgkt.ecg import ECG, LEADS, derived_limb_leads
from ecgkt.quality.resting import HARDLY_RESTS, NEVER_RESTS, resting_share
from ecgkt.quality.usable import assess
from ecgkt.quality.warnings import quality_warnings

RATE = 500
TIME = np.arange(10 * RATE) / RATE


def _limbs(signal: np.ndarray) -> ECG:
    for lead, row in derived_limb_leads(signal[0], signal[1]).items():
        signal[LEADS.index(lead)] = row
    return ECG(signal.astype(np.float32), RATE)


def test_every_shipped_example_rests(shipped_examples: Collection) -> None:
    for entry in shipped_examples.entries:
        assert resting_share(shipped_examples.read(entry.key)) > HARDLY_RESTS, entry.key


@pytest.mark.parametrize("frequency", [1.0, 1.7, 2.6])
def test_a_sawtooth_is_no_ecg(frequency: float) -> None:
    rng = np.random.default_rng(round(10 * frequency))
    phases, sizes = rng.uniform(0, 1, (12, 1)), rng.uniform(0.5, 1.5, (12, 1))
    ecg = _limbs(
        sizes * sawtooth(2 * np.pi * (frequency * TIME + phases), 0.9) + 0.03 * rng.standard_normal((12, 5000))
    )
    assert resting_share(ecg) < NEVER_RESTS
    assert not assess(ecg).ok


def test_a_level_is_told_whatever_its_height_scale_and_wander(shipped_examples: Collection) -> None:
    ecg = shipped_examples.read(shipped_examples.entries[0].key)
    usual = resting_share(ecg)
    wander = 0.5 * np.sin(2 * np.pi * 0.1 * np.arange(ecg.samples) / ecg.rate)
    for changed in (3 * ecg.signal, ecg.signal + 1, ecg.signal + wander):
        assert resting_share(ECG(changed.astype(np.float32), ecg.rate)) == pytest.approx(usual, abs=0.05)


def test_a_tracing_of_another_scale_is_doubted(shipped_examples: Collection) -> None:
    ecg = shipped_examples.read(shipped_examples.entries[0].key)
    for factor, words in ((0.2, "unusually small"), (5, "unusually large")):
        found = quality_warnings(ECG(factor * ecg.signal, ecg.rate))
        assert any(words in sentence for sentence in found)
    assert not any("unusually" in sentence for sentence in quality_warnings(ecg))
