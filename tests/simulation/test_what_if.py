"""Changed causes of a simulated patient: what was changed changes, as physiology has it, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import LEADS
from ecgkt.measurements.intervals import measure
from ecgkt.simulation import levers, tables
from ecgkt.simulation.tracing import RATE
from ecgkt.simulation.visits import visits
from ecgkt.simulation.what_if import RATE_OF_HEART, Changed, Subject, find, index_of, plain

SEED = 1
V4 = LEADS.index("V4")


@pytest.fixture(scope="module")
def subject() -> Subject:
    return plain(SEED)


def t_height(subject: Subject, changed: Changed) -> float:
    """mV of T in V4 on the noiseless beat, whose QRS begins at 200 ms."""
    beat = subject.tracing(changed).beat[V4]
    return float(beat[int((0.2 + 0.15) * RATE) :].max())


def test_nothing_changed_is_the_tracing_as_it_was_simulated() -> None:
    for visit in visits(SEED, 3):
        for planned in visit.ecgs:
            subject = find(SEED, index_of(planned.study), planned.study)
            assert subject.planned.drawn.applied == subject.morphology().applied
            assert subject.morphology().values == planned.drawn.values


def test_potassium_makes_t_taller_step_by_step(subject: Subject) -> None:
    heights = [t_height(subject, Changed({"potassium": value})) for value in (2.5, 3.5, 4.4, 5.5, 6.5, 7.4)]
    assert heights == sorted(heights)
    assert heights[-1] > heights[2] + 0.2


def test_low_calcium_makes_qt_longer_as_measured_on_the_tracing(subject: Subject) -> None:
    found = [measure(subject.ecg(Changed({"calcium": value}, average=True))).qt.value for value in (5.5, 7.0, 9.5)]
    longest, middle, shortest = (value or 0 for value in found)
    # 19 ms per mg/dL below 8.8 (effects.csv), measured to the tangent's end of T
    assert longest - shortest == pytest.approx(19 * 3.3, abs=20)
    assert longest > middle > shortest


def test_only_what_was_changed_changes(subject: Subject) -> None:
    """From 4.2 to 4.8 potassium changes T and QT (effects.csv); electrodes, noise, times and QRS stay as they were."""
    before, after = (subject.tracing(Changed({"potassium": value})) for value in (4.2, 4.8))
    assert np.array_equal(before.rhythm.qrs, after.rhythm.qrs)
    assert np.array_equal(before.mix, after.mix)
    moved = {name for name, value in after.morphology.values.items() if value != before.morphology.values[name]}
    assert "t_uv" in moved
    assert moved <= {"t_uv", "t_narrow", "qtc"}
    onset = before.rhythm.qrs[1]
    qrs = slice(int((onset + 0.01) * RATE), int((onset + 0.06) * RATE))
    assert np.abs(before.signal[:, qrs] - after.signal[:, qrs]).max() < 0.01


def test_a_cause_set_to_where_it_stood_changes_nothing(subject: Subject) -> None:
    same = Changed({"potassium": subject.value("potassium"), "calcium": subject.value("calcium")})
    assert np.array_equal(subject.tracing().signal, subject.tracing(same).signal)


@pytest.mark.parametrize("condition", sorted(levers.CONDITIONS))
def test_a_condition_switched_on_shows_and_off_again_is_gone(subject: Subject, condition: str) -> None:
    on = Changed(conditions={condition: 0.8}, average=True)
    plain_one = Changed(average=True)
    difference = subject.tracing(on).signal - subject.tracing(plain_one).signal
    assert np.abs(difference).max() > 0.1
    off = Changed(conditions={condition: None}, average=True)
    assert np.array_equal(subject.tracing(off).signal, subject.tracing(plain_one).signal)


def test_blocks_and_pacing_are_what_was_asked_for(subject: Subject) -> None:
    for condition, block in (("lbbb", "lbbb"), ("rbbb", "rbbb"), ("pacemaker", "paced")):
        assert subject.tracing(Changed(conditions={condition: 0.6})).conduction.block == block
    assert subject.tracing(Changed(conditions={"afib": 0.3})).conduction.kind == "afib"


def test_thyroid_and_troponin_act_through_the_disease_that_they_report(subject: Subject) -> None:
    assert set(subject.state(Changed({"tsh": 12.0})).active) == {"hypothyroid"}
    assert set(subject.state(Changed({"tsh": 0.03})).active) == {"hyperthyroid"}
    assert set(subject.state(Changed({"troponin_t": 0.1})).active) == {"nstemi"}
    assert not subject.state(Changed({"tsh": subject.value("tsh"), "troponin_t": subject.value("troponin_t")})).active
    stemi = Changed({"troponin_t": 0.5}, {"stemi_inferior": 0.5})
    assert set(subject.state(stemi).active) == {"stemi_inferior"}
    rates = [subject.morphology(Changed({"tsh": value}))["rate"] for value in (0.03, 1.5, 20.0)]
    assert rates == sorted(rates, reverse=True)


def test_the_rate_that_is_asked_for_is_drawn(subject: Subject) -> None:
    changed = Changed().with_value(RATE_OF_HEART, 110.0)
    assert subject.tracing(changed).rate == pytest.approx(110, abs=4)


def test_what_acts_is_told_with_its_size_and_its_source(subject: Subject) -> None:
    acting = [each for each in subject.acting(Changed({"potassium": 6.6})) if each.effect.source == "potassium"]
    sizes = {each.effect.parameter: each.mean for each in acting}
    assert sizes["t_uv"] == pytest.approx(175 * (6.6 - 4.6))
    assert all(each.source and each.unit in ("uV", "ms", "log", "bpm") for each in acting)
    drawn = subject.morphology(Changed({"potassium": 6.6})).applied
    applied = {name: size for source, name, size in drawn if source == "potassium"}
    for each in acting:
        assert each.size == pytest.approx(applied.get(each.effect.parameter, 0.0))


def test_silent_effects_are_silent_unless_an_average_patient_is_asked_for() -> None:
    """Somebody whose ECG does not react to potassium at all."""
    rows = [i for i, row in enumerate(tables.effects()) if row.source == "potassium" and row.direction == "above"]
    silent = next(s for s in (find(SEED, i) for i in range(400)) if not s.patient.sensitivity[rows].any())
    high = {"potassium": 7.5}
    before, after = silent.morphology(Changed({"potassium": 4.3})), silent.morphology(Changed(high))
    assert before["t_uv"] == after["t_uv"]
    assert silent.morphology(Changed(high, average=True))["t_uv"] > after["t_uv"] + 100


def test_every_lever_covers_the_range_that_its_table_has_effects_for() -> None:
    by_key = {lever.key: lever for lever in levers.LEVERS}
    for row in tables.effects():
        if row.direction and row.source in by_key:
            lever = by_key[row.source]
            assert lever.low <= min(row.start, row.end) or row.direction == "above"
            assert lever.high >= max(row.start, row.end) or row.direction == "below"
    assert set(levers.CONDITIONS) <= {condition.name for condition in tables.conditions()}
    for row in tables.effects():
        assert row.parameter in levers.PARAMETERS


def test_there_is_no_such_study() -> None:
    with pytest.raises(ValueError, match="no study"):
        find(SEED, 0, 1)
