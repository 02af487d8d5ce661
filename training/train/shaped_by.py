"""What shapes the weights of a stage: keys of the config, the recipe, what it starts from, who is labeled, and the
content of the prepared sets.

Two runs that differ in any of it must not share a folder. What does not change a weight (`out`, `name`, `threads`,
`bootstrap`, `checkpoint_every`, `hardware`, steps of other stages) may change between one command and the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from training.cohort.prepared import Prepared
from training.config import Config, Source
from training.recipes import RECIPES, Recipe
from training.train.run import ShapedBy
from training.train.task import Task

TRAINING = ("encoder", "batch", "lr", "weight_decay", "ema", "augment")
STAGE_1 = (*TRAINING, "pretrain_weights", "projector", "table_width")
HEADS = (*TRAINING, "dropout", "head_weights", "real_heads")


def by_stage_1(task: Task, recipe: Recipe) -> ShapedBy:
    """Of stage 1, which sees no label."""
    sets = [(source, prepared) for source, prepared in _described(task) if source.pretrain]
    shaped: dict[str, object] = {
        **_keys(task.config, STAGE_1),
        "seed": task.seed,
        "objective": recipe.stage_1,
        "steps": task.stage_1_steps(recipe),
        "data": _data(sets),
    }
    if task.config.stage_1_batch != task.config.batch:
        shaped["stage_1_batch"] = task.config.stage_1_batch
    return shaped


def by_recipe(task: Task, name: str) -> ShapedBy:
    """Of a recipe's network, with what shaped the encoder it starts from and its teachers, if there are any."""
    recipe = RECIPES[name]
    keys = HEADS if recipe.modality == "ecg" else (*HEADS, "table_width")
    sets = [(source, p) for source, p in _described(task) if source.pretrain or recipe.modality != "table"]
    shaped: dict[str, object] = {
        **_keys(task.config, keys),
        "seed": task.seed,
        "members": task.members,
        "recipe": recipe.shapes(),
        "steps": task.later_steps(recipe),
        "heads": task.heads_of(recipe),
        "data": _data(sets),
    }
    if task.teaches_relevance(recipe):
        shaped["relevance"] = task.config.relevance
    if task.watch_every:
        shaped["watch_every"] = task.watch_every
    if task.labeled is not None:
        labeled = task.labeled
        shaped["labeled"] = {"patients": labeled.patients, "seed": labeled.seed, "share": labeled.share}
    if recipe.stage_1:
        shaped |= {"encoder_lr": task.config.encoder_lr, "stage_1": by_stage_1(task, recipe)}
    for teacher in recipe.teachers:
        shaped[f"teacher {teacher}"] = by_recipe(task, teacher)
    return shaped


def _keys(config: Config, keys: tuple[str, ...]) -> dict[str, object]:
    return {key: getattr(config, key) for key in keys}


def _described(task: Task) -> list[tuple[Source, Prepared]]:
    return list(zip(task.sources, task.sets, strict=True))


def _data(sets: Sequence[tuple[Source, Prepared]]) -> list[dict[str, object]]:
    """Of each set its share of a batch, its own augmentation and its content."""
    return [
        {
            "share": source.share,
            "augment": source.augment,
            "simulated": prepared.info["simulated"],
            "fingerprint": prepared.info["fingerprint"],
        }
        for source, prepared in sets
    ]
