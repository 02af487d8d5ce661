"""What ships: the bundle, the examples, and the words written about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import ecgkt
from ecgkt.datasets.collection import Collection
from ecgkt.ecg import ECGError
from ecgkt.model.attribution import METHODS, relevance
from ecgkt.model.bundle import load_bundle
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import find_beats
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.ensemble import usual_rhythm
from ecgkt.model.preprocessing import MODEL_RATE, model_view

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "assets" / "models" / "default"


def test_examples_are_many_marked_and_readable(shipped_model: Model, shipped_examples: Collection) -> None:
    simulated = [entry for entry in shipped_examples.entries if entry.simulated]
    assert len({entry.title.split(",")[0] for entry in simulated}) >= 24
    assert len(shipped_examples.entries) > len(simulated), "the real recording is missing"
    shown = {code for entry in simulated for code in entry.diagnoses}
    groups: dict[str, set[str]] = {}
    for label in shipped_model.labels["diagnoses"]:
        groups.setdefault(label.group, set()).add(label.code)
    assert [group for group, codes in groups.items() if not codes & shown] == []
    for entry in shipped_examples.entries:
        assert shipped_examples.read(entry.key).signal.shape[0] == 12


def test_the_real_example_is_explained(shipped_model: Model, shipped_examples: Collection) -> None:
    entry = next(entry for entry in shipped_examples.entries if not entry.simulated)
    prediction = shipped_model.predict(shipped_examples.read(entry.key))
    assert not prediction.abstained
    assert set(prediction.superclasses) == {"NORM", "MI", "STTC", "CD", "HYP"}
    for scores in (prediction.findings, prediction.diagnoses, prediction.labs):
        values = [score.probability for score in scores]
        assert values == sorted(values, reverse=True)
        assert all(0 <= value <= 1 for value in values)
    assert not {"MI", "STTC", "CD", "HYP"} & {score.label.code for score in prediction.findings}


def test_only_the_multimodal_model_reads_the_table_and_it_does(
    shipped_model: Model, shipped_examples: Collection
) -> None:
    entry = next(entry for entry in shipped_examples.entries if entry.has_table)
    ecg, clinical = shipped_examples.read(entry.key), shipped_examples.clinical(entry.key)
    alone, both = shipped_model.compare(ecg), shipped_model.compare(ecg, clinical)
    sees_a_table = {name for name in both if name.startswith("multimodal")}
    assert "multimodal" in sees_a_table
    assert {"knowledge_transfer", "signal_only"} <= set(alone)
    assert set(both) - set(alone) == sees_a_table
    assert all(both[name] == alone[name] for name in alone)
    healthier = shipped_model.compare(ecg, {**clinical, "lab:creatinine": 0.8, "lab:urea_nitrogen": 10.0})["multimodal"]
    sicker = shipped_model.compare(ecg, {**clinical, "lab:creatinine": 9.0, "lab:urea_nitrogen": 90.0})["multimodal"]
    assert sicker["N18"] > healthier["N18"]


def test_integrated_gradients_add_up_to_the_change_of_the_logit(shipped_examples: Collection) -> None:
    """Completeness (Sundararajan 2017): signal and rhythm sum to logit(ECG) - logit(flat line, usual rhythm)."""
    network = load_bundle(BUNDLE).networks["knowledge_transfer"]
    signal = torch.from_numpy(model_view(shipped_examples.read(shipped_examples.entries[0].key))[:, :1000].copy())[None]
    target = network.architecture.labels["findings"].index("AFIB")
    with torch.no_grad():
        flat = BeatView(
            beat_view(torch.zeros_like(signal), find_beats(signal)).templates, usual_rhythm(network.encoder)[None]
        )
        change = network(signal)["findings"][0, target] - network(flat)["findings"][0, target]
    of_signal, of_rhythm = relevance(network, signal, "findings", target)
    total = float(of_signal.sum()) + of_rhythm
    assert total == pytest.approx(float(change), rel=0.15, abs=0.15)


def test_attribution_covers_a_long_tracing_and_leaves_the_model_alone(
    shipped_model: Model, shipped_examples: Collection
) -> None:
    ecg = shipped_examples.read(shipped_examples.entries[0].key)
    long = ecgkt.ECG(np.tile(ecg.signal, (1, 2)), ecg.rate)
    before = shipped_model.predict(ecg).labs
    for method in METHODS:
        attribution = shipped_model.attribute(long, "potassium_high", method)
        assert attribution.relevance.shape == (12, round(long.seconds * MODEL_RATE))
        assert np.isfinite(attribution.relevance).all()
        assert (np.abs(attribution.relevance).reshape(12, 20, -1).sum(axis=2) > 0).any(axis=0).all()
    assert shipped_model.predict(ecg).labs == before
    with pytest.raises(KeyError, match="unobtainium"):
        shipped_model.attribute(ecg, "unobtainium_high")
    with pytest.raises(ECGError):
        shipped_model.attribute(ecgkt.ECG(np.zeros((12, 5000), np.float32), 500), "potassium_high")
