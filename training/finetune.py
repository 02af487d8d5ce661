"""Stages 2 and 3 together: heads for findings, diagnoses and lab abnormalities on one ECG embedding.

    python -m training finetune --config training/configs/default.yaml

Starts from stage 1's encoder, which learns more slowly than the heads (`encoder_lr`). The loss of each head is masked:
a label that nobody looked for carries no gradient.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from ecgkt.nn.network import Network
from training.config import Config, Source
from training.data import Pool, Sampler, augment
from training.loop import Schedule, fit
from training.objectives import Terms, heads_loss
from training.stages import Stage, build_network, load_sets, load_stage, pool_of


def train_heads(
    name: str,
    config: Config,
    sources: list[Source],
    pool: Pool,
    network: Network,
    steps: int,
    encoder_lr: float,
    folder: Path,
) -> dict[str, list[float]]:
    """Supervised training of `network` on all its heads; used by this stage and by every trained baseline."""
    groups = [pool.rows("train", number) for number in range(len(sources))]
    sampler = Sampler(groups, [source.share for source in sources], config.batch, config.seed)

    def loss(step: int) -> Terms:
        batch = augment(pool.batch(sampler(step), (config.seed, step)), config.augment, (config.seed, step))
        return heads_loss(network(batch.signal, batch.table), batch.targets, config.head_weights)

    schedule = Schedule(steps, config.lr, config.weight_decay, config.ema, config.seed, config.checkpoint_every)
    return fit(name, network, learning_rates(network, encoder_lr), loss, schedule, folder)


def learning_rates(network: Network, encoder_lr: float) -> list[tuple[nn.Module, float]]:
    """The parts of a network with their learning rates relative to the peak: a pre-trained encoder learns more slowly."""
    return [(part, encoder_lr if key == "encoder" else 1.0) for key, part in network.named_children()]


def finetune(config: Config) -> None:
    stage = Stage(config, "knowledge_transfer")
    if stage.done:
        print("finetune: done before, kept")
        return
    sources, sets = load_sets(config)
    pool = pool_of(config, sets)
    network = build_network(config, pool, "ecg", ["findings", "diagnoses", "labs"])
    weights, _ = load_stage(config, "pretrain")
    encoder = {k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")}
    network.encoder.load_state_dict(encoder)
    network.lead_scale.copy_(weights["lead_scale"])  # the encoder learnt on this scale
    curve = train_heads(
        "finetune", config, sources, pool, network, config.finetune_steps, config.encoder_lr, stage.folder
    )
    stage.save(network, pool, {"loss": curve})
