"""What labs and rhythm do to the simulated tracing, measured on the tracing and held against the published sizes."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.simulation import beats, leads, tables
from ecgkt.simulation.body import DOWER, Body, shapes
from ecgkt.simulation.effects import Morphology, baseline, morphology
from ecgkt.simulation.rhythm import fibrillation, sinus
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
            "potassium": 4.2, "calcium": 9.3, "magnesium": 2.0, "haemoglobin": 14.0, "nt_probnp": 50.0,
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
    assert _mean_effect("potassium", "qtc", 4.1, 3.1) == pytest.approx(12.8 * 0.9, rel=0.25)


def test_high_potassium_widens_qrs_only_when_very_high() -> None:
    assert _mean_effect("potassium", "qrs", 4.2, 6.0) == 0
    assert _mean_effect("potassium", "qrs", 4.2, 7.8) > 5


def test_calcium_shifts_the_st_segment_both_ways() -> None:
    assert _mean_effect("calcium", "st_ms", 9.3, 7.0) > 5
    assert _mean_effect("calcium", "st_ms", 9.3, 12.5) < -5


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
    assert with_q[[2, 5], early].min(axis=1).max() < -0.2
    assert without[[2, 5], early].min(axis=1).min() > -0.15


def test_left_anterior_fascicular_block_turns_the_axis_up() -> None:
    qrs = slice(int(0.2 * RATE), int(0.3 * RATE))
    areas = _beat(_plain(), name="lafb")[:, qrs].sum(axis=1)
    assert areas[0] > 0 > areas[1]  # I positive, II negative: beyond -30 degrees


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
