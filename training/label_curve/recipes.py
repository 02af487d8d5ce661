"""Ways of training an ECG network with few labeled patients, all on the same data, with a stated number of steps.

Everyone's labs and vitals are there for training; diagnoses are known of the labeled patients only. `train_recipe` is
one
run: a network trained by one recipe, stopped early on the validation patients, like every other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from ecgkt.model.networks.network import Modality, Network
from training.config import Config
from training.data.pool import Pool, Sampler, augment
from training.label_curve.regression_teacher import both_sides, ridge_logits
from training.metrics import MIN_POSITIVES, auroc
from training.train import predict
from training.train.finetune import TEACHER, learning_rates
from training.train.loop import EarlyStopping, Schedule, fit
from training.train.objectives import Terms, heads_loss
from training.train.pretrain import pretrain_encoder
from training.train.run import build_network

Rows = npt.NDArray[np.int64]
HEAD = "diagnoses"
MULTIMODAL = (TEACHER,)


@dataclass(frozen=True)
class Recipe:
    """start: objective of stage 1 ("" for none). labs: lab heads, on everyone's labs. teachers: recipes trained on the
    same labeled patients, whose mean log-odds give everyone probabilities to learn beside the known labels. steps:
    times the usual number. linear: a regression on the table and the embedding of stage 1, in place of a network."""

    what: str
    modality: Modality = "ecg"
    start: str = ""
    labs: bool = False
    teachers: tuple[str, ...] = ()
    steps: float = 1.0
    linear: bool = False


RECIPES = {
    "signal_only": Recipe("ECG network trained from scratch on the labeled patients' diagnoses"),
    "signal_only_long": Recipe(
        "signal only with 4.5 times the steps, more than a student and all its teachers take together", steps=4.5
    ),
    "self_taught": Recipe(
        "student of signal only: learns its probabilities on all training ECGs, no labs",
        teachers=("signal_only",),
        steps=3.0,
    ),
    "lab_heads": Recipe("signal only plus lab heads trained on all patients' labs", labs=True),
    "labs_first": Recipe("pretrained to predict all patients' labs and vitals, then lab heads", "ecg", "labs", True),
    "vicreg": Recipe(
        "the paper's method, as reconstructed: VICReg against the table, then lab heads", "ecg", "vicreg", True
    ),
    "infonce": Recipe("InfoNCE against the table, then lab heads", "ecg", "infonce", True),
    "sigreg": Recipe("LeJEPA (SIGReg) against the table, then lab heads", "ecg", "sigreg", True),
    "distilled": Recipe(
        "learns the multimodal teacher's probabilities on all training ECGs, with lab heads",
        "ecg",
        "",
        True,
        MULTIMODAL,
    ),
    "labs_first_distilled": Recipe(
        "pretrained to predict labs and vitals, then distilled from the multimodal teacher",
        "ecg",
        "labs",
        True,
        MULTIMODAL,
    ),
    "vicreg_distilled": Recipe(
        "VICReg against the table, then distilled from the multimodal teacher", "ecg", "vicreg", True, MULTIMODAL
    ),
    "taught": Recipe(
        "two teachers (multimodal network and regression), lab heads, three times the steps",
        "ecg",
        "",
        True,
        (*MULTIMODAL, "ridge"),
        3.0,
    ),
    # With the budget of `taught`, to tell what its steps are worth from what its second teacher is.
    "lab_heads_long": Recipe("lab heads, 4.5 times the steps", labs=True, steps=4.5),
    "vicreg_long": Recipe("VICReg, then lab heads, 4.5 times the steps", "ecg", "vicreg", True, steps=4.5),
    "distilled_long": Recipe("distilled, three times the steps", "ecg", "", True, MULTIMODAL, 3.0),
    "ridge": Recipe("ridge regression on the table and the embedding of labs first", "both", "labs", linear=True),
    "clinical_only": Recipe("clinical table alone: labs, vitals, biometrics", "table"),
    "multimodal": Recipe("sees ECG and clinical table, in training and in use", "both"),
}


TEACHERS = {name for recipe in RECIPES.values() for name in recipe.teachers}


@dataclass(frozen=True)
class Task:
    """pool: the cohort with all its labels. labeled: training rows whose diagnoses may be used.

    shared: folder for what recipes have in common (stage 1); folder: of this run. teacher: probabilities [rows of pool,
    labels], or None.
    """

    config: Config
    pool: Pool
    labeled: Rows
    seed: int
    steps: int
    stage1_share: float
    labeled_share: float
    watch_every: int
    shared: Path
    folder: Path
    teacher: npt.NDArray[np.float32] | None = None


def labeled_rows(pool: Pool, patients: int, seed: int) -> Rows:
    """Training rows of `patients` patients drawn by `seed`; of all for 0. Raises ValueError where there are too few."""
    rows = pool.rows("train")
    names = pool.ecgs["patient"].to_numpy(str)[rows]
    everyone = np.unique(names)
    if patients == 0:
        return rows
    if patients > len(everyone):
        raise ValueError(f"{patients} labeled patients were asked for, there are {len(everyone)}.")
    return rows[np.isin(names, np.random.default_rng([seed, 5]).choice(everyone, patients, replace=False))]


def train_recipe(recipe: Recipe, task: Task) -> tuple[Network, dict[str, list[float]]]:
    """The network and its loss curve ("watched": macro AUROC on validation patients)."""
    config, steps = task.config, round(task.steps * recipe.steps)
    everyone = task.pool.rows("train")
    rest = np.setdiff1d(everyone, task.labeled)
    pool = task.pool.with_targets(HEAD, _targets(task, recipe, rest))
    heads = [HEAD, "labs"] if recipe.labs else [HEAD]
    network = build_network(config, pool, recipe.modality, heads, task.seed)
    encoder_lr = 1.0
    if recipe.start:
        network.encoder.load_state_dict(_stage_1(recipe, task, pool))
        steps, encoder_lr = steps - _first_steps(recipe, task), config.encoder_lr
    # Without a use for the others' ECGs every batch is of labeled patients; else a fixed share, however few they are.
    groups = [task.labeled, rest] if len(rest) and (recipe.labs or recipe.teachers) else [task.labeled]
    shares = [task.labeled_share, 1 - task.labeled_share][: len(groups)]
    sampler = Sampler(groups, shares, config.batch, task.seed)

    def loss(step: int) -> Terms:
        batch = augment(pool.batch(sampler(step), (task.seed, step)), config.augment, (task.seed, step))
        return heads_loss(network(batch.signal, batch.table), batch.targets, config.head_weights)

    schedule = Schedule(steps, config.lr, config.weight_decay, config.ema, task.seed, steps)
    watch = EarlyStopping(task.watch_every, validation_score(network, task.pool))
    curve = fit(task.folder.name, network, learning_rates(network, encoder_lr), loss, schedule, task.folder, watch)
    return network, curve


def regress(recipe: Recipe, task: Task) -> tuple[npt.NDArray[np.float64], dict[str, list[float]]]:
    """Log-odds [rows of pool, labels] of the regression on table and embedding; its one look at the validation
    patients."""
    network = build_network(task.config, task.pool, "ecg", [HEAD], task.seed)
    network.encoder.load_state_dict(_stage_1(recipe, task, task.pool))
    features = both_sides(network.eval(), task.pool)
    logits = ridge_logits(features, task.pool.targets[HEAD], task.labeled)
    rows = task.pool.rows("validation")
    return logits, {"watched": [macro_auroc(logits[rows], task.pool.targets[HEAD][rows])]}


def _targets(task: Task, recipe: Recipe, rest: Rows) -> npt.NDArray[np.float32]:
    """Diagnoses as the recipe may see them: unknown beyond the labeled, or what the teacher says of them. Of the
    labeled it learns the mean of label and teacher, which knows more than a coder's yes or no."""
    targets = task.pool.targets[HEAD].copy()
    targets[rest] = np.nan
    if recipe.teachers:
        if task.teacher is None:
            raise ValueError("This recipe needs its teachers' probabilities.")
        targets[rest] = task.teacher[rest]
        targets[task.labeled] = (targets[task.labeled] + task.teacher[task.labeled]) / 2
    return targets


