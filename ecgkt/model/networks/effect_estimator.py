"""What labs and conditions are likely to have changed in an average beat: for each cause of the simulator, how likely
its effect is there and what it changed if it is.

A beat less such a change is the beat that this patient would have without the cause: a reference made for this patient.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgkt import ecg
from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_detection import BEAT, RHYTHM_FEATURES
from ecgkt.model.networks.beat_encoder import TEMPLATES, BeatView

INDEPENDENT = tuple(LEADS.index(lead) for lead in ecg.INDEPENDENT)  # their rows
POINTS = len(INDEPENDENT) * BEAT
LIMIT = 4.0  # standard deviations at which an input ends: beyond it nothing was learned


def twelve(leads: Tensor) -> Tensor:
    """[..., 8, samples] of `INDEPENDENT` -> [..., 12, samples], by Einthoven and Goldberger."""
    one, two = leads[..., 0, :], leads[..., 1, :]
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return torch.cat([torch.stack(limb, dim=-2), leads[..., 2:, :]], dim=-2)


class EffectEstimator(nn.Module):
    """Average beat and rhythm -> each cause's change, as a few shapes of its own by their sizes, and how likely it is.

    Buffers are figures of the ECGs it learned from, filled by `training.effects.fit`: mean and axes of their beats,
    middle and scale of the inputs, the causes' shapes, and of ECGs that no cause changed the average beat and the
    spread between beats [12, BEAT], the size of the most ectopic beat's difference [12, 1] (mV), and the range of the
    rhythm [16].
    """

    mean: Tensor
    axes: Tensor
    middle: Tensor
    scale: Tensor
    shapes: Tensor
    usual_beat: Tensor
    usual_spread: Tensor
    usual_ectopic: Tensor
    usual_rhythm: Tensor

    def __init__(self, causes: int, axes: int = 100, shapes: int = 8, width: int = 256) -> None:
        super().__init__()
        inputs = axes + RHYTHM_FEATURES + len(LEADS)
        self.register_buffer("mean", torch.zeros(POINTS))
        self.register_buffer("axes", torch.zeros(POINTS, axes))
        self.register_buffer("middle", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.register_buffer("shapes", torch.zeros(causes, shapes, POINTS))
        self.register_buffer("usual_beat", torch.zeros(len(LEADS), BEAT))
        self.register_buffer("usual_spread", torch.zeros(len(LEADS), BEAT))
        self.register_buffer("usual_ectopic", torch.zeros(len(LEADS), 1))
        self.register_buffer("usual_rhythm", torch.zeros(2, RHYTHM_FEATURES))
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.1)
        )
        self.sizes = nn.Linear(width, causes * shapes)
        self.presence = nn.Linear(width, causes)

    def inputs(self, view: BeatView) -> Tensor:
        """[B, inputs] of a view in mV: the average beat on its axes, the rhythm, how much beats differ in each lead."""
        average, spread, _ = view.templates.chunk(TEMPLATES, dim=1)
        beat = (average[:, list(INDEPENDENT)].flatten(1) - self.mean) @ self.axes
        every = torch.cat([beat, view.rhythm, (spread.mean(dim=2) + 0.01).log()], dim=1)
        return ((every - self.middle) / self.scale).clamp(-LIMIT, LIMIT)

    def outputs(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(sizes [B, causes, shapes], logits of presence [B, causes])."""
        hidden = self.layers(inputs)
        return self.sizes(hidden).view(-1, *self.shapes.shape[:2]), self.presence(hidden)

    def forward(self, view: BeatView) -> tuple[Tensor, Tensor]:
        """(changes [B, causes, 12, BEAT] mV, how likely each is there [B, causes]) of a view in mV."""
        sizes, presence = self.outputs(self.inputs(view))
        changes = torch.einsum("bcs,csp->bcp", sizes, self.shapes)
        return twelve(changes.view(*changes.shape[:2], len(INDEPENDENT), BEAT)), presence.sigmoid()

    def usual_differences(self, view: BeatView) -> Tensor:
        """[B, 24, BEAT]: the view's second and third template, had its beats differed as beats usually do."""
        most = view.templates[:, 2 * len(LEADS) :]
        size = most.square().mean(dim=2, keepdim=True).sqrt().clamp(min=1e-6)
        spread = torch.minimum(view.templates[:, len(LEADS) : 2 * len(LEADS)], self.usual_spread)
        return torch.cat([spread, most * (self.usual_ectopic / size).clamp(max=1)], dim=1)

    def nearest_usual_rhythm(self, rhythm: Tensor) -> Tensor:
        """[B, 16]: each feature at the nearest end of its usual range, where it is not within."""
        return torch.minimum(torch.maximum(rhythm, self.usual_rhythm[0]), self.usual_rhythm[1])

    def usual_view(self) -> BeatView:
        """One view that nothing changed."""
        most = torch.zeros_like(self.usual_spread)
        templates = torch.cat([self.usual_beat, self.usual_spread, most])[None]
        return BeatView(templates, self.usual_rhythm.mean(dim=0, keepdim=True))
