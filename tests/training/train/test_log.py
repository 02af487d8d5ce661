"""log.jsonl: what a training writes while it goes, and that a training which goes on has each step there once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import torch
from torch import nn

from training.data.clock import Clock
from training.train.devices import Share
from training.train.log import NAME, Entry, read_log
from training.train.loop import EarlyStopping, Schedule, fit

SCHEDULE = Schedule(steps=50, lr=1e-2, weight_decay=0.01, ema=0.5, seed=5, checkpoint_every=8, batch=16)
LOOKS = 15
A_LOOK, A_BATCH = 100.0, 0.25  # s, made up
ECGS = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))


class Killed(Exception):
    pass


def train(folder: Path, killed_at: int | None = None) -> dict[str, list[float]]:
    """The loss curve. Data take `A_BATCH` by their clock, and looks make data as well."""
    torch.manual_seed(3)
    module, clock = nn.Linear(4, 1), Clock()

    def loss(step: int, share: Share) -> dict[str, torch.Tensor]:
        if step == killed_at:
            raise Killed
        clock.seconds += A_BATCH
        return {"square": module(ECGS).square().mean(), "size": module.weight.abs().sum()}

    def score() -> float:
        clock.seconds += A_LOOK
        return -float(module.weight.detach().abs().sum())

    watch = EarlyStopping(LOOKS, score)
    return fit("test", module, [(module, 1.0)], loss, SCHEDULE, folder, watch, data=clock)


def learned(entries: list[Entry]) -> list[Entry]:
    """Without what a clock said."""
    untimed = {
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "ecgs_per_s": None,
        "seconds": 0.0,
        "data_s": 0.0,
        "model_s": 0.0,
    }
    return [msgspec.structs.replace(entry, **untimed) for entry in entries]


def test_an_entry_every_20_steps_and_every_look_holds_what_the_loop_knows(tmp_path: Path) -> None:
    curve = train(tmp_path)
    entries = read_log(tmp_path / NAME)
    assert [entry.step for entry in entries] == [15, 20, 30, 40, 45, 50]
    shown = [entry for entry in entries if entry.loss]
    assert [entry.step for entry in shown] == [20, 40, 50]
    for term in ("square", "size"):
        assert [entry.loss[term] for entry in shown] == curve[term]
    assert [entry.watched for entry in entries if entry.watched is not None] == curve["watched"]
    assert [entry.step for entry in entries if entry.watched is not None] == [15, 30, 45, 50]
    assert [entry.lr for entry in entries] == [SCHEDULE.lr * SCHEDULE.factor(entry.step - 1) for entry in entries]
    assert all(entry.gpu is None for entry in entries), "nothing here is on a GPU"


def test_data_time_is_that_of_the_steps_and_not_of_the_looks(tmp_path: Path) -> None:
    train(tmp_path)
    before = 0
    for entry in read_log(tmp_path / NAME):
        assert entry.data_s == pytest.approx((entry.step - before) * A_BATCH)
        before = entry.step


@pytest.mark.parametrize("killed_at", [3, 16, 33, 49])
def test_a_training_that_goes_on_has_every_step_once(killed_at: int, tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "killed", killed_at)
    log = tmp_path / "killed" / NAME
    written = log.read_bytes() if log.exists() else b""
    log.write_bytes(written + b'{"step":48,"steps":50,"at":"2026-01')  # what SIGKILL may leave
    train(tmp_path / "killed")
    assert learned(read_log(log)) == learned(read_log(tmp_path / "whole" / NAME))
    assert log.read_bytes().count(b"\n") == len(read_log(log)), "nothing half-written stays"


def test_the_log_goes_back_to_the_checkpoint_that_training_goes_on_from(tmp_path: Path) -> None:
    """The last checkpoint, of step 48, is damaged, so steps from 40 on are made again."""
    train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "killed", 49)
    last = tmp_path / "killed" / "checkpoint.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(Killed):
        train(tmp_path / "killed", 42)
    assert [entry.step for entry in read_log(tmp_path / "killed" / NAME)] == [15, 20, 30, 40]
    train(tmp_path / "killed")
    assert learned(read_log(tmp_path / "killed" / NAME)) == learned(read_log(tmp_path / "whole" / NAME))
