"""Stages 2 and 3 together, of any recipe: heads for findings, diagnoses and lab abnormalities on one embedding.

Starts from stage 1's encoder, if the recipe has a stage 1, which then learns more slowly than the heads (`encoder_lr`).
The loss of each head is masked: a label that nobody looked for carries no gradient. Teachers are trained before their
pupil. `members` networks are trained with batches and heads of their own and joined to one. Then what tells a real from
a simulated ECG is taken out of the lab heads (source_erasure.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ecgkt.model.networks.network import Network
from training.data.pool import Pool, Sampler, augment
from training.metrics import MIN_POSITIVES, auroc
from training.recipes import RECIPES, Recipe
from training.train import checkpoint, files, predict
from training.train.devices import Share
from training.train.ensemble import join
from training.train.files import Damaged
from training.train.loop import EarlyStopping, Schedule, fit
from training.train.objectives import Terms, heads_loss
from training.train.outputs import LOGITS
from training.train.pretrain import pretrain
from training.train.real_heads import refit_on_real
from training.train.regression import regression_logits
from training.train.relevance import teach_relevance
from training.train.run import WEIGHTS, Stage, StageError
from training.train.shaped_by import by_recipe
from training.train.source_erasure import erase_source
from training.train.task import DIAGNOSES, Task, build_network
from training.train.teachers import said_by_teachers, targets

Rows = npt.NDArray[np.int64]
Curve = dict[str, list[float]]


def train(task: Task, name: str, stage_name: str = "", part: tuple[int, int] = (1, 1)) -> Path:
    """Train a recipe and whatever it needs, unless that is done; the folder of its stage.

    stage_name: of the folder, the recipe's name by default. part: (2, 3) trains every third member of the ensemble from
    the second on and leaves it to a later call to join them. Raises StageError where such a part needs a teacher that
    is not there yet.
    """
    folder = task.folder_of(stage_name or name)
    if part != (1, 1) or not task.devices.is_first:
        return _train(task, name, folder, part)
    with files.lock(folder):  # another process of the same curve or run may be at it: wait, and find it done
        return _train(task, name, folder, part)


def _train(task: Task, name: str, folder: Path, part: tuple[int, int]) -> Path:
    recipe = RECIPES[name]
    for teacher in recipe.teachers:
        if part != (1, 1) and not Stage(task.config, task.folder_of(teacher), by_recipe(task, teacher)).done:
            raise StageError(f"Its teacher {teacher!r} comes before the parts of {folder.name!r}: train that first.")
        train(replace(task, told=None), teacher)
    stage = Stage(task.config, folder, by_recipe(task, name))
    if task.devices.agreed(lambda: stage.done):
        task.devices.say(f"{folder.name}: done before, kept")
        return folder
    weights = pretrain(task, recipe) if recipe.stage_1 else {}
    if recipe.linear:
        if task.devices.is_first:
            _regress(task, stage, weights)
    else:
        pool = _taught(task, recipe)
        members, curves = _train_members(task, recipe, pool, folder, weights, part)
        network = join(members) if len(members) == task.members else None
        taught = {}
        if network is not None and task.teaches_relevance(recipe):
            taught = {"relevance": teach_relevance(task, network, pool, folder / "relevance")}
        if network is not None and task.devices.is_first:
            figures = figures_of(curves) | taught | {"source_erased_on": erase_source(network, task.pool, task.seed)}
            figures["refitted_on_real"] = refit_on_real(network, task.pool_for(recipe), task.config.real_heads)
            figures["labeled_ecgs"] = len(task.pool.rows("train") if task.labeled is None else task.labeled.rows)
            stage.save(network.state_dict(), task.pool_for(recipe), figures, network)
    task.devices.fabric.barrier()
    return folder


def figures_of(curves: list[Curve]) -> dict[str, Any]:
    """Of the record: the mean of the members' loss curves, and where early stopping took a network that was watched."""
    watched = [curve["watched"] for curve in curves if "watched" in curve]
    mean = {key: np.mean([curve[key] for curve in curves], axis=0).tolist() for key in curves[0] if key != "watched"}
    if not watched:
        return {"loss": mean}
    best = int(np.argmax(watched[0]))
    stopped = f"{best + 1} of {len(watched[0])} looks"
    return {"loss": mean | {"watched": watched[0]}, "validation": watched[0][best], "stopped_at": stopped}


def _taught(task: Task, recipe: Recipe) -> Pool:
    """The ECGs with what the recipe may learn of them."""
    pool = task.pool_for(recipe)
    if pool is task.pool:
        pool = pool.with_targets(DIAGNOSES, targets(task, recipe, said_by_teachers(task, recipe)))
    return pool


def _train_members(
    task: Task, recipe: Recipe, pool: Pool, folder: Path, weights: dict[str, Tensor], part: tuple[int, int]
) -> tuple[list[Network], list[Curve]]:
    """The networks of (a part of) an ensemble and their loss curves; a member that is done is kept."""
    groups, shares = _groups(task, recipe, pool)
    members, curves = [], []
    for number in range(part[0] - 1, task.members, part[1]):
        seed, own = task.seed + number, folder / f"member_{number}"
        network = _begun(task, recipe, pool, weights, seed)
        state, curve = task.devices.first_then_all(lambda own=own: _kept(own))  # type: ignore[misc]
        if state:
            network.load_state_dict(state)
        else:
            sampler = Sampler(groups, shares, task.config.batch, seed)
            curve = _train_one(
                f"{folder.name} {number + 1}/{task.members}", task, recipe, pool, network, sampler, seed, own
            )
            network.cpu()
            if task.devices.is_first:
                files.save_tensors(own / WEIGHTS, network.state_dict(), {"curve": curve})
                checkpoint.remove(own)
        members.append(network.eval())
        curves.append(curve)
    return members, curves


