"""What labs and rhythm do to the simulated tracing, measured on the tracing and held against the published sizes."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.simulation import beats, leads, tables
from ecgkt.simulation.body import DOWER, Body, shapes
from ecgkt.simulation.effects import Morphology, baseline, morphology
from ecgkt.simulation.rhythm import VT, fibrillation, on_demand, sinus, tachycardia, tracked
from ecgkt.simulation.state import Patient, Stay, draw_patient
from ecgkt.simulation.tables import effects
from ecgkt.simulation.waveform import WAVES, profiles

RATE = 500  # Hz
MEAN = Body(DOWER, np.ones(8), np.zeros((8, len(WAVES))), np.zeros(0), 1.0, "outflow")


def _patient(index: int = 0) -> Patient:
    return draw_patient(np.random.default_rng(index), index)


def _plain(**values: float) -> Morphology:
    person = Patient(0, 50.0, True, 175, 80, {}, np.ones(len(effects())), "inferior", 2150)
    own = dict.fromkeys(baseline(np.random.default_rng(0), person), 0.0)
    own |= {"rate": 70.0, "pr": 160.0, "p_ms": 105.0, "qrs": 96.0, "qtc": 410.0}
    return Morphology(own | values)


def _beat(m: Morphology, block: str = "", name: str = "normal", **more: bool) -> np.ndarray:
    """[12, 500] the mean real beat of a class with effects `m`, QRS onset at 0.2 s, in Dower's leads."""
    shape = shapes()[name][0]
    waves = beats.ventricles(m, shape, MEAN, 0.39, block, **more)
    time = profiles(waves, np.array([0.2]), np.ones(1), np.ones((1, len(waves.center))), RATE, 500)
    return leads.twelve(waves.eight @ time)


def _mean_effect(source: str, parameter: str, low: float, high: float) -> float:
    """Mean change of a parameter over patients when one lab goes from `low` to `high`, all else equal."""
    change = []
    for index in range(150):
        patient = _patient(index)
        stay = Stay(0, 0, {}, "injury", "inferior", False, False)
        own = baseline(np.random.default_rng(index), patient)
        level = dict.fromkeys((lab.key for lab in tables.labs()), 1.0) | {
            "potassium": 4.2, "calcium": 9.3, "magnesium": 2.0, "haemoglobin": 14.0, "albumin": 4.05,
        }  # fmt: skip
        pair = [
            morphology(np.random.default_rng(index), patient, stay, own, level | {source: value}, 36.5)
            for value in (low, high)
        ]
        before, after = (sum(size for s, name, size in m.applied if (s, name) == (source, parameter)) for m in pair)
        change.append(after - before)
    return float(np.mean(change))


def test_low_potassium_moves_qtc_by_the_published_slope() -> None:
    # PMID 31629993: QTcF +12.8 ms per mmol/L below 4.1, in the mean over patients (some are silent to it).
    assert _mean_effect("potassium", "qtc", 4.1, 3.1) == pytest.approx(12.8, rel=0.25)


def test_high_potassium_widens_qrs_only_when_very_high() -> None:
    assert _mean_effect("potassium", "qrs", 4.2, 6.0) == 0
    assert _mean_effect("potassium", "qrs", 4.2, 7.8) > 5


def test_calcium_shifts_the_st_segment_both_ways() -> None:
    assert _mean_effect("calcium", "st_ms", 9.3, 7.0) > 5
    assert _mean_effect("calcium", "st_ms", 9.3, 12.5) < -5


def test_calcium_bound_to_albumin_does_not_count() -> None:
    assert _mean_effect("albumin", "st_ms", 4.05, 2.0) == 0  # no effect of its own
    person = draw_patient(np.random.default_rng(3), 3)
    own = baseline(np.random.default_rng(3), person)
    stay = Stay(0, 0, {}, "injury", "inferior", False, False)
    level = dict.fromkeys((lab.key for lab in tables.labs()), 1.0) | {"potassium": 4.2, "magnesium": 2.0}
    low = {"calcium": 8.4, "albumin": 2.0, "haemoglobin": 14.0}  # 8.4 + .35 x 2.05 = 9.1, within normal
    m = morphology(np.random.default_rng(3), person, stay, own, level | low, 36.5)
    assert not [effect for effect in m.applied if effect[0] == "calcium"]


def test_pericarditis_lowers_the_pr_segment_where_it_raises_st() -> None:
    at = int(0.2 * RATE) - 10  # 20 ms before QRS, drawn 0.16 s after P onset
    beat = []
    for size in (0.0, 60.0):
        p = beats.p_wave(_plain(pr_segment=size), shapes()["normal"][0], MEAN)
        time = profiles(p, np.array([0.04]), np.ones(1), np.ones((1, len(p.center))), RATE, 500)
        beat.append(leads.twelve(p.eight @ time)[:, at])
    change = beat[1] - beat[0]
    assert change[[0, 1, 5, 10, 11]].max() < -0.02  # mV in I, II, aVF, V5, V6
    assert change[3] > 0.02  # aVR


