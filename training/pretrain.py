"""Stage 1: the ECG encoder learns to agree with a clinical encoder that sees labs, vitals and biometrics.

    python -m training pretrain --config training/configs/default.yaml

Both embeddings are projected and joined by VICReg (the paper's way, as reconstructed), InfoNCE or SIGReg. Only ECGs
whose set has labs take part. The projectors are thrown away; stages 2 and 3 start from the ECG encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgkt.nn.encoders import dimension_of
from ecgkt.nn.network import Network
from training.config import Config
from training.data import Batch, Pool, Sampler, augment
from training.loop import Schedule, fit
from training.objectives import OBJECTIVES, Terms
from training.stages import Stage, build_network, load_sets


class JointEmbedding(nn.Module):
    """Network without its heads' use, plus one projector a side: (signal, table) -> two embeddings [B, projector]."""

    def __init__(self, network: Network, projector: int) -> None:
        super().__init__()
        self.network = network
        self.from_ecg = _projector(dimension_of(network.encoder), projector)
        self.from_table = _projector(network.table.dimension, projector)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        ecg = self.from_ecg(self.network.embed_ecg(batch.signal))
        return ecg, self.from_table(self.network.table(batch.table))


def _projector(dimension: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dimension, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))


def rank_me(embedding: Tensor) -> float:
    """Effective rank exp(entropy of the singular values) of [N, D] (Garrido 2023): 1 when collapsed, at most D."""
    singular = torch.linalg.svdvals(embedding.double())
    share = singular / singular.sum() + 1e-12
    return float(torch.exp(-(share * share.log()).sum()))


def pretrain(config: Config) -> None:
    stage = Stage(config, "pretrain")
    if stage.done:
        print("pretrain: done before, kept")
        return
    sources, sets = load_sets(config)
    pool = Pool([prepared for source, prepared in zip(sources, sets, strict=True) if source.pretrain])
    # An Architecture with both sides but without heads: stage 1 has no labels.
    joint = JointEmbedding(build_network(config, pool, "both", []), config.projector)
    sampler = Sampler(pool, [s.share for s in sources if s.pretrain], config.batch, config.seed)
    objective = OBJECTIVES[config.pretrain_objective]

    def loss(step: int) -> Terms:
        batch = augment(pool.batch(sampler(step)), config.augment, (config.seed, step))
        ecg, table = joint(batch)
        return objective(ecg, table, config.pretrain_weights)

    schedule = Schedule(
        config.pretrain_steps, config.lr, config.weight_decay, config.ema, config.seed, config.checkpoint_every
    )
    curve = fit("pretrain", joint, [(joint, 1.0)], loss, schedule, stage.folder)
    held_out = pool.batch(pool.rows("validation")[:1000])
    with torch.inference_mode():
        ecg, table = joint(held_out)
        distance = torch.cdist(ecg, table)
    # Retrieval: how often the ECG's own table is among the nearest tenth of all tables; .1 is chance.
    nearer = (distance < distance.diagonal()[:, None]).float().mean(dim=1)
    figures = {
        "loss": curve,
        "rank_me": rank_me(ecg),
        "own_table_in_nearest_tenth": float((nearer < 0.1).float().mean()),
    }
    stage.save(joint.network, pool, figures)