def _kept(folder: Path) -> tuple[dict[str, Tensor], Curve]:
    """Weights and loss curve of a member that was trained before; nothing where there is none."""
    try:
        state, about = files.load_tensors(folder / WEIGHTS)
    except FileNotFoundError:
        return {}, {}
    except Damaged as error:
        print(f"WARNING: {error} It is trained again.", flush=True)
        return {}, {}
    return state, about["curve"]


def _begun(task: Task, recipe: Recipe, pool: Pool, weights: dict[str, Tensor], seed: int) -> Network:
    """A network to train, with the encoder of stage 1 if there was one."""
    network = build_network(task.config, pool, recipe.modality, task.heads_of(recipe), seed)
    if weights:
        network.encoder.load_state_dict(checkpoint.below("encoder.", weights))
        network.lead_scale.copy_(weights["lead_scale"])  # the encoder learned on this scale
    if recipe.frozen:
        network.encoder.requires_grad_(False)
    return network


def _groups(task: Task, recipe: Recipe, pool: Pool) -> tuple[list[Rows], list[float]]:
    """Rows that batches are drawn from, and the share of each in a batch.

    Without a use for the others' ECGs every batch is of labeled patients; else a fixed share, however few they are.
    """
    rows = [pool.rows("train", number) for number in range(len(pool.sets))]
    shares = [source.share for source in task.sources_for(recipe)]
    if task.labeled is None:
        return rows, shares
    labeled, part = task.labeled.rows, task.labeled.share if recipe.labs or recipe.teachers else 1.0
    groups = [(here[np.isin(here, labeled)], share * part) for here, share in zip(rows, shares, strict=True)]
    if part < 1:
        groups += [
            (here[~np.isin(here, labeled)], share * (1 - part)) for here, share in zip(rows, shares, strict=True)
        ]
    groups = [(here, share) for here, share in groups if len(here)]
    return [here for here, _ in groups], [share for _, share in groups]


def _train_one(
    name: str, task: Task, recipe: Recipe, pool: Pool, network: Network, sampler: Sampler, seed: int, folder: Path
) -> Curve:
    config, devices = task.config, task.devices
    encoder_lr = config.encoder_lr if recipe.stage_1 else 1.0
    run = devices.forward(network)
    mine = [source.augment for source in task.sources_for(recipe)]

    def loss(step: int, share: Share) -> Terms:
        rows, own = sampler(step), share.seed(seed, step)
        batch = augment(devices.moved(pool.batch(share.rows(rows), own)), config.augment, own, mine)
        heads = network.architecture.labels if share.of > 1 else ()
        known = {head: share.known(pool.targets[head][rows]) for head in heads}
        return heads_loss(run(batch.signal, batch.table), batch.targets, config.head_weights, known)

    schedule = Schedule(
        task.later_steps(recipe), config.lr, config.weight_decay, config.ema, seed, config.checkpoint_every,
        config.batch,
    )  # fmt: skip
    watch = None
    if task.watch_every:
        watch = EarlyStopping(task.watch_every, validation_score(network, task.pool), told=task.told)
    return fit(name, network, learning_rates(network, encoder_lr), loss, schedule, folder, watch, devices, pool.clock)


def learning_rates(network: Network, encoder_lr: float) -> list[tuple[nn.Module, float]]:
    """The parts of a network with their learning rates relative to the peak."""
    return [(part, encoder_lr if key == "encoder" else 1.0) for key, part in network.named_children()]


def _regress(task: Task, stage: Stage, weights: dict[str, Tensor]) -> None:
    """Log-odds of every ECG by the regression on the table and the embedding of stage 1; its one look at validation."""
    pool = task.pool
    network = build_network(task.config, pool, "ecg", [DIAGNOSES], task.seed)
    network.encoder.load_state_dict(checkpoint.below("encoder.", weights))
    labeled = pool.rows("train") if task.labeled is None else task.labeled.rows
    logits = regression_logits(network.eval(), pool, pool.targets[DIAGNOSES], labeled)
    rows = pool.rows("validation")
    score = macro_auroc(logits[rows].double().numpy(), pool.targets[DIAGNOSES][rows])
    figures = figures_of([{"watched": [score]}]) | {"labeled_ecgs": len(labeled)}
    stage.save({LOGITS + DIAGNOSES: logits}, pool, figures)


def macro_auroc(scores: npt.NDArray[np.float64], truth: npt.NDArray[np.float32]) -> float:
    """Mean over the labels that can be measured; [rows, labels] each, NaN truth unknown."""
    values = []
    for column in range(truth.shape[1]):
        known = ~np.isnan(truth[:, column])
        positive = truth[known, column].astype(np.float64)
        if min(positive.sum(), (1 - positive).sum()) >= MIN_POSITIVES:
            values.append(float(auroc(scores[known, column], positive)[0]))
    return float(np.mean(values))


def validation_score(network: Network, pool: Pool) -> Callable[[], float]:
    rows = pool.rows("validation")
    truth = pool.targets[DIAGNOSES][rows]
    return lambda: macro_auroc(predict.logits(network, pool, rows)[DIAGNOSES], truth)
