"""Stages 2 and 3 together: heads for findings, diagnoses and lab abnormalities on one ECG embedding.

    python -m training finetune --config training/configs/default.yaml

Starts from stage 1's encoder, if there was one, which then learns more slowly than the heads (`encoder_lr`). The loss
of each head is masked: a label that nobody looked for carries no gradient. With `distil` the diagnoses to be learned
are the mean of the coded ones and of what the multimodal network, which has seen the table, makes of them. `members`
networks are trained with batches and heads of their own and joined to one. Then what tells a real from a simulated ECG
is taken out of the lab heads (erasure.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file
from torch import nn

from ecgkt.model.networks.network import Network
from training.config import Config, Source
from training.data.pool import Pool, Sampler, augment
from training.train.ensemble import join
from training.train.loop import Schedule, fit
from training.train.objectives import Terms, heads_loss
from training.train.predict import predict
from training.train.run import Stage, build_network, load_network, load_sets, load_stage, pool_of
from training.train.source_erasure import erase_source

TEACHER = "multimodal"


def train_heads(
    name: str,
    config: Config,
    sources: list[Source],
    pool: Pool,
    build: Callable[[int], Network],
    steps: int,
    encoder_lr: float,
    folder: Path,
) -> tuple[Network, dict[str, Any]]:
    """Supervised training on all heads, of this stage and of every trained baseline: the joined members, and for the
    record the mean of their loss curves and on how many ECGs the source was taken out of the lab heads.

    build(seed): a network to start from. A member that is done is kept.
    """
    groups = [pool.rows("train", number) for number in range(len(sources))]
    members: list[Network] = []
    curves: list[dict[str, list[float]]] = []
    for number in range(config.members):
        seed, own = config.seed + number, folder / f"member_{number}"
        network, done = build(seed), own / "weights.safetensors"
        if done.exists():
            network.load_state_dict(load_file(done))
        else:
            curves.append(_train(f"{name} {number + 1}/{config.members}", config, sources, groups, pool, network, seed,
                                 steps, encoder_lr, own))  # fmt: skip
            save_file({key: value.contiguous() for key, value in network.state_dict().items()}, done)
            (own / "checkpoint.safetensors").unlink(missing_ok=True)
        members.append(network.eval())
    mean = {key: np.mean([curve[key] for curve in curves], axis=0).tolist() for key in (curves[0] if curves else {})}
    network = join(members)
    return network, {"loss": mean, "source_erased_on": erase_source(network, pool, config.seed)}


def _train(
    name: str,
    config: Config,
    sources: list[Source],
    groups: list[np.ndarray],
    pool: Pool,
    network: Network,
    seed: int,
    steps: int,
    encoder_lr: float,
    folder: Path,
) -> dict[str, list[float]]:
    sampler = Sampler(groups, [source.share for source in sources], config.batch, seed)

    def loss(step: int) -> Terms:
        batch = augment(pool.batch(sampler(step), (seed, step)), config.augment, (seed, step))
        return heads_loss(network(batch.signal, batch.table), batch.targets, config.head_weights)

    schedule = Schedule(steps, config.lr, config.weight_decay, config.ema, seed, config.checkpoint_every)
    return fit(name, network, learning_rates(network, encoder_lr), loss, schedule, folder)


def learning_rates(network: Network, encoder_lr: float) -> list[tuple[nn.Module, float]]:
    """The parts of a network with their learning rates relative to the peak."""
    return [(part, encoder_lr if key == "encoder" else 1.0) for key, part in network.named_children()]


def distilled(config: Config, pool: Pool) -> Pool:
    """`pool` with diagnoses as the mean of the coded ones and of the teacher's probabilities, where there are any."""
    targets = pool.targets["diagnoses"].copy()
    rows = pool.rows("train")
    rows = rows[~np.isnan(targets[rows]).all(axis=1)]
    logits = predict(load_network(config, TEACHER), pool, rows)["diagnoses"]
    targets[rows] = (targets[rows] + 1 / (1 + np.exp(-logits))) / 2
    return pool.with_targets("diagnoses", targets)


def finetune(config: Config) -> None:
    stage = Stage(config, "knowledge_transfer")
    if stage.done:
        print("finetune: done before, kept")
        return
    sources, sets = load_sets(config)
    pool = pool_of(config, sets)
    weights = load_stage(config, "pretrain")[0] if config.pretrain_steps else {}
    encoder = {k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")}

    def build(seed: int) -> Network:
        network = build_network(config, pool, "ecg", ["findings", "diagnoses", "labs"], seed)
        if weights:
            network.encoder.load_state_dict(encoder)
            network.lead_scale.copy_(weights["lead_scale"])  # the encoder learned on this scale
        return network

    network, figures = train_heads(
        "finetune",
        config,
        sources,
        distilled(config, pool) if config.distil else pool,
        build,
        config.finetune_steps,
        config.encoder_lr if weights else 1.0,
        stage.folder,
    )
    stage.save(network, pool, figures)
