"""Beats fitted and drawn: amplitudes that were put into a beat come out of it."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.simulation.beats import CENTRES, MUSCLE, P_CENTRES, P_WIDTH, T_APART, WIDTHS, foot
from ecgkt.simulation.body import FOCI, shapes
from ecgkt.simulation.waveform import QRS as QRS_WAVES
from ecgkt.simulation.waveform import WAVES, Waves, profiles, skewed
from training.simulation.fitting.shapes import AFTER, BEFORE, RATE, components, fit_beat, lead_scale

QRS, T_END, P_ON, P_OFF = 96.0, 390.0, -160.0, -55.0  # ms from QRS onset
PEAK, LEFT, RIGHT = 305.0, 50.0, 35.0


def _drawn(amplitude: np.ndarray) -> np.ndarray:
    """[8, samples] mV of a beat made of the waves that are fitted, without noise."""
    time = np.arange(-BEFORE, AFTER, 1 / RATE)[: int((BEFORE + AFTER) * RATE)] * 1000
    atrial = [np.exp(-0.5 * (((time - P_ON) / (P_OFF - P_ON) - c) / P_WIDTH) ** 2) for c in P_CENTRES]
    ventricular = [np.exp(-0.5 * ((time / QRS - c) / w) ** 2) for c, w in zip(CENTRES, WIDTHS, strict=True)]
    halves = [skewed(time, PEAK + place * T_END, LEFT, RIGHT) for place in (-T_APART, T_APART)]
    st = skewed(time, *foot(QRS, PEAK, LEFT))
    return amplitude @ np.stack([*atrial, *ventricular, st, *halves])


def test_fit_recovers_the_waves_of_a_beat() -> None:
    amplitude = shapes()["normal"][0]  # [8, WAVES] of real hearts: sizes and signs as they occur
    beat = _drawn(amplitude)
    found, (peak, left, right, end) = fit_beat((beat, QRS, T_END, P_ON, P_OFF))
    assert (peak, left, right) == pytest.approx((PEAK, LEFT, RIGHT), abs=3)
    assert end == T_END
    # The penalty that keeps neighbors from cancelling each other costs small waves some of their size, not the beat.
    again = _drawn(found)
    assert np.sqrt(((again - beat) ** 2).mean() / (beat**2).mean()) < 0.03
    assert np.abs(found - amplitude).max() < 0.07  # mV
    largest = np.abs(amplitude) > 0.3
    assert largest.sum() > 10
    assert np.abs(found / amplitude - 1)[largest].max() < 0.2


def test_components_have_the_variance_of_what_they_stand_for() -> None:
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(8, len(WAVES)))
    hearts = 0.5 + 0.2 * rng.normal(size=(400, 1, 1)) * direction / np.linalg.norm(direction)
    hearts[0] = 50.0  # a failed delineation
    mean, first = components(hearts, 1)
    assert mean == pytest.approx(0.5 * np.ones_like(mean), abs=0.05)
    assert np.linalg.norm(first) == pytest.approx(0.2, rel=0.1)


def test_modeled_leads_are_put_on_the_native_scale() -> None:
    native = shapes()["normal"][0][None] * np.array([0.8, 1.0, 1.3])[:, None, None]
    factor = np.array([0.5, 2.0, 1.0, 1.5, 0.8, 1.2, 3.0, 0.9])
    assert lead_scale(native / factor[None, :, None], native) == pytest.approx(factor)


def test_every_class_of_shapes_has_all_waves_and_its_own_qrs() -> None:
    found = shapes()
    assert {table.shape[1:] for table in found.values()} == {(8, len(WAVES))}
    qrs = {name: found[name][0][:, QRS_WAVES].sum(axis=1) for name in ("normal", "lbbb", "rbbb", "lafb")}
    assert qrs["lbbb"][2] < qrs["normal"][2] < qrs["rbbb"][2]  # V1: away from it, toward it at the end
    assert qrs["lafb"][1] < 0 < qrs["normal"][1]  # II: axis beyond -30 degrees


def test_an_ectopic_focus_or_a_pacing_lead_draws_every_beat_of_muscle() -> None:
    assert set(MUSCLE) == {"paced", *FOCI}


def test_waves_that_follow_qt_stretch_and_others_stay() -> None:
    one, both = np.ones(2), np.array([False, True])
    waves = Waves(np.array([0.04, 0.30]), 0.01 * one, 0.02 * one, np.ones((8, 2)), np.array([False, False]), both)
    rate = 500
    near, far = (
        profiles(waves, np.array([0.5]), np.array([scale]), np.ones((1, 2)), rate, 750).argmax(axis=1) / rate - 0.5
        for scale in (1.0, 1.1)
    )
    assert near == pytest.approx([0.04, 0.30], abs=0.002)
    assert far == pytest.approx([0.04, 0.33], abs=0.002)


def test_beats_add_up_and_are_cut_at_the_ends() -> None:
    waves = Waves(np.array([0.3]), np.array([0.05]), np.array([0.05]), np.ones((8, 1)), np.zeros(1, bool),
                  np.zeros(1, bool))  # fmt: skip
    onsets, gain = np.array([-0.3, 0.4, 5.0]), np.array([[1.0], [2.0], [1.0]])
    course = profiles(waves, onsets, np.ones(3), gain, 500, 500)[0]
    assert course[0] == pytest.approx(1.0, abs=0.01)  # the peak of a beat that began before the recording
    assert course[350] == pytest.approx(2.0, abs=0.01)
    assert course[200] < 0.01
