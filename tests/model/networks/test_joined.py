"""Encoders joined for inference are the members that they were made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgkt.datasets.collection import Collection
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.bundle import load_bundle
from ecgkt.model.default_bundle import DEFAULT_BUNDLE
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import BEAT, RHYTHM_FEATURES
from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.model.networks.joined import joined
from ecgkt.model.networks.network import Architecture, Network

LABELS = {"findings": ["AFIB", "LVH"], "labs": ["potassium_high"]}
ROWS = 9


def _trained(members: int, widths: list[int], rhythm: int = 32) -> Network:
    """A network whose batch norms have seen something, so that folding them in changes every weight."""
    torch.manual_seed(members)
    architecture = Architecture("ecg", {"kind": "beat", "widths": widths, "rhythm": rhythm}, LABELS, members=members)
    network = Network(architecture).train()
    for _ in range(3):
        network(BeatView(2 * torch.randn(64, 36, BEAT) + 0.3, 3 * torch.rand(64, RHYTHM_FEATURES)))
    return network.eval().requires_grad_(False)


def _logits_and_slopes(network: Network, view: BeatView, head: str, target: int) -> tuple[torch.Tensor, ...]:
    """(logits [B, labels], gradient of one by templates, by rhythm)."""
    templates, rhythm = view.templates.clone().requires_grad_(True), view.rhythm.clone().requires_grad_(True)
    logits = network(BeatView(templates, rhythm))[head]
    return (logits, *torch.autograd.grad(logits[:, target].sum(), (templates, rhythm)))


@pytest.mark.parametrize(
    ("members", "widths", "rhythm"), [(1, [8, 8, 12, 16], 32), (3, [8, 12, 12, 16], 8), (2, [16, 8, 8, 8], 32)]
)
def test_logits_and_their_slopes_are_the_members(members: int, widths: list[int], rhythm: int) -> None:
    network = _trained(members, widths, rhythm)
    fast = joined(network)
    assert fast.dimension == network.dimension
    view = BeatView(0.5 * torch.randn(ROWS, 36, BEAT), torch.rand(ROWS, RHYTHM_FEATURES))
    for head, codes in LABELS.items():
        for target in range(len(codes)):
            slow, quick = (_logits_and_slopes(each, view, head, target) for each in (network, fast))
            for one, other in zip(slow, quick, strict=True):
                torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5 * float(one.detach().abs().max()))


def test_the_shipped_network_says_of_tracings_what_its_members_say() -> None:
    """From the tracing on, so beats are found and averaged too; and it is the members that are left to be saved."""
    network = load_bundle(DEFAULT_BUNDLE).networks["knowledge_transfer"]
    before = set(network.state_dict())
    fast = joined(network)
    signal = 0.3 * torch.randn(4, 12, 1000, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(fast.embed(signal), network.embed(signal), rtol=1e-4, atol=1e-5)
    assert set(network.state_dict()) == before


def test_explanations_are_those_of_the_members(shipped_examples: Collection) -> None:
    """Every way that the pages use, from effects to integrated gradients. A sample at which a rectifier is about to
    turn goes either way, so in parts of all that there is to be shared out."""
    bundle = load_bundle(DEFAULT_BUNDLE)
    fast, slow = Model(bundle), Model(bundle)
    slow._networks = bundle.networks
    for entry in shipped_examples.entries[:24:8]:
        ecg = shipped_examples.read(entry.key)
        ours, theirs = AnalyzedECG(ecg), AnalyzedECG(ecg)
        for code in ("SR", "LAFB", "potassium_high", "NORM"):
            one, other = fast.attribute(ours, code), slow.attribute(theirs, code)
            assert one.method == other.method
            total = float(np.abs(other.relevance).sum()) + abs(other.rhythm)
            assert float(np.abs(one.relevance - other.relevance).sum()) < 5e-3 * total, code
            assert one.rhythm == pytest.approx(other.rhythm, abs=1e-4 * total)


def test_an_encoder_of_another_kind_stays_as_it_is() -> None:
    network = Network(Architecture("ecg", {"kind": "resnet", "width": 8}, LABELS)).eval()
    assert joined(network) is network
    table = Network(Architecture("table", {}, LABELS, columns=["age"])).eval()
    assert joined(table) is table
