"""What electrodes do to the simulated tracing: where they were put, what was mistaken, and how a recording fails."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.simulation import leads
from ecgkt.simulation.body import MISTAKES, Body, draw_body, placement
from ecgkt.simulation.state import draw_patient

RATE, SAMPLES = 500, 5000
L1, L2, L3, AVR, AVL, AVF, V1, V2 = range(8)


class Scripted:
    """A generator of which the first uniform numbers are given and the rest are drawn as usual."""

    def __init__(self, *uniform: float, seed: int = 0) -> None:
        self.given, self.rest = list(uniform), np.random.default_rng(seed)

    def random(self, *size: int) -> object:
        return self.given.pop(0) if self.given and not size else self.rest.random(*size)

    def __getattr__(self, name: str) -> object:
        return getattr(self.rest, name)


@pytest.fixture(scope="module")
def body() -> Body:
    rng = np.random.default_rng(5)
    return draw_body(rng, draw_patient(rng, 0))


@pytest.fixture(scope="module")
def eight() -> np.ndarray:
    """[8, samples] of leads that have nothing in common, as no heart would give them."""
    return np.random.default_rng(1).normal(size=(8, 400))


def _chance(mistake: str) -> float:
    """A uniform number that makes `placement` take this mistake ("": none)."""
    low = 0.0
    for name, often in MISTAKES.items():
        if name == mistake:
            return low + often / 2
        low += often
    return (1 + low) / 2


def _recorded(body: Body, eight: np.ndarray, mistake: str) -> tuple[np.ndarray, str]:
    mix, found = placement(Scripted(_chance(mistake)), body)
    return leads.twelve(mix @ eight), found


def test_einthoven_and_goldberger_hold_whatever_is_mistaken(body: Body, eight: np.ndarray) -> None:
    for mistake in ("", *MISTAKES):
        twelve, found = _recorded(body, eight, mistake)
        assert found == mistake
        assert np.allclose(twelve[L1] + twelve[L3], twelve[L2])
        assert np.allclose(twelve[AVR] + twelve[AVL] + twelve[AVF], 0)


def test_swapped_arms_turn_i_over_and_exchange_ii_with_iii_and_avr_with_avl(body: Body, eight: np.ndarray) -> None:
    right, _ = _recorded(body, eight, "")
    swapped, _ = _recorded(body, eight, "arms_reversed")
    assert np.allclose(swapped[[L1, L2, L3, AVR, AVL, AVF]],
                       np.stack([-right[L1], right[L3], right[L2], right[AVL], right[AVR], right[AVF]]))  # fmt: skip
    assert np.allclose(swapped[V1:], right[V1:])  # Wilson's terminal is the same sum of the same three limbs


def test_left_arm_and_leg_swapped_turn_iii_over_and_exchange_i_with_ii(body: Body, eight: np.ndarray) -> None:
    right, _ = _recorded(body, eight, "")
    swapped, _ = _recorded(body, eight, "left_arm_leg_reversed")
    assert np.allclose(swapped[[L1, L2, L3, AVR, AVL, AVF]],
                       np.stack([right[L2], right[L1], -right[L3], right[AVR], right[AVF], right[AVL]]))  # fmt: skip
    assert np.allclose(swapped[V1:], right[V1:])


@pytest.mark.parametrize(("mistake", "first"), [("v1_v2", V1), ("v2_v3", V2)])
def test_swapped_chest_cables_exchange_two_leads_and_no_other(
    body: Body, eight: np.ndarray, mistake: str, first: int
) -> None:
    right, _ = _recorded(body, eight, "")
    swapped, _ = _recorded(body, eight, mistake)
    order = np.arange(12)
    order[[first, first + 1]] = first + 1, first
    assert np.allclose(swapped, right[order])


def test_electrodes_slide_on_the_chest_and_not_on_the_limbs(body: Body) -> None:
    mixes = np.stack([placement(Scripted(_chance(""), seed=seed), body)[0] for seed in range(200)])
    assert (mixes[:, :2] == np.eye(8)[:2]).all()
    assert (np.abs(np.median(mixes, axis=0) - np.eye(8)) < 0.15).all()
    assert (mixes[:, 2:].std(axis=0).max(axis=1) > 0.03).all()


def test_mistakes_are_as_rare_as_they_are_said_to_be(body: Body) -> None:
    rng = np.random.default_rng(3)
    found = [placement(rng, body)[1] for _ in range(4000)]
    assert found.count("") / len(found) == pytest.approx(1 - sum(MISTAKES.values()), abs=0.006)
    assert set(found) == {"", *MISTAKES}


def _faulty(monkeypatch: pytest.MonkeyPatch, chance: float, seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """A steep tracing, its recording without noise, and the fault."""
    monkeypatch.setattr(leads, "noise", lambda rng, rate, samples: np.zeros((8, samples)))
    clean = 1.5 * np.sin(np.arange(SAMPLES) / 40) + np.arange(8)[:, None] / 10
    recorded, fault = leads.recorded(Scripted(chance, seed=seed), clean, RATE)
    return clean, recorded, fault


def test_an_amplifier_at_its_limit_cuts_one_chest_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(8):
        clean, recorded, fault = _faulty(monkeypatch, 0.001, seed)
        assert fault == "clipped"
        changed = np.flatnonzero((clean != recorded).any(axis=1))
        assert len(changed) == 1
        assert changed[0] >= 2  # a limb electrode would spoil every lead
        lead = recorded[changed[0]]
        assert lead.max() < clean[changed[0]].max()
        for limit in (lead.max(), lead.min()):  # it stays at the limit for more than a moment
            assert (lead == limit).sum() > 5
        between = (lead > lead.min()) & (lead < lead.max())
        assert np.array_equal(lead[between], clean[changed[0]][between])


def test_a_lead_that_falls_off_is_a_line_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(8):
        clean, recorded, fault = _faulty(monkeypatch, 0.005, seed)
        assert fault == "lead_off"
        changed = np.flatnonzero((clean != recorded).any(axis=1))
        assert len(changed) == 1
        assert changed[0] >= 2
        off = np.flatnonzero(clean[changed[0]] != recorded[changed[0]])
        flat = recorded[changed[0], off[0] : off[-1] + 1]
        assert np.ptp(flat) == 0
        assert abs(flat[0]) < 0.15  # mV
        assert 0.2 * RATE < len(flat) <= 4 * RATE


def test_noise_is_at_the_electrodes_so_that_limb_leads_stay_consistent(monkeypatch: pytest.MonkeyPatch) -> None:
    still = np.zeros((8, SAMPLES))
    recorded, fault = leads.recorded(Scripted(0.5), still, RATE)
    assert fault == ""
    assert np.isfinite(recorded).all()
    assert (recorded.std(axis=1) > 0.002).all()  # mV
    assert np.corrcoef(recorded[0], recorded[1])[0, 1] > 0.05  # both hang on the right arm
