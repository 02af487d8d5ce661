"""The novelty score with an embedding that can be checked by eye, and what the model does with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from pydicom.data import get_testdata_file

from ecgkt.ecg import ECG, ECGError
from ecgkt.model.bundle import NOVELTY_FILE, load_bundle, save_bundle
from ecgkt.model.model import Model
from ecgkt.model.out_of_distribution import TOO_UNLIKE, UNLIKE, Novelty
from ecgkt.readers import read
from training.calibrate import out_of_distribution as fitting
from training.train.predict import embeddings_of_signals

BUNDLE = Path(__file__).resolve().parents[2] / "assets" / "models" / "default"


class Steps:
    """Embeds an ECG as the size and the roughness of each lead."""

    dimension = 36
    lead_scale = torch.ones(12, 1)

    def embed(self, signal: torch.Tensor) -> torch.Tensor:
        rough = signal.diff(dim=2).abs().mean(dim=2) / signal.std(dim=2)
        return torch.cat([signal.std(dim=2), rough, rough**2], dim=1)


class TwoSources:
    """Beats of two kinds: 300 patients of the first source, 40 of the second, in every split."""

    sizes = (300, 40)
    sets = (
        SimpleNamespace(info={"name": "first", "simulated": True}),
        SimpleNamespace(info={"name": "second", "simulated": False}),
    )

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        each = sum(self.sizes)
        t = np.arange(1000) / 100
        pattern = np.linspace(-0.5, 1.5, 12)[None, :, None]
        rate = rng.uniform(0.7, 1.3, (3 * each, 1, 1))
        beat = np.exp(-((((t * rate) % 1 - 0.5) / rng.uniform(0.02, 0.03, (3 * each, 1, 1))) ** 2))
        noise = 0.02 * rng.standard_normal((3 * each, 12, 1000))
        self.all = (rng.uniform(0.7, 1.4, (3 * each, 12, 1)) * pattern * beat + noise).astype(np.float32)
        self.split = np.repeat(["train", "validation", "test"], each)
        self.source = np.tile(np.repeat([0, 1], self.sizes), 3)
        self.ecgs = pd.DataFrame({"patient": np.arange(3 * each).astype(str)})

    def rows(self, split: str, source: int | None = None) -> np.ndarray:
        return np.flatnonzero((self.split == split) & ((self.source == source) | (source is None)))

    def signals(self, rows: np.ndarray) -> np.ndarray:
        return self.all[rows]


@pytest.fixture(scope="module")
def pool() -> TwoSources:
    return TwoSources()


@pytest.fixture(scope="module")
def fitted(pool: TwoSources) -> Novelty:
    return fitting.fit(Steps(), pool, 0)  # type: ignore[arg-type]


@pytest.mark.slow
def test_limits_are_those_of_validation_and_junk_lies_beyond(pool: TwoSources, fitted: Novelty) -> None:
    for source in (0, 1):
        scores = fitted.score(embeddings_of_signals(Steps(), pool.signals(pool.rows("validation", source))))  # type: ignore[arg-type]
        assert (scores > fitted.near).mean() <= fitting.FALSE_ALARMS
        assert (scores > fitted.far).sum() == 0
    figures = fitting.figures(fitted, Steps(), pool, 0)  # type: ignore[arg-type]
    assert {row.kind: row.near > 0.9 for row in figures.junk if row.kind.endswith("noise")} == {
        "white noise": True, "pink noise": True, "brown noise": True,
    }  # fmt: skip
    assert all(entry.near < 0.1 for entry in figures.test.values())
    assert {row.seen for row in figures.junk} == {True, False}


def test_junk_is_what_it_says(pool: TwoSources) -> None:
    signals = pool.signals(pool.rows("test")[:20])
    for name, made in fitting.seen_junk(signals, np.random.default_rng(0)).items():
        assert made.shape == signals.shape
        np.testing.assert_allclose(made[:, 2], made[:, 1] - made[:, 0], atol=1e-5, err_msg="Einthoven")
        if "noise" in name:
            np.testing.assert_allclose(made[:, 6:].std(axis=2), signals[:, 6:].std(axis=2), rtol=1e-3)
    unseen = fitting.unseen_junk(signals, np.random.default_rng(0))
    np.testing.assert_array_equal(unseen["backwards"][:, :, ::-1], signals)
    assert all(made.shape == signals.shape for made in unseen.values())


def test_it_is_the_same_from_a_file_and_older_bundles_have_none(fitted: Novelty, tmp_path: Path) -> None:
    bundle = load_bundle(BUNDLE)
    size = bundle.networks["knowledge_transfer"].dimension
    arrays = {key: np.resize(values, size) for key, values in fitted.tensors().items() if key != "limits"}
    fitted = replace(fitted, **arrays)  # as long as an embedding of the bundle's network
    save_bundle(tmp_path / "new", bundle.networks, bundle.card, bundle.metrics, fitted)
    again = load_bundle(tmp_path / "new").novelty
    embedding = np.linspace(-1, 1, len(fitted.mean))
    assert again is not None
    assert again.score(embedding) == pytest.approx(fitted.score(embedding))
    assert (again.near, again.far) == (fitted.near, fitted.far)
    save_bundle(tmp_path / "old", bundle.networks, bundle.card, bundle.metrics)
    assert not (tmp_path / "old" / NOVELTY_FILE).exists()
    assert load_bundle(tmp_path / "old").novelty is None


def test_the_model_warns_beyond_the_near_limit_and_abstains_beyond_the_far_one() -> None:
    ecg = read(get_testdata_file("waveform_ecg.dcm", download=False))
    bundle = load_bundle(BUNDLE)
    size = bundle.networks["knowledge_transfer"].dimension
    flat = Novelty(np.zeros(size), np.ones(size), np.zeros(size), np.zeros(size), bias=0.0, near=1.0, far=2.0)

    def said(novelty: Novelty | None) -> tuple[bool, str]:
        prediction = Model(replace(bundle, novelty=novelty)).predict(ecg)
        return prediction.abstained, " ".join(prediction.quality.reasons + prediction.quality.warnings)

    assert said(None) == (False, "")
    assert said(flat) == (False, "")
    assert said(replace(flat, bias=1.5)) == (False, UNLIKE)
    assert said(replace(flat, bias=2.5)) == (True, TOO_UNLIKE)
    with pytest.raises(ECGError, match="not trained on anything like"):
        Model(replace(bundle, novelty=replace(flat, bias=2.5))).attribute(ECG(ecg.signal, ecg.rate), "AFIB")
