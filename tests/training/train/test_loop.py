"""The training loop: it resumes to the same weights, averages them, and stops early after the best look."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from training.config import Hardware
from training.train.devices import Devices, Share
from training.train.loop import EarlyStopping, Schedule, fit
from training.train.objectives import masked_bce

ECGS = torch.randn(16, 40, generator=torch.Generator().manual_seed(0))
TRUTH = (ECGS[:, :1] > 0).float()


class Stopped(Exception):
    pass


def toy() -> nn.Module:
    """With averaged floats that are no parameters (running mean and variance) and a counter."""
    torch.manual_seed(3)
    return nn.Sequential(nn.BatchNorm1d(40), nn.Dropout(0.2), nn.Linear(40, 1))


def train(folder: Path, stop_at: int | None = None) -> tuple[nn.Module, list[dict[str, torch.Tensor]]]:
    """The module that is left, and its state before the first step and after each."""
    module = toy()

    def state() -> dict[str, torch.Tensor]:
        return {key: value.detach().clone() for key, value in module.state_dict().items()}

    seen = [state()]

    def loss(step: int, share: Share) -> dict[str, torch.Tensor]:
        if step == stop_at:
            raise Stopped
        return {"bce": nn.functional.binary_cross_entropy_with_logits(module(ECGS), TRUTH)}

    hook = register_optimizer_step_post_hook(lambda *_: seen.append(state()))
    try:
        fit("test", module, [(module, 1.0)], loss, Schedule(12, 1e-2, 0.01, 0.5, 5, checkpoint_every=4), folder)
    finally:
        hook.remove()
    return module, seen


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole")
    with pytest.raises(Stopped):
        train(tmp_path / "killed", stop_at=10)
    resumed, _ = train(tmp_path / "killed")
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


def test_what_is_left_is_the_moving_average_of_all_steps_running_statistics_included(tmp_path: Path) -> None:
    """Against the definition: a decay of (1 + n) / (10 + n) at step n from 0, 0.5 at most, from the start on."""
    left, seen = train(tmp_path)
    expected = {key: value.double() for key, value in seen[0].items()}
    for step, state in enumerate(seen[1:]):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = {key: decay * expected[key] + (1 - decay) * value for key, value in state.items()}
    for key in ("0.weight", "0.running_mean", "0.running_var", "2.weight"):
        found = left.state_dict()[key].double()
        torch.testing.assert_close(found, expected[key], atol=1e-6, rtol=0)
        assert (found - seen[-1][key]).abs().max() > 1e-4
    assert left.state_dict()["0.num_batches_tracked"] == 12


def test_a_watched_run_ends_soon_after_its_best_look_and_keeps_that(tmp_path: Path) -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(0.0)
    steps = []

    def loss(step: int, share: Share) -> dict[str, torch.Tensor]:
        steps.append(step)
        return {"distance": (module.weight - 100.0).abs().sum()}  # up by about the learning rate a step

    watch = EarlyStopping(10, lambda: -abs(float(module.weight.detach()) - 0.5), patience=3)
    curve = fit("test", module, [(module, 1.0)], loss, Schedule(1000, 0.01, 0.0, 0.5, 1, 1000), tmp_path, watch)
    best = int(np.argmax(curve["watched"]))
    assert len(curve["watched"]) == best + 1 + 3
    assert len(steps) == 10 * len(curve["watched"]) < 1000
    assert -abs(float(module.weight.detach()) - 0.5) == curve["watched"][best]


@pytest.mark.parametrize("parts", [1, 2, 8])
def test_a_batch_in_parts_is_the_batch(parts: int, tmp_path: Path) -> None:
    """Gradient accumulation with labels of which most of the last part are unknown, against plain AdamW."""
    truth = TRUTH.repeat(1, 3)
    truth[1::2, 1:] = torch.nan
    known = ~truth.isnan()
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(40, 8), nn.Tanh(), nn.Linear(8, 3))
    plain = copy.deepcopy(module)

    def loss(step: int, share: Share) -> dict[str, torch.Tensor]:
        rows = share.rows(np.arange(16))
        return {"bce": masked_bce(module(ECGS[rows]), truth[rows], share.known(truth.numpy()))}

    devices = Devices(Hardware(accelerator="cpu", accumulate=parts))
    schedule = Schedule(20, 1e-2, 0.01, 0.0, 5, 100, batch=16)
    curve = fit("test", module, [(module, 1.0)], loss, schedule, tmp_path, devices=devices)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-2, weight_decay=0.01)
    expected = []
    for step in range(20):
        optimizer.param_groups[0]["lr"] = 1e-2 * schedule.factor(step)
        optimizer.zero_grad()
        value = nn.functional.binary_cross_entropy_with_logits(plain(ECGS)[known], truth[known])
        value.backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
        expected.append(float(value.detach()))
    assert curve["bce"] == [pytest.approx(np.mean(expected), rel=1e-5)]
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(module.state_dict()[key], value, rtol=1e-3, atol=1e-5)
