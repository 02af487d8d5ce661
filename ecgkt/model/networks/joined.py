"""The beat encoders of a network as one, for inference: the same outputs but for rounding, in half the time.

Members' convolutions lie side by side as one convolution in groups, batch norm is folded into their weights, and a
place's channels lie together in memory. Bundles hold the members as they were trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from ecgkt.model.networks.beat_encoder import BeatNet, BeatView, beat_view
from ecgkt.model.networks.blocks import ResidualBlock
from ecgkt.model.networks.ensemble import Ensemble
from ecgkt.model.networks.network import Network


def joined(network: Network) -> Network:
    """A network for inference with the outputs that `network` has in evaluation; `network` itself, if its encoders are
    no `BeatNet`s."""
    encoder = getattr(network, "encoder", None)
    members = list(encoder.encoders) if isinstance(encoder, Ensemble) else [encoder]
    beat_nets = [each for each in members if isinstance(each, BeatNet)]
    if len(beat_nets) < len(members):
        return network
    result = deepcopy(network)
    result.encoder = JoinedBeatNets([deepcopy(each).eval() for each in beat_nets])
    return result.eval().requires_grad_(False)


class JoinedBeatNets(nn.Module):
    """`BeatNet`s of one size, as `Ensemble` gives their embeddings: [B, 12, T] or `BeatView` -> [B, members * D]."""

    def __init__(self, members: Sequence[BeatNet]) -> None:
        super().__init__()
        layers = list(zip(*(each.beat for each in members), strict=True))
        last = members[0].beat[-1]
        assert isinstance(last, ResidualBlock)
        channels = last.second.out_channels
        self.beat = nn.Sequential(
            # All members see the same templates, so the first layer is no convolution in groups.
            _side_by_side([_folded(*pair) for pair in zip(*layers[:2], strict=True)], groups=1),
            nn.ReLU(),
            *(_JoinedBlock(blocks) for blocks in layers[3:]),
            _side_by_side([_placed(each.places, channels) for each in members], len(members)),
            nn.ReLU(),
        )
        self.timing = nn.ModuleList(nn.Sequential(each.usual_rhythm, *each.timing) for each in members)
        self.usual_rhythm = members[0].usual_rhythm
        self.dimension = sum(each.dimension for each in members)

    def forward(self, x: Tensor | BeatView) -> Tensor:
        view = x if isinstance(x, BeatView) else beat_view(x)
        beats = self.beat(view.templates[:, :, None]).flatten(1).chunk(len(self.timing), dim=1)
        timings = [timing(view.rhythm) for timing in self.timing]
        return torch.cat([part for pair in zip(beats, timings, strict=True) for part in pair], dim=1)


class _JoinedBlock(nn.Module):
    """`ResidualBlock`s side by side."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        members = [each for each in blocks if isinstance(each, ResidualBlock)]
        count = len(members)
        self.first = _side_by_side([_folded(each.first, each.first_norm) for each in members], count)
        self.second = _side_by_side([_folded(each.second, each.second_norm) for each in members], count)
        shortcuts = [each.shortcut for each in members if isinstance(each.shortcut, nn.Sequential)]
        self.shortcut = _side_by_side([_folded(*each) for each in shortcuts], count) if shortcuts else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


def _folded(convolution: nn.Module, norm: nn.Module) -> nn.Conv1d:
    assert isinstance(convolution, nn.Conv1d)
    assert isinstance(norm, nn.BatchNorm1d)
    return fuse_conv_bn_eval(convolution, norm)


def _placed(places: nn.Sequential, channels: int) -> nn.Conv1d:
    """The linear layer of `BeatNet.places`, with a weight a channel and place, as a convolution over all places."""
    _, _, linear, norm, _ = places
    assert isinstance(linear, nn.Linear)
    assert isinstance(norm, nn.BatchNorm1d)
    dense = fuse_linear_bn_eval(linear, norm)
    convolution = nn.Conv1d(channels, dense.out_features, dense.in_features // channels)
    convolution.weight.data = dense.weight.view_as(convolution.weight)
    convolution.bias = dense.bias
    return convolution


def _side_by_side(members: Sequence[nn.Conv1d], groups: int) -> nn.Conv2d:
    """One convolution over images of height 1: torch lays channels together (channels last) in two dimensions only."""
    first = members[0]
    sizes = first.kernel_size, first.stride, first.padding
    inputs, outputs = groups * first.in_channels, len(members) * first.out_channels
    kernel, stride, padding = ((short, int(each[0])) for short, each in zip((1, 1, 0), sizes, strict=True))
    result = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups)
    weight = torch.cat([each.weight for each in members])[:, :, None]
    result.weight.data = weight.contiguous(memory_format=torch.channels_last)
    result.bias = nn.Parameter(torch.cat([each.bias for each in members if each.bias is not None]))
    return result
