"""Stage 1: the ECG encoder learns what labs, vitals and biometrics know of the same moment.

    python -m training pretrain --config training/configs/default.yaml

"vicreg" (the paper's way, as reconstructed), "infonce" and "sigreg" join projections of the ECG's and of the table's
embedding; "labs" predicts the table's values from the ECG. Only ECGs whose set has labs take part. Projectors and
predictions are thrown away; stages 2 and 3 start from the ECG encoder.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgkt.model.networks.encoders import dimension_of
from ecgkt.model.networks.network import Network, TableEncoder
from training.config import Config
from training.data.pool import Batch, Pool, Sampler, augment
from training.train.loop import Schedule, fit
from training.train.objectives import OBJECTIVES, Terms
from training.train.run import Stage, build_network, load_sets, pool_of
from training.train.shaped_by import by_pretrain

REGRESSION = "labs"  # the objective that is no joint embedding


class JointEmbedding(nn.Module):
    """Network without its heads' use, plus one projector a side: batch -> two embeddings [B, projector]."""

    def __init__(self, network: Network, projector: int) -> None:
        super().__init__()
        self.network = network
        self.from_ecg = _projector(dimension_of(network.encoder), projector)
        self.from_table = _projector(dimension_of(network.table), projector)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        ecg = self.from_ecg(self.network.embed_ecg(batch.signal))
        return ecg, self.from_table(self.network.table(batch.table))


class TableFromECG(nn.Module):
    """ECG -> the rank (-1 to 1 among training patients) of every value of the clinical table: batch -> [B, columns]."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.values = nn.Linear(dimension_of(network.encoder), len(network.architecture.columns))

    def forward(self, batch: Batch) -> Tensor:
        return self.values(self.network.embed_ecg(batch.signal))

    def loss(self, batch: Batch) -> Terms:
        """Mean squared error over the values that were measured."""
        assert isinstance(self.network.table, TableEncoder)
        known = ~batch.table.isnan()
        ranks = self.network.table.ranks(batch.table)
        return {"values": functional.mse_loss(self(batch)[known], ranks[known])}


def _projector(dimension: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dimension, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))


def rank_me(embedding: Tensor) -> float:
    """Effective rank exp(entropy of the singular values) of [N, D] (Garrido 2023): 1 when collapsed, at most D."""
    singular = torch.linalg.svdvals(embedding.double())
    share = singular / singular.sum() + 1e-12
    return float(torch.exp(-(share * share.log()).sum()))


def pretrain_encoder(
    config: Config, pool: Pool, shares: list[float], objective: str, steps: int, seed: int, folder: Path
) -> tuple[Network, dict[str, object]]:
    """A network whose encoder has gone through stage 1, and how that went. The steps and the seed may be others than
    the config's; shares: of each set of `pool` in a batch."""
    torch.manual_seed(seed)
    # Both sides but no heads: stage 1 has no labels.
    network = build_network(config, pool, "both", [], seed)
    groups = [pool.rows("train", number) for number in range(len(pool.sets))]
    sampler = Sampler(groups, shares, config.batch, seed)
    schedule = Schedule(steps, config.lr, config.weight_decay, config.ema, seed, config.checkpoint_every)

    def batch(step: int) -> Batch:
        return augment(pool.batch(sampler(step), (seed, step)), config.augment, (seed, step))

    if objective == REGRESSION:
        regression = TableFromECG(network)
        name = f"pretrain {objective}"
        curve = fit(name, regression, [(regression, 1.0)], lambda step: regression.loss(batch(step)), schedule, folder)
        return network, {"loss": curve}
    joint = JointEmbedding(network, config.projector)

    def loss(step: int) -> Terms:
        ecg, table = joint(batch(step))
        return OBJECTIVES[objective](ecg, table, config.pretrain_weights)

    curve = fit(f"pretrain {objective}", joint, [(joint, 1.0)], loss, schedule, folder)
    held_out = pool.batch(pool.rows("validation")[:1000])
    with torch.inference_mode():
        ecg, table = joint(held_out)
        distance = torch.cdist(ecg, table)
    # Retrieval: how often the ECG's own table is among the nearest tenth of all tables; .1 is chance.
    nearer = (distance < distance.diagonal()[:, None]).float().mean(dim=1)
    return network, {
        "loss": curve,
        "rank_me": rank_me(ecg),
        "own_table_in_nearest_tenth": float((nearer < 0.1).float().mean()),
    }


def pretrain(config: Config) -> None:
    if not config.pretrain_steps:
        print("pretrain: left out, this run has no steps for it")
        return
    stage = Stage(config, "pretrain", by_pretrain(config))
    if stage.done:
        print("pretrain: done before, kept")
        return
    sources, sets = load_sets(config)
    pool = pool_of(config, [prepared for source, prepared in zip(sources, sets, strict=True) if source.pretrain])
    shares = [source.share for source in sources if source.pretrain]
    network, figures = pretrain_encoder(
        config, pool, shares, config.pretrain_objective, config.pretrain_steps, config.seed, stage.folder
    )
    stage.save(network, pool, figures)
