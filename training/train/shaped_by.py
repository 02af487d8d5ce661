"""What shapes the weights of a stage: keys of the config, what it starts from, and the content of the prepared sets.

Two runs that differ in any of it must not share a folder. What does not change a weight (`out`, `name`, `threads`,
`bootstrap`, `checkpoint_every`, steps of other stages) may change between one command and the next.
"""

from __future__ import annotations

import json

from ecgkt.model.networks.network import Modality
from training.config import Config
from training.train.run import ShapedBy, prepared_folder, present_sources

TRAINING = ("seed", "encoder", "batch", "lr", "weight_decay", "ema", "augment")
PRETRAIN = (*TRAINING, "pretrain_steps", "pretrain_objective", "pretrain_weights", "projector", "table_width")
HEADS = (*TRAINING, "dropout", "members", "head_weights")


def by_pretrain(config: Config) -> ShapedBy:
    """Of stage 1. Raises StageError where a set is not prepared, as all of these do."""
    return {**_keys(config, PRETRAIN), "data": _data(config, with_table=True)}


def by_finetune(config: Config) -> ShapedBy:
    """Of stages 2 and 3: with what shaped the encoder they start from and the teacher, if there are any."""
    shaped = {**_keys(config, (*HEADS, "finetune_steps")), "data": _data(config)}
    if config.pretrain_steps:
        shaped |= {"encoder_lr": config.encoder_lr, "pretrain": by_pretrain(config)}
    if config.distil:
        shaped["teacher"] = by_baseline(config, "both")
    return shaped


def by_baseline(config: Config, modality: Modality) -> ShapedBy:
    """Of a baseline that sees `modality`. What it learns goes by its name, which is that of its folder."""
    keys = HEADS if modality == "ecg" else (*HEADS, "table_width")
    return {
        **_keys(config, keys),
        "steps": config.baseline_steps,
        "data": _data(config, with_table=modality == "table"),
    }


def _keys(config: Config, keys: tuple[str, ...]) -> dict[str, object]:
    return {key: getattr(config, key) for key in keys}


def _data(config: Config, with_table: bool = False) -> list[dict[str, object]]:
    """Of each set its share of a batch and its content; with_table: of those only that have labs."""
    data: list[dict[str, object]] = []
    for source in present_sources(config):
        if source.pretrain or not with_table:
            info = json.loads((prepared_folder(config, source) / "prepared.json").read_text(encoding="utf-8"))
            about = {"simulated": info["simulated"], "fingerprint": info["fingerprint"]}
            data.append({"share": source.share, **about})
    return data
