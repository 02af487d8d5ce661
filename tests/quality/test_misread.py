"""A sampling rate or an order of leads that is not the file's own is doubted, and what was recorded well is not."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from ecgkt.ecg import ECG, LEADS, derived_limb_leads
from ecgkt.measurements.delineation import delineate
from ecgkt.measurements.median_beat import median_beat
from ecgkt.quality.lead_order import suspected_order
from ecgkt.quality.speed import wrong_speed
from ecgkt.simulation.tracing import RATE, draw_tracing
from ecgkt.simulation.visits import visits

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ecgs() -> list[ECG]:
    """Tracings of simulated patients whose electrodes are where they belong."""
    sound: list[ECG] = []
    for visit in (first for index in range(60) for first in islice(visits(515, index), 1)):
        planned = visit.ecgs[0]
        tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
        if not tracing.fault and len(sound) < 40:
            sound.append(ECG(tracing.signal.astype(np.float32), float(RATE)))
    return sound


def doubts(ecg: ECG) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(of the speed, of the order of leads)"""
    beats = delineate(ecg)
    beat = median_beat(ecg, beats)
    return wrong_speed(beats, beat), suspected_order(beat)


def test_most_tracings_at_twice_the_speed_are_doubted_and_hardly_any_at_their_own(ecgs: list[ECG]) -> None:
    fast = [ECG(np.ascontiguousarray(np.tile(e.signal[:, ::2], 2)), e.rate) for e in ecgs]
    found = [doubts(ecg)[0] for ecg in fast]
    assert np.mean([bool(each) for each in found]) > 0.55
    assert sum(bool(doubts(ecg)[0]) for ecg in ecgs) <= 1
    assert any("shorter than in adults' hearts" in each[0] for each in found if each)


def test_shuffled_leads_are_doubted_and_their_own_order_hardly_ever(ecgs: list[ECG]) -> None:
    rng = np.random.default_rng(4)
    found = []
    for ecg in ecgs:
        signal = ecg.signal.copy()
        independent = [0, 1, *range(6, 12)]
        signal[independent] = ecg.signal[rng.permutation(independent)]
        for lead, row in derived_limb_leads(signal[0], signal[1]).items():
            signal[LEADS.index(lead)] = row
        found.append(bool(doubts(ECG(signal, ecg.rate))[1]))
    assert np.mean(found) > 0.7
    assert np.mean([bool(doubts(ecg)[1]) for ecg in ecgs]) <= 0.05


def test_nothing_is_said_without_a_beat() -> None:
    flat = ECG(np.zeros((12, 5000), np.float32), 500.0)
    assert doubts(flat) == ((), ())
