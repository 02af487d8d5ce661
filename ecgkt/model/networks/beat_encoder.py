"""An encoder that looks at a tracing as a reader does: the average beat, what single beats do otherwise, the rhythm.

Looking (`beat_view`) has no weights, so training does it once for each ECG; the network proper starts from a
`BeatView`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_detection import (
    BEAT,
    RHYTHM_FEATURES,
    DetectedBeats,
    cut,
    even,
    find_beats,
    rhythm_features,
)
from ecgkt.model.networks.blocks import ResidualBlock

# Times the median squared distance from the average beat, from which a beat is one by itself. Some beat is beyond it in
# 11% of 150 of PTB-XL's normal ECGs, in 71% of those with ventricular ectopy (docs/LOG.md).
DIFFERENT = 6.0
SMALL = 1e-6  # mV squared, or of a lead's scale
TEMPLATES = 3  # average beat, spread between beats, the most ectopic beat less the average


@dataclass(frozen=True)
class BeatView:
    """What a `BeatNet` sees. templates: [B, 36, BEAT], the three `TEMPLATES` of 12 leads one after another (mV, or in
    units of the network's lead scale); rhythm: [B, 16], see `ecgkt.model.networks.beat_detection.rhythm_by_name`."""

    templates: Tensor
    rhythm: Tensor

    def scaled(self, lead_scale: Tensor) -> BeatView:
        """With every lead divided by its scale, [12, 1]: templates grow and shrink with the tracing."""
        return BeatView(self.templates / lead_scale.repeat(TEMPLATES, 1), self.rhythm)


def beat_view(signal: Tensor, found: DetectedBeats | None = None, some: Tensor | None = None) -> BeatView:
    """[B, 12, T] -> what there is to see. found: from `find_beats`, if known already.

    some: bool [B, N], the beats that the average is made of (default all): averages of random halves are training's
    way to have several views of one ECG. Templates are differentiable in `signal`, the rhythm is not.
    """
    found = find_beats(signal) if found is None else found
    beats, inside = cut(signal, found)
    kept = inside
    if some is not None:
        some = some & found.is_beat
        kept = inside * (some | ~some.any(dim=1, keepdim=True))[:, :, None, None]
    average = _mean(beats, kept)
    away = (beats - average[:, None]) * inside
    # The small term keeps the root's slope finite where all beats agree; 1e-3 of a lead's scale or mV is no signal.
    spread = (away.square().sum(dim=1) / inside.sum(dim=1).clamp(min=1) + SMALL).sqrt()
    ectopic = _distance_from_average(away.detach(), inside).argmax(dim=1)
    most = away[torch.arange(len(signal), device=signal.device), ectopic]
    return BeatView(torch.cat([average, spread, most], dim=1), rhythm_features(found, beats, inside))


def shrunk(templates: Tensor, share: Tensor) -> Tensor:
    """[S, 36, BEAT]: the templates [1, 36, BEAT] of a tracing that is scaled to each `share` [S] of its size."""
    average, spread, most = templates.chunk(TEMPLATES, dim=1)
    scale = share[:, None, None]
    variance = spread.square() - SMALL
    return torch.cat([scale * average, (scale.square() * variance + SMALL).sqrt(), scale * most], dim=1)


def _mean(beats: Tensor, kept: Tensor) -> Tensor:
    """[B, 12, BEAT] the average of the beats' `kept` parts."""
    return (beats * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)


def _distance_from_average(away: Tensor, inside: Tensor) -> Tensor:
    """[B, N] how far each beat is from the average, every lead counting alike."""
    return (even(away) * inside).square().mean(dim=(2, 3))


@torch.no_grad()
def all_similar(signal: Tensor, found: DetectedBeats) -> bool:
    """Are the beats of one tracing [1, 12, T] all of one kind? False where there are no two."""
    return int(found.is_beat.sum()) > 1 and not bool(different_beats(signal, found).any())


@torch.no_grad()
def different_beats(signal: Tensor, found: DetectedBeats) -> Tensor:
    """bool [1, N]: which beats of one tracing [1, 12, T] are unlike the others."""
    beats, inside = cut(signal, found)
    distances = _distance_from_average((beats - _mean(beats, inside)[:, None]) * inside, inside)
    return (distances > DIFFERENT * distances[found.is_beat].median()) & found.is_beat


class BeatNet(nn.Module):
    """Templates of the beat -> convolutions, rhythm -> a small perceptron; [B, 12, T] or `BeatView` -> [B, D].

    Beats are aligned, so a place in the beat has a meaning and is kept apart by a linear layer instead of pooled over.
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (32, 48, 64, 64), hidden: int = 128, rhythm: int = 32
    ) -> None:
        super().__init__()
        first, second, third, last = widths
        self.beat = nn.Sequential(
            nn.Conv1d(TEMPLATES * len(LEADS), first, 7, 2, 3, bias=False), nn.BatchNorm1d(first), nn.ReLU(),
            ResidualBlock(first, second, 5, 1),
            ResidualBlock(second, third, 5, 2),
            ResidualBlock(third, last, 5, 2),
        )  # fmt: skip
        places = -(-BEAT // 8)
        self.places = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(last * places, hidden), nn.BatchNorm1d(hidden), nn.ReLU()
        )
        # Features have their own scales; the running mean is also the neutral rhythm that attribution starts from.
        self.usual_rhythm = nn.BatchNorm1d(RHYTHM_FEATURES, affine=False)
        self.timing = nn.Sequential(nn.Linear(RHYTHM_FEATURES, rhythm), nn.ReLU(), nn.Linear(rhythm, rhythm), nn.ReLU())
        self.dimension = hidden + rhythm

    def forward(self, x: Tensor | BeatView) -> Tensor:
        view = x if isinstance(x, BeatView) else beat_view(x)
        timing = self.timing(self.usual_rhythm(view.rhythm))
        return torch.cat([self.places(self.beat(view.templates)), timing], dim=1)
