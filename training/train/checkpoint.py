"""A checkpoint is safetensors (weights, averaged weights, AdamW's moments, the best weights of a watched run) plus the
step, the loss curve and what is not yet in it, in JSON. The one before it is kept until the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.train import files
from training.train.files import Damaged

NAME, PREVIOUS = "checkpoint.safetensors", "checkpoint.previous.safetensors"
Curve = dict[str, list[float]]
State = dict[str, Tensor]


@dataclass
class Progress:
    """step: the next one. curve: means of 20 steps; window: the steps since. best: the weights of the best look."""

    step: int = 0
    curve: Curve = field(default_factory=dict)
    window: list[dict[str, float]] = field(default_factory=list)
    best: State = field(default_factory=dict)
    best_score: float = -math.inf


@dataclass(frozen=True)
class Training:
    """All that changes while a module is trained."""

    module: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer

    def save(self, folder: Path, progress: Progress) -> None:
        """Raises OSError (a full disk), and the checkpoints that were there stay."""
        tensors = {f"weights.{key}": value for key, value in self.module.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in self.average.module.state_dict().items()}
        tensors |= {f"best.{key}": value for key, value in progress.best.items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{key}": value for key, value in state.items()}
        about = {"step": progress.step, "curve": progress.curve, "window": progress.window}
        fresh = folder / "checkpoint.fresh.safetensors"
        files.save_tensors(fresh, tensors, about | {"best_score": progress.best_score})
        if (folder / NAME).exists():
            (folder / NAME).replace(folder / PREVIOUS)
        fresh.replace(folder / NAME)
        files.settle(folder)

    def resume(self, folder: Path) -> Progress:
        """Go on from the last checkpoint that is whole; from the start where there is none."""
        for name in (NAME, PREVIOUS):
            try:
                tensors, about = files.load_tensors(folder / name)
            except FileNotFoundError:
                continue
            except Damaged as error:
                print(
                    f"WARNING: {error} Training goes on from the checkpoint before it, or from the start.", flush=True
                )
                continue
            return self._take(tensors, about)
        return Progress()

    def _take(self, tensors: State, about: files.Metadata) -> Progress:
        self.module.load_state_dict(below("weights.", tensors))
        self.average.module.load_state_dict(below("average.", tensors))
        described = self.optimizer.state_dict()
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, number, name = key.split(".")
                described["state"].setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict(described)
        self.average.n_averaged.fill_(1 + about["step"])
        return Progress(best=below("best.", tensors), **about)


def remove(folder: Path) -> None:
    """The checkpoints of a training that is done, with what writers that were killed left of some."""
    for name in (NAME, PREVIOUS, "checkpoint.fresh.safetensors"):
        (folder / name).unlink(missing_ok=True)
        files.remove_partial(folder / name)


def below(prefix: str, tensors: State) -> State:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
