"""Parts that several encoders are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm and a shortcut (He et al. 2016, in one dimension)."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, out, kernel, stride, kernel // 2, bias=False)
        self.first_norm = nn.BatchNorm1d(out)
        self.second = nn.Conv1d(out, out, kernel, 1, kernel // 2, bias=False)
        self.second_norm = nn.BatchNorm1d(out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv1d(channels, out, 1, stride, bias=False), nn.BatchNorm1d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return torch.relu(y + self.shortcut(x))
