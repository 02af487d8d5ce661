"""Integrated gradients along scaled templates are Captum's along scaled tracings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from ecgkt.datasets.collection import Collection
from ecgkt.model import attribution
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import find_beats
from ecgkt.model.networks.beat_encoder import beat_view, shrunk
from ecgkt.model.networks.ensemble import usual_rhythm


@pytest.mark.parametrize("head", ["findings", "diagnoses", "labs"])
def test_integrated_gradients_are_captums(shipped_model: Model, shipped_examples: Collection, head: str) -> None:
    network = shipped_model._networks["knowledge_transfer"]
    usual = usual_rhythm(network.encoder)
    assert usual is not None
    for entry in shipped_examples.entries[:: len(shipped_examples.entries) // 3]:
        signal = torch.from_numpy(AnalyzedECG(shipped_examples.read(entry.key)).windows[0][1])[None]
        assert float(signal.abs().max()) <= attribution.CLIP_MV
        found = find_beats(signal)
        rhythm = beat_view(signal, found).rhythm
        logits = attribution._BeatLogits(network, head, found)
        ours = logits.integrated(signal, rhythm, usual[None], 2)
        captums = IntegratedGradients(logits).attribute(
            (signal, rhythm),
            baselines=(torch.zeros_like(signal), usual[None]),
            target=2,
            n_steps=attribution.STEPS,
            internal_batch_size=attribution.STEPS,
        )
        # A sample where a rectifier is about to turn goes either way; so in parts of what there is to be shared out.
        total = sum(float(each.abs().sum()) for each in captums)
        for mine, theirs in zip(ours, captums, strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-5 * total, rtol=1e-4)
        assert sum(float(each.sum()) for each in ours) == pytest.approx(
            sum(float(each.sum()) for each in captums), abs=1e-4 * total
        )


def test_templates_of_a_smaller_tracing_are_smaller(shipped_examples: Collection) -> None:
    signal = torch.from_numpy(AnalyzedECG(shipped_examples.read(shipped_examples.entries[0].key)).windows[0][1])[None]
    found = find_beats(signal)
    share = torch.tensor([0.01, 0.3, 1.0])
    every = torch.cat([beat_view(signal * each, found).templates for each in share])
    torch.testing.assert_close(shrunk(beat_view(signal, found).templates, share), every, atol=1e-5, rtol=1e-4)


def test_beyond_the_clip_the_sum_still_is_the_logits_change(shipped_model: Model, shipped_examples: Collection) -> None:
    """A tracing with an artifact of 8 mV, whose path is not a scaled one."""
    network = shipped_model._networks["knowledge_transfer"]
    signal = AnalyzedECG(shipped_examples.read(shipped_examples.entries[0].key)).windows[0][1].copy()
    signal[6, 480:490] = 8.0
    relevance, rhythm = attribution.relevance(network, torch.from_numpy(signal)[None], "findings", 2)
    assert np.isfinite(relevance).all()
    usual = usual_rhythm(network.encoder)
    assert usual is not None
    with torch.inference_mode():
        seen = torch.from_numpy(signal)[None].clamp(-attribution.CLIP_MV, attribution.CLIP_MV)
        found = find_beats(seen)
        logits = attribution._BeatLogits(network, "findings", found)
        change = logits(seen, beat_view(seen, found).rhythm) - logits(torch.zeros_like(seen), usual[None])
    assert float(relevance.sum()) + rhythm == pytest.approx(float(change[0, 2]), abs=0.25)
