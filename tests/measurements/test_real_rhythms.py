"""Recordings that were once measured wrong: beats, rates, pacing and intervals as counted by eye or printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import delineate
from ecgkt.measurements.intervals import Intervals, measure
from ecgkt.readers import read


def found(shared: Path, name: str) -> Intervals:
    path = shared / name
    if name.startswith("ptbxl/"):
        number = int(name.split("/")[1])
        path = shared / "ptbxl" / "records100" / f"{number // 1000 * 1000:05d}" / f"{number:05d}_lr.hea"
    if not path.is_file():
        pytest.skip(f"{name} is not among the shared recordings")
    return measure(read(path))


def ms(measured: Intervals, name: str) -> float:
    value = getattr(measured, name).value
    assert value is not None, getattr(measured, name).reason
    return float(value)


@pytest.mark.parametrize(
    ("name", "rate", "near"),
    [
        ("ptbxl/6967", 69, 3), ("ptbxl/2301", 72, 1), ("ptbxl/20932", 64, 1), ("cinc/JS20002.hea", 83, 1),
        ("ptbxl/18730", 72, 2), ("ptbxl/16827", 84, 2), ("ptbxl/622", 102, 2),
    ],
)  # fmt: skip
def test_rate_is_the_mean_of_all_beats_and_of_beats_only(shared: Path, name: str, rate: float, near: float) -> None:
    assert ms(found(shared, name), "rate") == pytest.approx(rate, abs=near)


def test_an_irregular_rhythm_says_its_range(shared: Path) -> None:
    fibrillation, tremor = found(shared, "ptbxl/20932"), found(shared, "ptbxl/622")
    assert fibrillation.rate_range is not None
    low, high = fibrillation.rate_range
    assert low < 40 < 85 < high
    assert "each with the RR before it" in fibrillation.qtcf.note
    assert tremor.rate_range is None


def test_intervals_of_a_paced_beat_are_those_printed(shared: Path) -> None:
    paced = found(shared, "vendor/muse_braveheart_4_paced.xml")
    assert paced.pacing == "ventricular pacing"
    assert len(paced.beats.pacing.spikes) == len(paced.beats.beats)
    for name, printed, near in (("rate", 61, 1), ("pr", 209, 25), ("qrs", 128, 10), ("qt", 459, 10), ("qtcb", 463, 10)):
        assert ms(paced, name) == pytest.approx(printed, abs=near), name
    assert paced.qrs.limit is None
    assert paced.qrs_axis.flag is None


def test_spikes_are_no_beats(shared: Path) -> None:
    paced = found(shared, "ludb/data/45.hea")
    assert paced.pacing == "dual-chamber pacing"  # the annotators': unipolar atrial and ventricular pacing
    spikes = np.array(paced.beats.pacing.spikes)
    before = [float(np.min(t - spikes[spikes < t - 0.1])) for t in spikes if (t - spikes > 0.1).any()]
    assert np.median(before) == pytest.approx(0.18, abs=0.02)  # s from the atrial to the ventricular spike
    at = paced.beats.r_times
    np.testing.assert_allclose(np.median(np.diff(at)), 1.0, atol=0.02)
    assert not any(np.abs(at - spike).min() < 0.015 for spike in paced.beats.pacing.spikes)


def test_at_a_high_rate_p_is_not_taken_for_t(shared: Path) -> None:
    fast = found(shared, "cinc/JS20016.hea")
    assert 250 <= ms(fast, "qt") <= 305  # 260 to 293 by eye
    assert 100 <= ms(fast, "pr") <= 200


def test_an_unpaced_tracing_has_no_spikes(shared: Path) -> None:
    assert found(shared, "vendor/muse_braveheart_1.xml").beats.pacing.spikes == ()


def test_half_the_sampling_rate_and_another_gain_give_the_same_intervals(shared: Path) -> None:
    path = shared / "vendor" / "muse_braveheart_1.xml"
    if not path.is_file():
        pytest.skip("the recording is not among the shared ones")
    ecg = read(path)
    whole = measure(ecg)
    for other in (ecg.resampled(250), ECG(ecg.signal * 2, ecg.rate)):
        for name in ("pr", "p_duration", "qrs", "qt"):
            assert ms(measure(other), name) == pytest.approx(ms(whole, name), abs=8), name


def test_a_later_start_finds_the_same_boundaries(shared: Path) -> None:
    path = shared / "vendor" / "muse_braveheart_1.xml"
    if not path.is_file():
        pytest.skip("the recording is not among the shared ones")
    ecg = read(path)
    whole, late = delineate(ecg).beats, delineate(ecg.crop(1.1, 8.0)).beats
    for beat in late[1:-1]:
        same = min(whole, key=lambda b, r=beat.r: abs(b.r - 1.1 - r))
        assert abs(same.qrs_onset - 1.1 - beat.qrs_onset) < 0.012
        assert beat.t_offset is not None
        assert same.t_offset is not None
        assert abs(same.t_offset - 1.1 - beat.t_offset) < 0.02


@pytest.mark.parametrize(
    ("name", "rate"),
    [("ludb/data/35.hea", 288), ("ludb/data/103.hea", 273), ("ptbxl/14083", 263),
     ("ptbxl_native/records500/00000/00020_hr.hea", 278), ("ptbxl_native/records500/00000/00023_hr.hea", 254)],
)  # fmt: skip
def test_atrial_flutter_is_told_by_name(shared: Path, name: str, rate: float) -> None:
    """The rates of the waves were counted by eye; 20 and 23 conduct every second wave."""
    flutter = found(shared, name)
    assert flutter.beats.flutter is not None
    assert flutter.beats.flutter.rate == pytest.approx(rate, rel=0.04)
    assert "probably atrial flutter" in flutter.rhythm
    assert flutter.pr.value is None
    assert "flutter waves" in flutter.pr.reason
    assert "flutter waves" in flutter.qt.reason


@pytest.mark.parametrize(
    "name",
    ["ptbxl/20932", "ptbxl_native/records500/00000/00307_hr.hea", "ptbxl_native/records500/00000/00351_hr.hea",
     "cinc/JS20016.hea", "ptbxl/622", "ptbxl/18539"],
)  # fmt: skip
def test_fibrillation_and_fast_sinus_rhythm_are_no_flutter(shared: Path, name: str) -> None:
    other = found(shared, name)
    assert other.beats.flutter is None
    assert "flutter" not in other.rhythm


def test_p_waves_that_march_through_belong_to_no_qrs(shared: Path) -> None:
    """Paced in complete block, native PTB-XL 190: the P waves go their own way."""
    block = found(shared, "ptbxl_native/records500/00000/00190_hr.hea")
    assert block.pr.value is None
    assert block.pr.reason == "P waves and QRS independent of each other"
    assert "AV dissociation" in block.rhythm


def test_p_waves_of_an_irregular_rhythm_must_be_sure(shared: Path) -> None:
    fibrillation, block = found(shared, "ptbxl/13189"), found(shared, "ptbxl_native/records500/00000/00346_hr.hea")
    assert fibrillation.pr.value is None  # stated to be fibrillation
    assert block.pr.value is None  # stated to be first-degree block: rather none than a normal one
