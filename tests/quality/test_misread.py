"""An ECG that was misread is doubted, and named rightly as a rule; what was recorded well is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from ecgkt.datasets.collection import Collection
from ecgkt.ecg import ECG, INDEPENDENT, LEADS, derived_limb_leads
from ecgkt.measurements.delineation import WIDE_QRS, delineate
from ecgkt.measurements.median_beat import median_beat
from ecgkt.measurements.r_peaks import RATE, band
from ecgkt.quality import misread
from ecgkt.quality.lead_reversal import rows_of
from ecgkt.quality.misread import FAST, FILE, ORDER, SENTENCES, misreadings, quantities, suspected_misreading
from ecgkt.quality.speed import too_slow
from ecgkt.quality.usable import assess
from ecgkt.readers import read
from ecgkt.simulation.tracing import RATE as SIMULATED_RATE
from ecgkt.simulation.tracing import draw_tracing
from ecgkt.simulation.visits import visits
from tests.quality.test_usable import wide_tachycardia

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _pieces(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = signal.shape[1] // 100
    return signal.reshape(12, -1, size)[:, rng.permutation(signal.shape[1] // size)].reshape(12, -1)


def _leads(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out, rows = signal.copy(), rows_of(INDEPENDENT)
    out[rows] = signal[rng.permutation(rows)]
    for lead, row in derived_limb_leads(out[0], out[1]).items():
        out[LEADS.index(lead)] = row
    return out


WAYS: dict[str, Change] = {
    "backwards": lambda s, _: s[:, ::-1],
    "upside down": lambda s, _: -s,
    ORDER: _leads,
    "in pieces": _pieces,
    "twice as fast": lambda s, _: s[:, ::2],
}


@pytest.fixture(scope="module")
def ecgs() -> list[ECG]:
    """Tracings of simulated patients whose electrodes are where they belong."""
    sound: list[ECG] = []
    for visit in (first for index in range(60) for first in islice(visits(515, index), 1)):
        planned = visit.ecgs[0]
        tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
        if not tracing.fault and len(sound) < 40:
            sound.append(ECG(tracing.signal.astype(np.float32), float(SIMULATED_RATE)))
    return sound


def way_of(ecg: ECG) -> str | None:
    beats = delineate(ecg)
    kept = band(np.nan_to_num(ecg.resampled(RATE).signal.astype(float)), 0.5, 40.0)
    return suspected_misreading(beats, median_beat(ecg, beats), kept)


def changed(ecg: ECG, change: Change, seed: int) -> ECG:
    made = change(ecg.signal, np.random.default_rng(seed))
    return ECG(np.ascontiguousarray(made, dtype=np.float32), ecg.rate)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_misread_tracings_are_found_and_named(ecgs: list[ECG], way: str) -> None:
    found = Counter(way_of(changed(ecg, WAYS[way], seed)) for seed, ecg in enumerate(ecgs))
    assert found[None] <= 0.1 * len(ecgs), found
    assert found[way] >= 0.8 * len(ecgs), found


@pytest.mark.slow
def test_tracings_as_recorded_are_hardly_ever_doubted(ecgs: list[ECG]) -> None:
    assert sum(way_of(ecg) is not None for ecg in ecgs) <= 0.05 * len(ecgs)


@pytest.mark.slow
def test_real_recordings_are_told_from_the_same_misread(shared: Path) -> None:
    ecgs = [read(path) for path in sorted(shared.glob("ptbxl_native/records500/*/*.hea"))[::40]]
    if not ecgs:
        pytest.skip("the recordings are not among the shared ones")
    assert sum(way_of(ecg) is not None for ecg in ecgs) <= 1
    for way, change in WAYS.items():
        made = [ecg for ecg in (changed(ecg, change, seed) for seed, ecg in enumerate(ecgs)) if assess(ecg).ok]
        assert sum(way_of(ecg) is None for ecg in made) <= 1, way


def test_the_file_names_what_is_measured(shipped_examples: Collection) -> None:
    ecg = shipped_examples.read(shipped_examples.entries[0].key)
    beats = delineate(ecg)
    beat = median_beat(ecg, beats)
    assert beat is not None
    kept = band(ecg.resampled(RATE).signal.astype(float), 0.5, 40.0)
    values = quantities(beats, beat, kept)
    assert tuple(values) == misreadings().names
    assert np.isfinite(list(values.values())).all()
    content = json.loads(FILE.read_text())
    assert set(content["bias"]) == set(SENTENCES)
    assert {len(row) for row in content["quantities"].values()} == {2 + len(SENTENCES)}


def test_size_and_level_of_leads_say_nothing(shipped_examples: Collection) -> None:
    ecg = shipped_examples.read(shipped_examples.entries[0].key)
    beats = delineate(ecg)
    other = ECG((3 * ecg.signal + 0.2).astype(np.float32), ecg.rate)
    beat, larger = median_beat(ecg, beats), median_beat(other, beats)
    assert beat is not None
    assert larger is not None
    kept = band(ecg.resampled(RATE).signal.astype(float), 0.5, 40.0)
    one, two = (np.array(list(quantities(beats, b, k).values())) for b, k in ((beat, kept), (larger, 3 * kept)))
    np.testing.assert_allclose(two, one, atol=5e-3)


def test_a_wide_qrs_is_not_called_short(ecgs: list[ECG], monkeypatch: pytest.MonkeyPatch) -> None:
    """However much else speaks for an ECG at twice its speed, as in ventricular tachycardia."""
    model = misreadings()
    bias = np.where(np.array(model.ways) == FAST, 1e3, -1e3)
    monkeypatch.setattr(misread, "misreadings", lambda: replace(model, bias=bias))
    wide, narrow = [], []
    for ecg in ecgs:
        beats = delineate(ecg)
        beat = median_beat(ecg, beats)
        if beat is not None and len(beats.beats) > 1:
            is_wide = beat.waves.qrs_offset - beat.waves.qrs_onset > WIDE_QRS
            (wide if is_wide else narrow).append(way_of(ecg))
    assert len(wide) > 1
    assert set(wide) == {None}
    assert set(narrow) <= {FAST}


@pytest.mark.parametrize("way", ["upside down", "backwards"])
def test_a_wide_tachycardia_is_not_called_turned(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that starts at the apex has its QRS down where others have it up, and neither P before nor T after it."""
    model = misreadings()
    bias = np.where(np.array(model.ways) == way, 1e3, -1e3)
    monkeypatch.setattr(misread, "misreadings", lambda: replace(model, bias=bias))
    assert way_of(wide_tachycardia(70, 0.2)) == way
    assert way_of(wide_tachycardia(120, 0.2)) is None


def test_nothing_is_said_without_a_beat() -> None:
    flat = ECG(np.zeros((12, 5000), np.float32), 500.0)
    beats = delineate(flat)
    assert way_of(flat) is None
    assert too_slow(beats, median_beat(flat, beats)) == ()


def test_half_the_speed_is_a_doubt_for_a_long_qrs_and_qt(ecgs: list[ECG]) -> None:
    def slow(ecg: ECG) -> bool:
        beats = delineate(ecg)
        return bool(too_slow(beats, median_beat(ecg, beats)))

    assert any(slow(ECG(ecg.signal, ecg.rate / 2)) for ecg in ecgs[:10])
    assert not any(slow(ecg) for ecg in ecgs[:10])
