"""Waves against cardiologists' annotations (LUDB)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from pydicom.data import get_testdata_file

from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import SEGMENTS, Beat, Beats, delineate
from ecgkt.measurements.p_waves import p_waves
from ecgkt.measurements.r_peaks import Signal
from ecgkt.measurements.wave_network import OUT_RATE
from ecgkt.readers import read


@pytest.fixture(scope="module")
def real() -> ECG:
    return read(get_testdata_file("waveform_ecg.dcm", download=False))


def test_beats_do_not_depend_on_sampling_rate_or_lead_scale(real: ECG) -> None:
    beats = delineate(real)
    for other in (
        real.resampled(500),
        ECG(real.signal * np.linspace(0.5, 3, 12, dtype=np.float32)[:, None], real.rate),
    ):
        again = delineate(other)
        assert len(again.beats) == len(beats.beats)
        np.testing.assert_allclose(again.r_times, beats.r_times, atol=0.025)
        assert again.heart_rate == pytest.approx(beats.heart_rate, rel=0.02)


def test_times_shift_with_the_tracing(real: ECG) -> None:
    whole, late = delineate(real), delineate(real.crop(2.0, 8.0))
    later = whole.r_times[whole.r_times > 2.2] - 2.0
    np.testing.assert_allclose([np.abs(late.r_times - r).min() for r in later], 0, atol=0.02)


def test_boundaries_are_in_order(real: ECG) -> None:
    last = 0.0
    for beat in delineate(real).beats:
        edges = [beat.p_onset, beat.p_offset, beat.qrs_onset, beat.r, beat.qrs_offset, beat.t_onset, beat.t_offset]
        known = [last, *(edge for edge in edges if edge is not None)]
        assert known == sorted(known)
        last = known[-1]


def test_no_beats_without_a_heart() -> None:
    assert delineate(ECG(np.zeros((12, 5000), np.float32), 500.0)).beats == ()
    assert delineate(ECG(np.full((12, 5000), np.nan, np.float32), 500.0)).heart_rate is None
    assert delineate(ECG(np.ones((12, 20), np.float32), 500.0)).beats == ()


BEATS = Beats((Beat(0.5, 0.30, 0.40, 0.45, 0.55, 0.65, 0.80), Beat(1.5, None, None, 1.45, 1.55, 1.65, 1.80)))


def test_segments_partition_a_beat() -> None:
    times = [0.1, 0.35, 0.42, 0.5, 0.6, 0.7, 1.0, 1.3, 1.5, 1.9]
    assert list(BEATS.wave_at(times)) == ["", "P", "PR", "QRS", "ST", "T", "TP", "TP", "QRS", ""]
    masks = BEATS.masks(200, 100.0)
    assert np.max(np.sum([masks[s] for s in SEGMENTS], axis=0)) == 1
    assert masks["QRS"].sum() == 20


def test_waves_agree_with_cardiologists(shared: Path) -> None:
    """Every fifth LUDB record: at least 99% of R peaks within 75 ms and few others; edges near those in lead II."""
    found = missed = extra = 0
    errors: dict[str, list[float]] = {"qrs_onset": [], "qrs_offset": [], "t_offset": []}
    for number in range(1, 200, 5):
        record = shared / "ludb" / "data" / str(number)
        if not record.with_suffix(".hea").is_file():
            continue
        annotation = wfdb.rdann(str(record), "ii")
        times, symbols = annotation.sample / 500, annotation.symbol
        truth = [(times[i - 1], times[i], times[i + 1]) for i, s in enumerate(symbols) if s == "N"]
        t_ends = [times[i + 1] for i, s in enumerate(symbols) if s == "t"]
        beats = delineate(read(record.with_suffix(".hea")))
        inside = [b for b in beats.beats if truth[0][0] - 0.1 < b.r < truth[-1][2] + 0.1]
        for onset, peak, offset in truth:
            near = [b for b in inside if abs(b.r - peak) < 0.075]
            found, missed = found + bool(near), missed + (not near)
            if near:
                errors["qrs_onset"].append(near[0].qrs_onset - onset)
                errors["qrs_offset"].append(near[0].qrs_offset - offset)
                ends = [t for t in t_ends if 0 < t - peak < 0.6]
                if ends and near[0].t_offset is not None:
                    errors["t_offset"].append(near[0].t_offset - ends[0])
        extra += sum(all(abs(b.r - peak) >= 0.075 for _, peak, _ in truth) for b in inside)
    assert found > 200
    assert found / (found + missed) > 0.99
    assert found / (found + extra) > 0.98
    assert np.median(np.abs(errors["qrs_onset"])) < 0.012
    assert np.median(np.abs(errors["qrs_offset"])) < 0.016
    assert np.median(np.abs(errors["t_offset"])) < 0.030


def test_where_t_begins_at_the_j_point_the_first_stretch_is_st() -> None:
    beat = Beat(1.0, None, None, 0.95, 1.05, 1.05, 1.40)
    short = Beat(3.0, None, None, 2.95, 3.05, 3.05, 3.09)
    assert list(Beats((beat, short)).wave_at([1.04, 1.06, 1.10, 1.12, 1.39, 3.06, 3.10])) == [
        "QRS", "ST", "ST", "T", "T", "ST", "",
    ]  # fmt: skip


def marching(
    pp: float, rr: float, missed: tuple[int, ...] = (), extra: tuple[float, ...] = ()
) -> tuple[Signal, Signal]:
    """Probability of P for 10 s, with P waves every `pp` s and QRS every `rr` s, of which those behind QRS are hidden;
    missed: P waves that are not seen; extra: what is taken for one."""
    onsets = np.arange(0.6, 10, rr)
    at = [t for k, t in enumerate(np.arange(0.1, 9.8, pp)) if k not in missed]
    seen = [t for t in at if np.abs(t + 0.05 - onsets - 0.05).min() > 0.1]
    time = np.arange(round(10 * OUT_RATE)) / OUT_RATE
    probability = sum((np.abs(time - t - 0.05) < 0.05).astype(float) for t in [*seen, *extra])
    return np.minimum(probability, 1.0), onsets


@pytest.mark.parametrize(
    ("missed", "extra"), [((), ()), ((3, 9), ()), ((1, 3, 6, 8, 10), ()), ((4,), (2.35, 7.4)), ((5, 6), (3.1,))]
)
def test_p_waves_that_march_through_are_found_though_some_are_missed_or_taken_for(
    missed: tuple[int, ...], extra: tuple[float, ...]
) -> None:
    probability, onsets = marching(0.72, 1.63, missed, extra)
    assert p_waves(probability, onsets, np.ones(len(onsets), bool)).kind == "dissociated"


def test_what_keeps_no_pace_marches_through_nothing() -> None:
    kinds = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum(rng.uniform(0.5, 1.2, 14))
        time = np.arange(round(14 * OUT_RATE)) / OUT_RATE
        probability = sum((np.abs(time - t) < 0.05).astype(float) for t in np.cumsum(rng.uniform(0.3, 1.3, 14)))
        kinds.add(p_waves(np.minimum(probability, 1.0), onsets, np.ones(len(onsets), bool)).kind)
    assert "dissociated" not in kinds