def _first_steps(recipe: Recipe, task: Task) -> int:
    return round(task.steps * recipe.steps * task.stage1_share)


def _stage_1(recipe: Recipe, task: Task, pool: Pool) -> dict[str, torch.Tensor]:
    """Weights of an encoder after stage 1, which needs no label and is therefore shared by all numbers of them."""
    steps = _first_steps(recipe, task)
    folder = task.shared / f"{recipe.start}_{task.seed}_{steps}"
    path = folder / "encoder.safetensors"
    if not path.exists():
        network, _ = pretrain_encoder(task.config, pool, [1.0], recipe.start, steps, task.seed, folder)
        partial = folder / "encoder.part"
        save_file({k: v.contiguous() for k, v in network.encoder.state_dict().items()}, partial)
        partial.replace(path)
        (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return load_file(path)


def logits_of(network: Network, pool: Pool, rows: Rows) -> npt.NDArray[np.float64]:
    """[rows, labels] logits of the diagnoses."""
    return predict.logits(network, pool, rows)[HEAD]


def macro_auroc(scores: npt.NDArray[np.float64], targets: npt.NDArray[np.float32]) -> float:
    """Mean over the labels that can be measured; [rows, labels] each, NaN targets unknown."""
    values = []
    for column in range(targets.shape[1]):
        known = ~np.isnan(targets[:, column])
        truth = targets[known, column].astype(np.float64)
        if min(truth.sum(), (1 - truth).sum()) >= MIN_POSITIVES:
            values.append(float(auroc(scores[known, column], truth)[0]))
    return float(np.mean(values))


def validation_score(network: Network, pool: Pool) -> Callable[[], float]:
    rows = pool.rows("validation")
    return lambda: macro_auroc(logits_of(network, pool, rows), pool.targets[HEAD][rows])
