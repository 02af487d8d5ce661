"""What a pupil may learn of the diagnoses: nobody's label that was not given, and its teachers' word beside those."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.recipes import RECIPES
from training.train.task import Labeled
from training.train.teachers import targets


@dataclass
class MadeUp:
    """As much of a `Task` as targets need: 30 ECGs of a set that knows diagnoses, 10 of one that does not."""

    labeled: Labeled | None
    sets: list[Any] = field(
        default_factory=lambda: [
            SimpleNamespace(info={"labels": {"diagnoses": [{"code": "I50"}]}}),
            SimpleNamespace(info={"labels": {"diagnoses": []}}),
        ]
    )

    def __post_init__(self) -> None:
        known = np.random.default_rng(0).integers(0, 2, (40, 3)).astype(np.float32)
        known[30:] = np.nan
        train = np.flatnonzero(np.arange(40) % 5 != 4)
        self.pool = SimpleNamespace(
            targets={"diagnoses": known}, source_of=np.repeat([0, 1], [30, 10]), rows=lambda split: train
        )


def test_nobody_learns_a_diagnosis_that_was_not_given() -> None:
    task = MadeUp(Labeled(np.array([0, 1, 2, 5]), 4, 1, 0.3))
    before = task.pool.targets["diagnoses"].copy()
    train = task.pool.rows("train")
    first = train[train < 30]
    rest = np.setdiff1d(first, task.labeled.rows)
    alone = targets(task, RECIPES["lab_heads"], None)  # type: ignore[arg-type]
    assert np.isnan(alone[rest]).all()
    np.testing.assert_array_equal(alone[task.labeled.rows], before[task.labeled.rows])
    pupil = targets(task, RECIPES["distilled"], np.full((len(train), 3), 0.25))  # type: ignore[arg-type]
    assert (pupil[rest] == 0.25).all()
    assert set(np.unique(pupil[task.labeled.rows])) == {0.125, 0.625}
    assert np.isnan(pupil[30:]).all(), "a teacher has nothing to say of ECGs without a table"
    np.testing.assert_array_equal(task.pool.targets["diagnoses"], before)


def test_with_all_labels_every_known_one_is_softened_and_the_unknown_stay_unknown() -> None:
    task = MadeUp(None)
    before, train = task.pool.targets["diagnoses"], task.pool.rows("train")
    pupil = targets(task, RECIPES["distilled"], np.full((len(train), 3), 0.5))  # type: ignore[arg-type]
    first = train[train < 30]
    np.testing.assert_allclose(pupil[first], (before[first] + 0.5) / 2)
    assert np.isnan(pupil[30:]).all()
    held_out = np.setdiff1d(np.arange(40), train)
    np.testing.assert_array_equal(pupil[held_out], before[held_out])


def test_a_pupil_without_its_teachers_is_refused() -> None:
    with pytest.raises(ValueError, match="teachers"):
        targets(MadeUp(None), RECIPES["distilled"], None)  # type: ignore[arg-type]
