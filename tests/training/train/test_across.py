"""Two processes under torchrun compute what one does: loss and gradient of every objective, and a whole training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.toy_run import ROOT, toy_config, write_config, write_toy
from tests.training.train import two_processes
from training.config import Hardware
from training.recipes import TRANSFER
from training.train import across, files
from training.train.finetune import train
from training.train.task import run_task

pytestmark = pytest.mark.slow
CPUS = {"accelerator": "cpu"}  # two processes cannot share one GPU


def torchrun(*arguments: str) -> None:
    """Two processes of a module with gloo, each on one thread."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_loss_gradient_and_running_statistics_of_two_processes_are_those_of_one(tmp_path: Path) -> None:
    torchrun("tests.training.train.two_processes", str(tmp_path / "two.safetensors"))
    two, _ = files.load_tensors(tmp_path / "two.safetensors")
    one = two_processes.computed()
    assert set(one) == set(two)
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=1e-4, atol=2e-5, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("recipe", ["lab_heads", "labs_first"])
def test_two_processes_have_the_loss_curve_of_one_with_the_same_batch(recipe: str, tmp_path: Path) -> None:
    """Without augmentation and dropout, of which every process has its own."""
    write_toy(tmp_path / "one", transfer=recipe, hardware=CPUS)
    config = write_config(tmp_path / "two", transfer=recipe, hardware=CPUS)
    (tmp_path / "two" / "prepared").symlink_to(tmp_path / "one" / "prepared")
    torchrun("training", "finetune", "--config", str(config))
    train(run_task(toy_config(tmp_path / "one")), recipe, TRANSFER)
    curves = [
        json.loads((tmp_path / name / "stages" / TRANSFER / "record.json").read_text())["figures"]["loss"]
        for name in ("one", "two")
    ]
    assert set(curves[0]) == {"findings", "diagnoses", "labs"}
    for head, curve in curves[0].items():
        np.testing.assert_allclose(curves[1][head], curve, rtol=2e-3)
        assert len(set(curve)) > 1


def test_a_batch_that_cannot_be_divided_is_one_sentence(tmp_path: Path) -> None:
    write_toy(tmp_path)
    config = toy_config(tmp_path, hardware=Hardware(accumulate=5))
    with pytest.raises(ValueError, match="16 cannot be divided between 1 processes in 5 parts"):
        train(run_task(config), "lab_heads", TRANSFER)


def test_batch_norm_over_one_process_is_torchs_own() -> None:
    torch.manual_seed(0)
    own, theirs, x = across.BatchNormAcross(3), nn.BatchNorm1d(3), torch.randn(5, 3, 7)
    for _ in range(3):
        torch.testing.assert_close(own(x), theirs(x), rtol=0, atol=0)
    assert own.state_dict().keys() == theirs.state_dict().keys()
