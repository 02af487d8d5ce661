"""Stage 1 has a batch and steps of its own where they are asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.toy_run import toy_config, write_toy
from training.label_curve.curve import load_curve_config
from training.recipes import RECIPES
from training.train import pretrain
from training.train.task import run_task

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("own", "expected"), [(0, 16), (48, 48)])
def test_a_batch_of_stage_1_is_as_large_as_asked_for(tmp_path: Path, own: int, expected: int) -> None:
    write_toy(tmp_path, pretrain_batch=own)
    task = run_task(toy_config(tmp_path, pretrain_batch=own))
    drawn: list[int] = []
    batch = task.pool.batch
    task.pool.batch = lambda rows, seed=None: (drawn.append(len(rows)), batch(rows, seed))[1]  # type: ignore
    pretrain.pretrain(task, RECIPES["infonce"])
    assert drawn[:20] == [expected] * 20


def test_its_own_steps_are_on_top_of_those_of_the_others(tmp_path: Path) -> None:
    write_toy(tmp_path)
    task = run_task(toy_config(tmp_path))
    vicreg, alone = RECIPES["vicreg"], RECIPES["lab_heads"]
    assert task.stage_1_steps(vicreg) + task.later_steps(vicreg) == task.later_steps(alone) == 60
    own = replace(task, stage_1_own=500)
    assert own.stage_1_steps(vicreg) == 500
    assert own.later_steps(vicreg) == own.later_steps(alone) == 60
    assert own.stage_1_steps(alone) == 0


def test_a_curve_may_say_so(tmp_path: Path) -> None:
    shipped = (ROOT / "training/configs/curve.yaml").read_text()
    path = tmp_path / "curve.yaml"
    path.write_text(shipped + "\nstage1_steps: 3000\n")
    assert load_curve_config(path).stage1_steps == 3000
    assert load_curve_config(ROOT / "training/configs/curve.yaml").stage1_steps == 0
