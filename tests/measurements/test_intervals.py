"""Intervals against a beat of known make, a recorder's own measurements, and LUDB; limits against their sources."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements import intervals
from ecgkt.measurements.delineation import SHIFT, Beat, delineate
from ecgkt.measurements.intervals import CHEST, Intervals, measure
from ecgkt.measurements.median_beat import MedianBeat, median_beat
from ecgkt.measurements.normal_limits import limits
from ecgkt.readers import read

RATE = 500.0


def bump(t: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.asarray(np.exp(-(((t - center) / width) ** 2) / 2))


def synthetic(
    qrs_axis: float = 50, p_axis: float = 40, t_axis: float = 30, rr: float = 0.8, p: float = 0.15, t: float = 0.3
) -> ECG:
    """Limb leads of a dipole in the frontal plane; V1 to V6 with R from 0.2 to 1.7 and S from 1.4 to 0.15 mV."""
    time = np.arange(int(10 * RATE)) / RATE
    beats = np.arange(0.5, 9.8, rr)
    p_wave, r_wave, s_wave, t_wave = (
        sum(bump(time, b + at, width) for b in beats)
        for at, width in ((-0.16, 0.018), (0.0, 0.010), (0.035, 0.010), (0.26, 0.035))
    )
    rows = {}
    for lead, angle, gain in (("I", 0, 1.0), ("II", 60, 1.0)):
        heights = [np.cos(np.radians(axis - angle)) * gain for axis in (p_axis, qrs_axis, t_axis)]
        rows[lead] = p * heights[0] * p_wave + heights[1] * r_wave + t * heights[2] * t_wave
    heights_r = dict(zip(CHEST, (0.2, 0.4, 0.7, 1.2, 1.7, 1.4), strict=True))
    depths_s = dict(zip(CHEST, (1.1, 1.4, 1.1, 0.7, 0.3, 0.15), strict=True))
    for lead in CHEST:
        rows[lead] = heights_r[lead] * r_wave - depths_s[lead] * s_wave + p / 2 * p_wave + t * t_wave
    return ECG.from_leads(list(rows), np.stack(list(rows.values())), RATE)


def value(found: Intervals, name: str) -> float:
    measured = getattr(found, name).value
    assert measured is not None, getattr(found, name).reason
    return float(measured)


@pytest.mark.parametrize(("qrs", "p", "t"), [(50, 40, 30), (-60, 60, 120), (150, -80, -20), (-120, 10, 170)])
def test_axes_of_a_dipole(qrs: float, p: float, t: float) -> None:
    found = measure(synthetic(qrs, p, t))
    for name, truth in (("qrs_axis", qrs), ("p_axis", p), ("t_axis", t)):
        assert abs((value(found, name) - truth + 180) % 360 - 180) < 5, name


def test_voltages_and_progression_of_known_heights() -> None:
    found = measure(synthetic())
    assert value(found, "sokolow_lyon") == pytest.approx(1.1 + 1.7, abs=0.1)
    r_avl = np.cos(np.radians(50)) - np.cos(np.radians(10)) / 2  # I - II / 2: negative here, so no R
    assert value(found, "cornell") == pytest.approx(max(0, r_avl) + 1.1, abs=0.1)
    assert value(found, "transition") == 4
    assert [d.lead for d in found.progression] == list(CHEST)
    np.testing.assert_allclose([d.s for d in found.progression], [1.1, 1.4, 1.1, 0.7, 0.3, 0.15], atol=0.1)


def test_qt_is_corrected_for_rate() -> None:
    found = measure(synthetic(rr=0.6))
    assert value(found, "rate") == pytest.approx(100, abs=0.5)
    assert value(found, "qtcf") == pytest.approx(value(found, "qt") / 0.6 ** (1 / 3), rel=0.01)
    assert value(found, "qtcb") == pytest.approx(value(found, "qt") / 0.6**0.5, rel=0.01)
    assert value(found, "pr") == pytest.approx(1000 * (0.16 - 0.03 + 2.2 * 0.018), abs=20)


def test_what_is_not_there_is_not_measured() -> None:
    without_p = measure(synthetic(p=0))
    assert without_p.pr.value is None
    assert without_p.pr.reason == "no P wave found"
    assert without_p.pr.flag is None
    assert without_p.p_axis.value is None
    assert measure(synthetic(t=0.02)).qt.value is None
    nothing = measure(ECG(np.zeros((12, 5000), np.float32), RATE))
    assert all(row.value is None and "beats" in row.reason for row in nothing.rows)
    assert nothing.beat is None


def test_a_lead_off_takes_only_what_needs_it() -> None:
    ecg = synthetic()
    signal = ecg.signal.copy()
    signal[[LEADS.index("V3"), LEADS.index("aVF")]] = np.nan
    found = measure(ECG(signal, RATE))
    assert found.qrs_axis.reason == "no signal in aVF"
    assert found.cornell.reason == "no signal in V3"
    assert value(found, "sokolow_lyon") == pytest.approx(2.8, abs=0.1)
    assert "V3" not in [d.lead for d in found.progression]


def test_median_beat_is_quieter_than_a_beat_and_leaves_foreign_beats_out() -> None:
    ecg = synthetic()
    rng = np.random.default_rng(0)
    noisy = ecg.signal + rng.normal(0, 0.03, ecg.signal.shape).astype(np.float32)
    noisy[:, round(4.45 * RATE) : round(4.65 * RATE)] -= 2 * ecg.signal[:, round(4.45 * RATE) : round(4.65 * RATE)]
    clean, found = median_beat(ecg), median_beat(ECG(noisy, RATE))
    assert clean is not None
    assert found is not None
    assert found.count < clean.count
    first, last = (round(t * RATE) for t in (clean.waves.qrs_onset, clean.waves.qrs_offset))
    r = round(clean.waves.r * RATE) - round(found.waves.r * RATE)
    assert abs(r) <= 2
    error = found.signal[:, first:last] - clean.signal[:, first:last]
    assert np.sqrt(np.mean(error**2)) < 0.03 * 2 / 3


def test_limits_are_those_of_their_sources() -> None:
    woman, man, unknown, child = limits(50, "female"), limits(50, "male"), limits(), limits(6, "male")
    assert (woman["qtcf"].high, man["qtcf"].high, unknown["qtcf"].high) == (459, 449, 459)  # long from 450 and 460 on
    assert (woman["cornell"].high, man["cornell"].high, unknown["cornell"].high) == (2.0, 2.8, 2.8)
    assert man["qrs"].high == 110
    assert child["qrs"].high == 100
    assert (child["qrs_axis"].low, child["qrs_axis"].high) == (0, 140)
    assert "qtcf" not in child
    assert "not well established" in limits(25)["sokolow_lyon"].source
    assert [man["qrs_axis"].axis_flag(a) for a in (-31, -30, 90, 91, 179, -179, -91)] == [
        "low", "normal", "normal", "high", "high", "high", "low",
    ]  # fmt: skip


def test_flags_follow_sex_and_age() -> None:
    ecg = synthetic(rr=0.6, t=0.4)
    for row in measure(ecg, sex="female", age=50).rows:
        assert (row.flag is None) == (row.limit is None or row.value is None)
    assert measure(ecg, age=0.5).rate.flag is None
    assert measure(synthetic(-60)).qrs_axis.flag == "low"
    assert measure(synthetic(rr=1.4)).rate.flag == "low"


def test_annotated_records_give_the_intervals_of_their_annotators(shared: Path) -> None:
    """LUDB, every 15th record: QRS and QT near those between the outermost-but-one annotations of all leads, less what
    is taken off on purpose, as devices print less."""
    from benchmarks.delineation_references import ludb

    folder = shared / "ludb"
    if not folder.is_dir():
        pytest.skip("LUDB is not among the shared recordings")
    errors: dict[str, list[float]] = {"qrs": [], "qt": []}
    for reference in ludb(folder, every=15):
        found = measure(reference.ecg, beats=delineate(reference.ecg))
        for name, last in (("qrs", "qrs_offset"), ("qt", "t_offset")):
            truth = np.median([1000 * (b[last] - b["qrs_onset"]) for b in reference.beats if last in b])
            errors[name].append(value(found, name) - float(truth))
    assert len(errors["qrs"]) >= 10
    meant = 1000 * (SHIFT["qrs_offset"] - SHIFT["qrs_onset"])
    assert -15 < meant < 0
    assert np.median(np.abs(np.array(errors["qrs"]) - meant)) < 10
    assert np.median(np.abs(errors["qt"])) < 25


def test_a_recorders_own_measurements_of_the_same_tracing(shared: Path) -> None:
    """A real tracing that GE's 12SL measured: its figures stand in the export's XML."""
    xml = shared / "formats" / "guangxi_teaching_sinus_rhythm.xml"
    if not xml.is_file():
        pytest.skip("the recorder's file is not among the shared recordings")
    text = xml.read_text(errors="replace")
    found = measure(read(xml.with_suffix(".dcm")))
    for name, tag, near in (
        ("rate", "VentricularRate", 2), ("pr", "PRInterval", 20), ("qrs", "QRSDuration", 20), ("qt", "QTInterval", 30),
        ("p_axis", "PAxis", 20), ("qrs_axis", "RAxis", 15), ("t_axis", "TAxis", 15),
    ):  # fmt: skip
        told = re.search(rf"<{tag}>(-?\d+)<", text)
        assert told is not None
        assert abs(value(found, name) - float(told[1])) <= near, name


def test_a_deep_q_before_a_small_r_counts_as_s() -> None:
    """Left bundle branch block: Qr in V2 and V3 of 1.4 and 1.9 mV; what is read from S is read from it."""
    signal = np.zeros((12, 200))
    wave = np.exp(-0.5 * ((np.arange(200) - 80) / 6) ** 2)
    late = np.exp(-0.5 * ((np.arange(200) - 112) / 4) ** 2)
    for lead, (q, r) in {"V1": (1.0, 0.0), "V2": (1.4, 0.04), "V3": (1.9, 0.09), "V6": (0.0, 1.2)}.items():
        signal[LEADS.index(lead)] = -q * wave + r * (late if q else wave)
    waves = Beat(0.16, None, None, 0.10, 0.26, None, None)
    found = intervals._deflections(MedianBeat(signal, 500.0, waves, 10), set())
    assert [found[lead].s for lead in ("V1", "V2", "V3", "V6")] == pytest.approx([1.0, 1.4, 1.9, 0.0], abs=0.02)
    assert found["V3"].r == pytest.approx(0.09, abs=0.01)


def test_a_p_wave_without_an_end_has_no_duration() -> None:
    made = synthetic()
    beats = delineate(made)
    empty = tuple(replace(beat, p_offset=beat.p_onset) for beat in beats.beats)
    found = measure(made, beats=replace(beats, beats=empty))
    for each in (found.p_duration, found.pr):
        assert each.value is None
        assert "no P wave" in each.reason
