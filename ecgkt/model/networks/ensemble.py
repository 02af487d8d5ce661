"""Several encoders of one kind side by side: [B, ...] -> their embeddings one after another, [B, members * D].

Networks that were trained independently become one network whose logits are the mean of theirs
(training/train/ensemble.py): the heads read the members' embeddings with each member's own weights, divided by their
number.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ecgkt.model.networks.beat_encoder import BeatNet, BeatView, beat_view
from ecgkt.model.networks.encoders import dimension_of


class Ensemble(nn.Module):
    def __init__(self, encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.dimension = sum(dimension_of(encoder) for encoder in encoders)

    def forward(self, x: Tensor | BeatView) -> Tensor:
        if isinstance(self.encoders[0], BeatNet) and not isinstance(x, BeatView):
            x = beat_view(x)  # once for all
        return torch.cat([encoder(x) for encoder in self.encoders], dim=1)


def usual_rhythm(encoder: nn.Module) -> Tensor | None:
    """[16] the rhythm features' mean over training, for an encoder that looks at beats; None for any other."""
    first = encoder.encoders[0] if isinstance(encoder, Ensemble) else encoder
    norm = getattr(first, "usual_rhythm", None)
    return norm.running_mean if isinstance(norm, nn.BatchNorm1d) else None
