"""ECG encoders: [B, 12, T] millivolts -> [B, D].

Any length T >= 64 is taken. A new encoder is one class here (or in a file of its own) and one line in `ENCODERS`;
tests/model/networks/test_encoders.py holds every one of them to the same contract.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import BeatNet
from ecgkt.model.networks.blocks import ResidualBlock
from ecgkt.model.networks.xresnet import XResNet1d


class ResNet1d(nn.Module):
    """Residual network over time; `width` channels after the stem, doubled at each of four stages."""

    def __init__(self, width: int = 32, kernel: int = 7, blocks: int = 1) -> None:
        super().__init__()
        # Stride 2 twice before the first stage: at 100 Hz a stage then sees 25 Hz, enough for ST-T, while the stem's
        # 15 taps (150 ms) keep the QRS detail; halves the cost against a stem of stride 2 alone.
        self.stem = nn.Sequential(
            nn.Conv1d(len(LEADS), width, 15, 2, 7, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.MaxPool1d(2)
        )
        stages: list[nn.Module] = []
        channels = width
        for stage in range(4):
            for block in range(blocks):
                out = width * 2**stage
                stride = 2 if block == 0 and stage > 0 else 1
                stages.append(ResidualBlock(channels, out, kernel, stride))
                channels = out
        self.stages = nn.Sequential(*stages)
        self.dimension = channels

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(x)).mean(dim=-1)


class S4DLayer(nn.Module):
    """Diagonal state-space convolution (Gu et al. 2022, S4D-Lin), applied by FFT; [B, C, T] -> [B, C, T]."""

    def __init__(self, channels: int, state: int) -> None:
        super().__init__()
        step = torch.exp(torch.rand(channels) * (math.log(0.1) - math.log(0.001)) + math.log(0.001))
        self.log_step = nn.Parameter(step.log())
        self.log_decay = nn.Parameter(torch.full((channels, state), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(state).float().repeat(channels, 1))
        self.output = nn.Parameter(torch.randn(channels, state, 2) * 0.5**0.5)
        self.skip = nn.Parameter(torch.randn(channels))
        self.mix = nn.Sequential(nn.GELU(), nn.Conv1d(channels, 2 * channels, 1), nn.GLU(dim=1))
        self.norm = nn.BatchNorm1d(channels)

    def kernel(self, length: int) -> Tensor:
        poles = torch.complex(-self.log_decay.exp(), self.frequency)  # [C, N]
        scaled = poles * self.log_step.exp()[:, None]
        residues = torch.view_as_complex(self.output) * (scaled.exp() - 1) / poles
        time = torch.arange(length, device=poles.device)
        return 2 * torch.einsum("cn,cnt->ct", residues, (scaled[..., None] * time).exp()).real

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        kernel = torch.fft.rfft(self.kernel(length), n=2 * length)
        y = torch.fft.irfft(torch.fft.rfft(x, n=2 * length) * kernel, n=2 * length)[..., :length]
        return x + self.mix(self.norm(y + self.skip[:, None] * x))


class S4(nn.Module):
    """Stack of diagonal state-space layers, the encoder family of MDS-ED, small enough for a CPU."""

    def __init__(self, width: int = 64, layers: int = 3, state: int = 16) -> None:
        super().__init__()
        self.stem = nn.Conv1d(len(LEADS), width, 5, 2, 2)
        self.layers = nn.Sequential(*(S4DLayer(width, state) for _ in range(layers)))
        self.dimension = width

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(self.stem(x)).mean(dim=-1)


ENCODERS: dict[str, Callable[..., nn.Module]] = {
    "beat": BeatNet,
    "resnet": ResNet1d,
    "xresnet1d50": XResNet1d,
    "s4": S4,
}


def dimension_of(encoder: nn.Module) -> int:
    """D of an encoder's output."""
    dimension = encoder.dimension
    assert isinstance(dimension, int)
    return dimension


def build_encoder(architecture: dict[str, Any]) -> nn.Module:
    """The encoder that `{"kind": NAME, **sizes}` describes; its `dimension` is D. Raises KeyError for another kind."""
    sizes = {key: value for key, value in architecture.items() if key != "kind"}
    return ENCODERS[architecture["kind"]](**sizes)
