"""Every encoder is held to the same contract, so that another can be put in its place without a thought."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecgkt.model.networks.encoders import ENCODERS, build_encoder
from ecgkt.model.networks.network import Architecture, Network, count_parameters

SMALL = {
    "beat": {"widths": (8, 8, 8, 8), "hidden": 16, "rhythm": 8},
    "resnet": {"width": 8},
    "xresnet1d50": {"width": 8, "blocks": (1, 1, 2)},
    "s4": {"width": 16, "layers": 2, "state": 4},
}


@pytest.fixture(params=sorted(ENCODERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def encoder(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return build_encoder({"kind": kind, **SMALL[kind]}).eval()


def test_every_encoder_is_under_contract() -> None:
    assert set(SMALL) == set(ENCODERS)


@pytest.mark.parametrize("samples", [500, 997, 1000])
def test_output_is_finite_and_has_the_stated_dimension(kind: str, samples: int) -> None:
    network = encoder(kind)
    out = network(torch.randn(3, 12, samples))
    assert out.shape == (3, network.dimension)
    assert torch.isfinite(out).all()


def test_input_is_not_changed(kind: str) -> None:
    x = torch.randn(2, 12, 1000)
    before = x.clone()
    encoder(kind)(x)
    assert torch.equal(x, before)


def test_batch_equivariance_and_no_leak_between_samples(kind: str) -> None:
    network, x = encoder(kind), torch.randn(5, 12, 1000)
    order = torch.tensor([3, 0, 4, 1, 2])
    out = network(x)
    torch.testing.assert_close(network(x[order]), out[order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(x[2:3]), out[2:3], rtol=1e-4, atol=1e-5)


def test_gradient_reaches_every_lead(kind: str) -> None:
    x = torch.randn(1, 12, 1000, requires_grad=True)
    encoder(kind)(x).square().sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    assert (x.grad.abs().sum(dim=2) > 0).all()


def test_a_lead_swap_changes_the_embedding(kind: str) -> None:
    network, x = encoder(kind), torch.randn(1, 12, 1000)
    swapped = x[:, [0, 1, 2, 3, 5, 4, *range(6, 12)]]
    assert not torch.allclose(network(x), network(swapped), atol=1e-4)


@pytest.mark.parametrize("modality", ["ecg", "table", "both"])
def test_rebuilt_from_json_and_weights_it_says_the_same(kind: str, modality: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    columns = [] if modality == "ecg" else ["lab:potassium", "vital:heartrate", "biometric:age"]
    architecture = Architecture(modality, {"kind": kind, **SMALL[kind]}, {"findings": ["AFIB", "SR"]}, columns)  # type: ignore[arg-type]
    network = Network(architecture)
    table = torch.randn(50, 3)
    table[::7, 1] = torch.nan
    if columns:
        network.table.fit(table)
    network.eval()
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    again = Network(Architecture(**json.loads(json.dumps(architecture.to_json())))).eval()
    again.load_state_dict(load_file(tmp_path / "w.safetensors"))
    x = torch.randn(4, 12, 1000)
    torch.testing.assert_close(again(x, table[:4])["findings"], network(x, table[:4])["findings"], rtol=0, atol=0)


def test_table_ranks_do_not_care_for_the_scale() -> None:
    """A lab in mg/dL or in mmol/L must give the same embedding: ranks are invariant under any rising map."""
    torch.manual_seed(0)
    values = torch.rand(200, 2) * 5 + 0.1
    plain, mapped = (Network(Architecture("table", {}, {}, ["lab:a", "lab:b"])).table for _ in range(2))
    plain.fit(values)
    mapped.fit(values.log() * 18)
    torch.testing.assert_close(plain.ranks(values), mapped.ranks(values.log() * 18), atol=0.03, rtol=0)
    ranks = plain.ranks(values)
    assert ranks.min() >= -1
    assert ranks.max() <= 1
    assert plain.ranks(torch.full((1, 2), torch.nan)).abs().sum() == 0


def test_xresnet1d50_has_the_published_shape() -> None:
    """Weights of the benchmark's network up to its pooling, counted by hand from its description: 12 -> 32 -> 32 -> 64
    with kernels of 5, then (3, 4, 6, 3) bottlenecks of 64 channels inside and 256 outside, one projected shortcut."""
    network = build_encoder({"kind": "xresnet1d50"})
    stem = 12 * 32 * 5 + 32 * 32 * 5 + 32 * 64 * 5 + 2 * (32 + 32 + 64)
    norms = 2 * (64 + 64 + 256)
    block = 256 * 64 + 64 * 64 * 5 + 64 * 256 + norms
    first = 64 * 64 + 64 * 64 * 5 + 64 * 256 + norms + 64 * 256 + 2 * 256  # the only one that widens
    assert count_parameters([network]) == stem + first + 15 * block
    features = network.stages(network.stem(torch.randn(1, 12, 1000)))
    assert features.shape == (1, 256, 32)
    assert network.dimension == 512