def test_left_bundle_branch_block_keeps_v1_down_whatever_else_there_is() -> None:
    for more in ({}, {"rvh": 1.2}, {"q_wave.septal": 1.2}, {"s1q3t3": 0.9, "axis": 60.0}, {"q_wave.lateral": 1.2}):
        beat = _beat(_plain(qrs=150.0, **more), "lbbb", "lbbb")
        qrs = slice(int(0.2 * RATE), int(0.35 * RATE))
        for v1 in (6, 7):  # rS or QS in V1 and V2
            assert beat[v1, qrs].max() < 0.35 * -beat[v1, qrs].min()
        for left in (0, 11):  # a broad R in I and V6, without a deep S
            assert beat[left, qrs].max() > 0.35
            assert (beat[left, qrs] > 0.4 * beat[left, qrs].max()).sum() / RATE > 0.05
            assert beat[left, qrs].min() > -0.15


def test_cold_draws_a_j_wave() -> None:
    cold = _beat(_plain(j_wave=250.0)) - _beat(_plain())
    assert cold[[1, 10], int((0.2 + 0.096) * RATE)].min() > 0.1
    assert np.abs(cold[:, int(0.5 * RATE) :]).max() < 0.01


def test_inferior_injury_elevates_inferior_leads_and_depresses_avl() -> None:
    j60 = int((0.2 + 0.092 + 0.06) * RATE)
    change = (_beat(_plain(**{"injury.inferior": 200.0})) - _beat(_plain()))[:, j60]
    assert change[[1, 2, 5]].min() > 0.1
    assert change[4] < -0.05
    anterior = (_beat(_plain(**{"injury.anterior": 300.0})) - _beat(_plain()))[:, j60]
    assert np.argmax(anterior) in (7, 8, 9)


def test_bundle_branch_blocks_have_their_terminal_forces() -> None:
    right, left = _beat(_plain(qrs=140.0), "rbbb", "rbbb"), _beat(_plain(qrs=150.0), "lbbb", "lbbb")
    late = slice(int(0.295 * RATE), int(0.335 * RATE))
    assert right[6, late].max() > 0.3
    assert right[0, late].min() < -0.1
    middle = slice(int(0.25 * RATE), int(0.30 * RATE))
    assert left[6, middle].min() < -0.4
    assert left[11, middle].min() > 0.2
    t = slice(int(0.45 * RATE), int(0.62 * RATE))
    assert left[11, t].mean() < 0 < left[6, t].mean()  # T against QRS


def test_old_inferior_infarction_makes_q_waves_in_iii_and_avf() -> None:
    early = slice(int(0.2 * RATE), int(0.24 * RATE))
    with_q, without = _beat(_plain(**{"q_wave.inferior": 0.9})), _beat(_plain())
    # PTB-XL's 34 native inferior infarctions: quartiles of Q in III -.45 to 0, in aVF -.20 to 0 mV.
    assert -0.50 < with_q[2, early].min() < -0.15
    assert -0.30 < with_q[5, early].min() < -0.08
    assert without[[2, 5], early].min(axis=1).min() > -0.10


def test_left_anterior_fascicular_block_turns_the_axis_up() -> None:
    qrs = slice(int(0.2 * RATE), int(0.3 * RATE))
    areas = _beat(_plain(), name="lafb")[:, qrs].sum(axis=1)
    assert areas[0] > 0 > areas[1]  # I positive, II negative: beyond -30 degrees


def test_tachycardias_are_fast_and_regular_and_a_pacemaker_follows_the_atria_or_does_not() -> None:
    rng = np.random.default_rng(5)
    fast = tachycardia(rng, VT, 170)
    assert len(fast.p) == 0
    assert np.diff(fast.qrs) == pytest.approx(60 / 170, rel=0.05)
    escape = fibrillation(rng, 90, "avb3")
    assert np.std(np.diff(escape.qrs)) / np.mean(np.diff(escape.qrs)) < 0.05
    following = tracked(rng, 75, 0.15, 70, 1.0)
    delays = [following.qrs[following.qrs > p][0] - p for p in following.p if p < 9.5]
    assert delays == pytest.approx([0.15] * len(delays))
    beside = on_demand(rng, 65, 85, 70, 1.0)
    assert np.ptp([beside.qrs[beside.qrs > p][0] - p for p in beside.p if p < 9]) > 0.2


def test_fibrillation_is_irregular_and_has_no_p_and_sinus_is_not() -> None:
    rng = np.random.default_rng(3)
    af, regular = fibrillation(rng, 90), sinus(rng, 75, 0.16, 60, 1.0, "", 0, 0)
    assert len(af.p) == 0
    assert np.std(np.diff(af.qrs)) / np.mean(np.diff(af.qrs)) > 0.1
    assert np.std(np.diff(regular.qrs)) / np.mean(np.diff(regular.qrs)) < 0.1
    assert len(regular.p) >= 10


def test_complete_av_block_dissociates_p_from_qrs_and_second_degree_drops_beats() -> None:
    third = sinus(np.random.default_rng(1), 80, 0.16, 70, 1.0, "avb3", 0, 0)
    delay = [float(q - third.p[third.p < q][-1]) for q in third.qrs if (third.p < q).any()]
    assert np.ptp(delay) > 0.15
    second = sinus(np.random.default_rng(1), 80, 0.16, 70, 1.0, "avb2", 0, 0)
    assert len(second.qrs) < len(second.p)
