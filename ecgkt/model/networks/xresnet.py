"""xresnet1d50, the best single network of the PTB-XL benchmark (Strodthoff et al. 2021, doi 10.1109/JBHI.2020.3022989).

A bottleneck ResNet-50 over time with the changes of He et al. 2019 (arXiv 1812.01187): a stem of three convolutions,
strides in the middle convolution of a block, shortcuts that average before they project, and last batch norms that
begin at 0. As in the benchmark every stage has 64 channels inside a block and kernels of 5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgkt.ecg import LEADS

EXPANSION = 4


def convolution(channels: int, out: int, kernel: int, stride: int = 1, zero: bool = False) -> nn.Sequential:
    """Convolution and batch norm; zero: of a block's last, so that a block begins as its shortcut."""
    norm = nn.BatchNorm1d(out)
    nn.init.constant_(norm.weight, 0.0 if zero else 1.0)
    conv = nn.Conv1d(channels, out, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight)
    return nn.Sequential(conv, norm)


class Bottleneck(nn.Module):
    """[B, channels, T] -> [B, EXPANSION * width, T / stride]"""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        out = EXPANSION * width
        self.convolutions = nn.Sequential(
            convolution(channels, width, 1), nn.ReLU(),
            convolution(width, width, kernel, stride), nn.ReLU(),
            convolution(width, out, 1, zero=True),
        )  # fmt: skip
        shortcut: list[nn.Module] = [nn.AvgPool1d(2, ceil_mode=True)] if stride != 1 else []
        if channels != out:
            shortcut.append(convolution(channels, out, 1))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.convolutions(x) + self.shortcut(x))


class XResNet1d(nn.Module):
    """blocks: of each stage. As the benchmark's head, D is mean and maximum over time of the last stage's channels."""

    def __init__(self, width: int = 64, kernel: int = 5, blocks: tuple[int, ...] = (3, 4, 6, 3)) -> None:
        super().__init__()
        half = width // 2
        self.stem = nn.Sequential(
            convolution(len(LEADS), half, kernel, 2), nn.ReLU(),
            convolution(half, half, kernel), nn.ReLU(),
            convolution(half, width, kernel), nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
        )  # fmt: skip
        stages: list[nn.Module] = []
        channels = width
        for stage, count in enumerate(blocks):
            for block in range(count):
                stages.append(Bottleneck(channels, width, kernel, 2 if block == 0 and stage > 0 else 1))
                channels = EXPANSION * width
        self.stages = nn.Sequential(*stages)
        self.dimension = 2 * channels

    def forward(self, x: Tensor) -> Tensor:
        features = self.stages(self.stem(x))
        return torch.cat([features.mean(dim=-1), features.amax(dim=-1)], dim=1)
