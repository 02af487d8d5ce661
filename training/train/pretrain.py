"""Stage 1: the ECG encoder learns what labs, vitals and biometrics know of the same moment.

    python -m training pretrain --config training/configs/default.yaml

"vicreg" (the paper's way, as reconstructed), "infonce" and "sigreg" join projections of the ECG's and of the table's
embedding; "labs" predicts the table's values from the ECG. Only ECGs whose set has labs take part. Projectors and
predictions are thrown away; stages 2 and 3 start from the ECG encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgkt.model.networks.encoders import dimension_of
from ecgkt.model.networks.network import Network, TableEncoder
from training.data.pool import Batch, Sampler, augment
from training.recipes import Recipe
from training.train import checkpoint, files
from training.train.devices import Share
from training.train.loop import Schedule, fit
from training.train.objectives import Terms, joint_embedding_loss
from training.train.run import Stage, read_stage
from training.train.shaped_by import by_stage_1
from training.train.task import Task, build_network

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
        network.table.requires_grad_(False)  # gives the ranks only
        self.values = nn.Linear(dimension_of(network.encoder), len(network.architecture.columns))

    def forward(self, batch: Batch) -> Tensor:
        return self.values(self.network.embed_ecg(batch.signal))

    def loss(self, batch: Batch, predict: Callable[[Batch], Tensor], measured: int | None) -> Terms:
        """Mean squared error over the values that were measured; measured: how many in all of the batch, if this is a
        share of it. predict: this module as it is called in training."""
        assert isinstance(self.network.table, TableEncoder)
        known = ~batch.table.isnan()
        ranks = self.network.table.ranks(batch.table)
        found = predict(batch)[known]
        if measured is None:
            return {"values": functional.mse_loss(found, ranks[known])}
        return {"values": functional.mse_loss(found, ranks[known], reduction="sum") / max(measured, 1)}


def _projector(dimension: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dimension, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))


def rank_me(embedding: Tensor) -> float:
    """Effective rank exp(entropy of the singular values) of [N, D] (Garrido 2023): 1 when collapsed, at most D."""
    singular = torch.linalg.svdvals(embedding.double())
    share = singular / singular.sum() + 1e-12
    return float(torch.exp(-(share * share.log()).sum()))


def pretrain(task: Task, recipe: Recipe) -> dict[str, Tensor]:
    """Weights of the network whose encoder went through the recipe's stage 1; trained first if need be."""
    folder = task.stage_1_folder_of(recipe)
    if task.devices.is_first:
        with files.lock(folder):
            return _pretrained(task, recipe, folder)
    return _pretrained(task, recipe, folder)


def _pretrained(task: Task, recipe: Recipe, folder: Path) -> dict[str, Tensor]:
    stage = Stage(task.config, folder, by_stage_1(task, recipe))
    if not task.devices.agreed(lambda: stage.done):
        network, figures = _train(task, recipe, folder)
        if task.devices.is_first:
            stage.save(network.state_dict(), task.table_pool, figures, network)
            checkpoint.remove(folder)
    return task.devices.first_then_all(lambda: read_stage(folder)[0])


def _train(task: Task, recipe: Recipe, folder: Path) -> tuple[Network, dict[str, object]]:
    """A network whose encoder has gone through stage 1, and how that went."""
    config, pool, seed, devices = task.config, task.table_pool, task.seed, task.devices
    torch.manual_seed(seed)
    # Both sides but no heads: stage 1 has no labels.
    network = build_network(config, pool, "both", [], seed)
    batch_size = config.stage_1_batch
    groups = [pool.rows("train", number) for number in range(len(pool.sets))]
    sampler = Sampler(groups, [source.share for source in task.sources if source.pretrain], batch_size, seed)
    schedule = Schedule(
        task.stage_1_steps(recipe), config.lr, config.weight_decay, config.ema, seed, config.checkpoint_every,
        batch_size,
    )  # fmt: skip
    name = f"pretrain {recipe.stage_1}"
    own = [source.augment for source in task.sources if source.pretrain]

    def batch(step: int, share: Share) -> Batch:
        made = devices.moved(pool.batch(share.rows(sampler(step)), share.seed(seed, step)))
        return augment(made, config.augment, share.seed(seed, step), own)

    if recipe.stage_1 == REGRESSION:
        regression = TableFromECG(network)
        predict = devices.forward(regression)

        def regression_loss(step: int, share: Share) -> Terms:
            return regression.loss(batch(step, share), predict, share.known(pool.table[sampler(step)]))

        curve = fit(
            name, regression, [(regression, 1.0)], regression_loss, schedule, folder, devices=devices, data=pool.clock
        )  # fmt: skip
        return network.cpu(), {"loss": curve}
    joint = JointEmbedding(network, config.projector)
    embed = devices.forward(joint)

    def loss(step: int, share: Share) -> Terms:
        ecg, table = embed(batch(step, share))
        return joint_embedding_loss(recipe.stage_1, ecg, table, config.pretrain_weights, share.of)

    curve = fit(name, joint, [(joint, 1.0)], loss, schedule, folder, devices=devices, data=pool.clock)
    with torch.inference_mode():
        ecg, table = (side.cpu() for side in joint(devices.moved(pool.batch(pool.rows("validation")[:1000]))))
        distance = torch.cdist(ecg, table)
    joint.cpu()
    # Retrieval: how often the ECG's own table is among the nearest tenth of all tables; .1 is chance.
    nearer = (distance < distance.diagonal()[:, None]).float().mean(dim=1)
    return network, {
        "loss": curve,
        "rank_me": rank_me(ecg),
        "own_table_in_nearest_tenth": float((nearer < 0.1).float().mean()),
    }
