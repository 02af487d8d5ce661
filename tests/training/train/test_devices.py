"""Precision and the shares of a batch: what a process computes, and that no share draws what another draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from training.config import Hardware
from training.train.devices import WHOLE, Devices, Share


def test_shares_are_a_partition_of_the_batch_with_draws_of_their_own() -> None:
    rows = np.arange(24)
    shares = Devices(Hardware(accelerator="cpu", accumulate=4)).shares(24)
    assert sorted(np.concatenate([share.rows(rows) for share in shares])) == list(rows)
    seeds = {share.seed(seed, step) for share in shares for seed in range(20) for step in range(5)}
    assert len(seeds) == 4 * 20 * 5
    assert WHOLE.seed(7, 3) == (7, 3)


def test_what_is_known_is_counted_over_the_whole_batch() -> None:
    targets = np.array([[1, np.nan], [0, 1]], dtype=np.float32)
    assert Share(0, 2).known(targets) == 3
    assert WHOLE.known(targets) is None


class Outputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 8)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"head": self.layer(x)}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_whatever_the_network_computes_in_its_losses_are_float32(precision: str) -> None:
    torch.manual_seed(0)
    module, x = Outputs(), torch.randn(16, 64)
    exact = module(x)["head"]
    devices = Devices(Hardware(accelerator="cpu", precision=precision))  # type: ignore[arg-type]
    found = devices.forward(module)(x)["head"]
    assert found.dtype == torch.float32
    assert torch.equal(found, exact) == (precision == "float32")
    torch.testing.assert_close(found, exact, rtol=0.05, atol=0.02)
    found.sum().backward()
    assert module.layer.weight.grad.dtype == torch.float32


def test_the_cpu_computes_in_float32_unless_told_otherwise() -> None:
    assert not Devices(Hardware(accelerator="cpu")).bfloat16
