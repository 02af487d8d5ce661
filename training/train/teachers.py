"""What a pupil learns of the diagnoses: the known labels of the labeled, and what its teachers say of everybody.

Teachers are recipes trained on the same labeled patients; their mean log-odds give a probability. Of the labeled the
pupil learns the mean of label and probability, which knows more than a coder's yes or no.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.recipes import Recipe
from training.train.outputs import Outputs, outputs
from training.train.task import DIAGNOSES, Task

Targets = npt.NDArray[np.float32]


def said_by_teachers(task: Task, recipe: Recipe) -> npt.NDArray[np.float64] | None:
    """[training rows, diagnoses] probabilities by a recipe's teachers, which are trained; None where it has none."""
    if not recipe.teachers:
        return None

    def say() -> list[Outputs]:
        return [outputs(task.folder_of(name), task.pool, "train", task.devices.device) for name in recipe.teachers]

    said = task.devices.first_then_all(say)
    mean = np.mean([each.logits[DIAGNOSES] for each in said], axis=0)
    return np.asarray(1 / (1 + np.exp(-mean)))


def targets(task: Task, recipe: Recipe, taught: npt.NDArray[np.float64] | None) -> Targets:
    """[rows of the task's pool, diagnoses] as the recipe may see them; NaN unknown."""
    pool = task.pool
    known, train = pool.targets[DIAGNOSES].copy(), pool.rows("train")
    hidden = np.zeros(len(train), bool) if task.labeled is None else ~np.isin(train, task.labeled.rows)
    known[train[hidden]] = np.nan
    if recipe.teachers:
        if taught is None:
            raise ValueError("This recipe needs its teachers' probabilities.")
        asked = hidden & _knows_diagnoses(task)[pool.source_of[train]]
        known[train[asked]] = taught[asked]
        known[train[~hidden]] = (known[train[~hidden]] + taught[~hidden]) / 2  # what is unknown stays so
    return known


def _knows_diagnoses(task: Task) -> npt.NDArray[np.bool_]:
    """[sets] whether a set has diagnoses at all: teachers say nothing of ECGs whose table nobody has."""
    return np.array([bool(prepared.info["labels"].get(DIAGNOSES)) for prepared in task.sets])
