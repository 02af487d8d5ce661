"""The whole network: normalization -> encoder (ECG, table or both) -> a linear head for findings, diagnoses, labs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.model.networks.encoders import build_encoder, dimension_of
from ecgkt.model.networks.ensemble import Ensemble

Modality = Literal["ecg", "table", "both"]
CLIP_MV = 5.0  # beyond +-5 mV a band-passed ECG holds artifact or pacing spikes only


@dataclass(frozen=True)
class Architecture:
    """Everything needed to build a `Network` again; goes into bundle.json as it is.

    labels: head -> codes in the order of the head's outputs. columns: clinical inputs, in order (table, both).
    members: encoders of each side, side by side.
    """

    modality: Modality
    encoder: dict[str, Any]
    labels: dict[str, list[str]]
    columns: list[str] = field(default_factory=list)
    table_width: int = 128
    dropout: float = 0.1
    members: int = 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class TableEncoder(nn.Module):
    """Clinical values -> [B, D]: each value as its rank among the training patients, missing values flagged.

    Ranks (ECDF) make the scale and the tails of a lab irrelevant (Symile-MIMIC's recipe). `quantiles` [columns, Q]
    are the training quantiles; filled by `fit`, kept with the weights.
    """

    QUANTILES = 101
    quantiles: Tensor

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.register_buffer("quantiles", torch.linspace(0, 1, self.QUANTILES).repeat(columns, 1))
        self.layers = nn.Sequential(
            nn.Linear(2 * columns, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, width), nn.ReLU()
        )
        self.dimension = width

    def fit(self, values: Tensor) -> None:
        """Take the quantiles from the training rows, values [N, columns] with NaN where missing."""
        levels = torch.linspace(0, 1, self.QUANTILES)
        for column in range(values.shape[1]):
            known = values[:, column][~values[:, column].isnan()]
            if len(known):
                self.quantiles[column] = torch.quantile(known.double(), levels.double()).to(self.quantiles.dtype)

    def ranks(self, values: Tensor) -> Tensor:
        """[B, columns] with NaN -> ranks in -1..1, ties at the middle of their range, missing 0."""
        missing = values.isnan()
        filled = values.nan_to_num(0.0).T.contiguous()
        below = torch.searchsorted(self.quantiles, filled, right=False)
        above = torch.searchsorted(self.quantiles, filled, right=True)
        rank = (below + above).T.float() / 2 / self.QUANTILES
        return torch.where(missing, 0.0, 2 * rank - 1)

    def inputs(self, values: Tensor) -> Tensor:
        """[B, 2 * columns]: ranks, and which values are missing."""
        return torch.cat([self.ranks(values), values.isnan().float()], dim=1)

    def forward(self, values: Tensor) -> Tensor:
        return self.layers(self.inputs(values))


class Network(nn.Module):
    """Logits of every head from an ECG [B, 12, T] (mV), a table [B, columns] (NaN missing) or both."""

    lead_scale: Tensor
    table: TableEncoder | Ensemble

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.register_buffer("lead_scale", torch.full((len(LEADS), 1), 0.25))  # mV; set from the training set
        dimension = 0
        if architecture.modality != "table":
            encoders = [build_encoder(architecture.encoder) for _ in range(architecture.members)]
            self.encoder = Ensemble(encoders) if len(encoders) > 1 else encoders[0]
            dimension += dimension_of(self.encoder)
        if architecture.modality != "ecg":
            tables = [
                TableEncoder(len(architecture.columns), architecture.table_width) for _ in range(architecture.members)
            ]
            self.table = Ensemble(tables) if len(tables) > 1 else tables[0]
            dimension += self.table.dimension
        self.dimension = dimension
        self.dropout = nn.Dropout(architecture.dropout)
        self.heads = nn.ModuleDict({head: nn.Linear(dimension, len(c)) for head, c in architecture.labels.items()})

    def head(self, name: str) -> nn.Linear:
        layer = self.heads[name]
        assert isinstance(layer, nn.Linear)
        return layer

    def embed_ecg(self, signal: Tensor | BeatView) -> Tensor:
        """[B, D] from mV; a `BeatView` of the clipped signal in mV is taken by an encoder that looks at beats."""
        if isinstance(signal, BeatView):
            return self.encoder(signal.scaled(self.lead_scale))
        return self.encoder(self.scaled(signal))

    def scaled(self, signal: Tensor) -> Tensor:
        """What the encoder gets of a signal in mV: clipped, each lead by its scale."""
        return signal.clamp(-CLIP_MV, CLIP_MV) / self.lead_scale

    def embed(self, signal: Tensor | BeatView | None, table: Tensor | None = None) -> Tensor:
        """[B, dimension]; the table is ignored by an ECG network and needed by the others."""
        parts = []
        if self.architecture.modality != "table":
            if signal is None:
                raise ValueError("This network needs an ECG.")
            parts.append(self.embed_ecg(signal))
        if self.architecture.modality != "ecg":
            if table is None:
                raise ValueError("This network needs the clinical table.")
            parts.append(self.table(table))
        return torch.cat(parts, dim=1)

    def forward(self, signal: Tensor | BeatView | None, table: Tensor | None = None) -> dict[str, Tensor]:
        embedding = self.dropout(self.embed(signal, table))
        return {head: layer(embedding) for head, layer in self.heads.items()}


def count_parameters(modules: Sequence[nn.Module]) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())
