"""Real ECGs changed as potassium changes them, and the probe that tells two kinds of ECGs apart."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from ecgkt.ecg import ECG, LEAD_INDEX
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.model.preprocessing import MODEL_RATE, model_view
from ecgkt.readers import read
from training.evaluate.hyperkalemia import with_potassium
from training.evaluate.labs_on_real_ecgs import _probe

NORMAL = "records100/00000/00024_lr.hea"  # PTB-XL, NORM


@pytest.fixture(scope="module")
def view(shared: Path) -> np.ndarray:
    return model_view(read(shared / "ptbxl" / NORMAL))


def beats_of(view: np.ndarray) -> Beats:
    return delineate(ECG(view, float(MODEL_RATE)))


def t_height(view: np.ndarray, beats: Beats, lead: str) -> float:
    heights = []
    for beat in beats.beats[1:-1]:
        part = view[LEAD_INDEX[lead], round(beat.t_onset * MODEL_RATE) : round(beat.t_offset * MODEL_RATE)]
        heights.append(np.abs(part - np.linspace(part[0], part[-1], len(part))).max())
    return float(np.median(heights))


def test_a_normal_potassium_changes_nothing(view: np.ndarray) -> None:
    np.testing.assert_allclose(with_potassium(view, 4.0), view, atol=1e-5)


def test_waves_follow_the_published_slopes_and_beats_stay_where_they_are(view: np.ndarray) -> None:
    before, after = beats_of(view), beats_of(with_potassium(view, 7.0))
    assert len(before.beats) == len(after.beats)
    np.testing.assert_allclose(before.r_times, after.r_times, atol=0.02)
    assert t_height(with_potassium(view, 7.0), after, "V4") > 1.2 * t_height(view, before, "V4")

    def median(beats: Beats, first: str, last: str) -> float:
        values = [(getattr(b, last), getattr(b, first)) for b in beats.beats]
        return float(np.median([1000 * (end - begin) for end, begin in values if None not in (end, begin)]))

    # 25 ms per mmol/L above 4.8, 16 above 6.3; the delineator's own error is about 10 ms.
    assert median(after, "p_onset", "qrs_onset") - median(before, "p_onset", "qrs_onset") == pytest.approx(55, abs=14)
    assert 0 < median(after, "qrs_onset", "qrs_offset") - median(before, "qrs_onset", "qrs_offset") < 30


def test_a_tracing_without_beats_stays_as_it_is() -> None:
    flat = np.zeros((12, 1000), dtype=np.float32)
    assert np.array_equal(with_potassium(flat, 8.0), flat)


@pytest.mark.slow
def test_the_probe_finds_what_is_there_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 150)
    patients = np.array([f"p{i}" for i in range(300)])
    features = rng.normal(size=(300, 10))
    config = SimpleNamespace(seed=1, bootstrap=100)
    for reader in (LogisticRegression(), RandomForestClassifier(50, random_state=0)):
        plain = features.copy()
        value, low, high = _probe(reader, plain, truth, patients, config)  # type: ignore[arg-type]
        assert low < 0.5 < high or abs(value - 0.5) < 0.08
        plain[:, 3] += 2 * truth
        value, low, _ = _probe(reader, plain, truth, patients, config)  # type: ignore[arg-type]
        assert value > 0.85
        assert low > 0.8
