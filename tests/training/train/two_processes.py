"""What test_across.py runs with one process, and under torchrun with two: each has its part of one batch.

python -m tests.training.train.two_processes OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from training.config import Hardware
from training.train import across, files
from training.train.devices import devices_of
from training.train.objectives import OBJECTIVES, joint_embedding_loss, masked_bce

BATCH, WIDTH = 24, 6
WEIGHTS = {"invariance": 25.0, "variance": 25.0, "covariance": 1.0, "temperature": 0.2, "sigreg": 0.3}


class TwoSides(nn.Module):
    """Two projections of one input, with batch norms over vectors and over sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.sequence = nn.Sequential(nn.Conv1d(2, 4, 3, bias=False), nn.BatchNorm1d(4), nn.ReLU())
        self.first, self.second = (
            nn.Sequential(nn.Linear(4, WIDTH, bias=False), nn.BatchNorm1d(WIDTH)) for _ in range(2)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.sequence(x).mean(dim=-1)
        return self.first(hidden), self.second(hidden)


def computed() -> dict[str, Tensor]:
    """Objective -> its loss over the whole batch, the gradient of every parameter, and the running statistics."""
    devices = devices_of(Hardware(accelerator="cpu"))
    rank, processes = devices.fabric.global_rank, devices.processes
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(BATCH, 2, 20, generator=generator)[rank::processes]
    truth = torch.randint(0, 2, (BATCH, WIDTH), generator=generator).float()
    truth[torch.rand(BATCH, WIDTH, generator=generator) < 0.5] = torch.nan
    truth[1::2, :4] = torch.nan  # with two processes one knows far more than the other
    found: dict[str, Tensor] = {}
    for name in (*OBJECTIVES, "heads"):
        torch.manual_seed(0)
        module = TwoSides()
        across.with_shared_statistics(module)
        torch.manual_seed(5 + rank)  # what is drawn must be the first process's
        ecg, table = module(x)
        if name == "heads":
            terms = {"bce": masked_bce(ecg, truth[rank::processes], int((~truth.isnan()).sum()))}
        else:
            terms = joint_embedding_loss(name, ecg, table, WEIGHTS, processes)
        part = torch.stack(list(terms.values())).sum()
        part.backward()  # type: ignore[no-untyped-call]
        found[f"{name} loss"] = _over_all(part.detach())
        for key, parameter in module.named_parameters():
            if parameter.grad is not None:
                found[f"{name} gradient {key}"] = _over_all(parameter.grad)
        found |= {f"{name} {key}": buffer.clone() for key, buffer in module.named_buffers()}
    return found


def _over_all(value: Tensor) -> Tensor:
    value = value.clone()
    if across.world() > 1:
        distributed.all_reduce(value)
    return value


def main(out: Path) -> None:
    found = computed()
    if devices_of(Hardware(accelerator="cpu")).is_first:
        files.save_tensors(out, found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
