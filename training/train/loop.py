"""The one training loop: AdamW, one cycle of the learning rate, clipped gradients, averaged weights, checkpoints.

A checkpoint is safetensors (weights, averaged weights, AdamW's moments) plus the step in JSON; no pickle. Batches,
augmentation and dropout follow from (seed, step), so a run that was killed and resumed ends with the same weights.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from training.train.objectives import Terms


@dataclass(frozen=True)
class Schedule:
    """steps: length of the run; lr: peak; warmup: share of the steps that rise; ema: decay of averaged weights."""

    steps: int
    lr: float
    weight_decay: float
    ema: float
    seed: int
    checkpoint_every: int
    warmup: float = 0.1

    def factor(self, step: int) -> float:
        """Learning rate at `step` relative to the peak: linear rise, then a cosine to a hundredth."""
        rise = max(1, int(self.warmup * self.steps))
        if step < rise:
            return (step + 1) / rise
        progress = (step - rise) / max(1, self.steps - rise)
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class EarlyStopping:
    """Early stopping: every so many steps `score()` of the module with its averaged weights, higher is better. After
    `patience` looks without a better one training ends."""

    every: int
    score: Callable[[], float]
    patience: int = 12


def fit(
    name: str,
    module: nn.Module,
    groups: list[tuple[nn.Module, float]],
    loss: Callable[[int], Terms],
    schedule: Schedule,
    folder: Path,
    watch: EarlyStopping | None = None,
) -> dict[str, list[float]]:
    """Train `module` in place and leave its averaged weights in it; returns the loss curve (means of 20 steps).

    groups: (part of the module, learning rate relative to the peak). loss(step): named terms, summed. With `watch` the
    averaged weights are those of the best score so far, and the scores are in the curve as "watched".
    Resumes from `folder`/checkpoint.safetensors when there is one (not a watched run, which starts again).
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = [({"params": list(part.parameters())}, relative) for part, relative in groups]
    optimizer = torch.optim.AdamW([g for g, _ in trained], lr=schedule.lr, weight_decay=schedule.weight_decay)
    average = AveragedModel(module, avg_fn=_moving_average(schedule.ema), use_buffers=True)
    average.update_parameters(module)  # the first one copies
    start, curve = (0, {}) if watch else _resume(folder, module, average, optimizer)
    best, best_score = average.module.state_dict(), -math.inf
    window: list[dict[str, float]] = []
    progress = tqdm(range(start, schedule.steps), desc=name, initial=start, total=schedule.steps, mininterval=2)
    for step in progress:
        torch.manual_seed(schedule.seed * 1_000_003 + step)
        for group, (_, relative) in zip(optimizer.param_groups, trained, strict=True):
            group["lr"] = schedule.lr * relative * schedule.factor(step)
        module.train()
        terms = loss(step)
        total = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(module)
        window.append({key: float(value.detach()) for key, value in terms.items()})
        if (step + 1) % 20 == 0 or step + 1 == schedule.steps:
            for key in terms:
                curve.setdefault(key, []).append(sum(entry[key] for entry in window) / len(window))
            progress.set_postfix({key: f"{values[-1]:.3f}" for key, values in curve.items()})
            window.clear()
        if watch and ((step + 1) % watch.every == 0 or step + 1 == schedule.steps):
            score = _watched(module, average.module, watch)
            curve.setdefault("watched", []).append(score)
            if score > best_score:
                best, best_score = copy.deepcopy(average.module.state_dict()), score
            elif len(curve["watched"]) - int(np.argmax(curve["watched"])) > watch.patience:
                break
        if not watch and (step + 1) % schedule.checkpoint_every == 0:
            _checkpoint(folder, module, average, optimizer, step + 1, curve)
    module.load_state_dict(best if watch else average.module.state_dict())
    module.eval()
    return curve


def _moving_average(most: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Exponential moving average with the decay `most`; of counters the last value. Early averages would remember the
    random start, so the decay grows with the number of them."""

    def average(before: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
        decay = min(most, int(count) / (9 + int(count)))
        return torch.lerp(before, now, 1 - decay) if before.dtype.is_floating_point else now

    return average


def _watched(module: nn.Module, average: nn.Module, watch: EarlyStopping) -> float:
    """The score of the averaged weights; the module is left as it was."""
    own = {key: value.clone() for key, value in module.state_dict().items()}
    module.load_state_dict(average.state_dict())
    module.eval()
    with torch.inference_mode():
        score = watch.score()
    module.load_state_dict(own)
    return score


def _checkpoint(
    folder: Path,
    module: nn.Module,
    average: AveragedModel,
    optimizer: torch.optim.Optimizer,
    step: int,
    curve: dict[str, list[float]],
) -> None:
    tensors = {f"weights.{key}": value for key, value in module.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.module.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": value for key, value in state.items()}
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    partial = folder / "checkpoint.partial"
    save_file(tensors, partial, metadata={"progress": json.dumps({"step": step, "curve": curve})})
    partial.replace(folder / "checkpoint.safetensors")  # never a half-written checkpoint


def _resume(
    folder: Path, module: nn.Module, average: AveragedModel, optimizer: torch.optim.Optimizer
) -> tuple[int, dict[str, list[float]]]:
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0, {}
    tensors = load_file(path)
    module.load_state_dict(_below("weights.", tensors))
    average.module.load_state_dict(_below("average.", tensors))
    described = optimizer.state_dict()
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, number, field = key.split(".")
            described["state"].setdefault(int(number), {})[field] = value
    optimizer.load_state_dict(described)
    with safe_open(path, framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
    average.n_averaged.fill_(1 + progress["step"])
    return progress["step"], progress["curve"]


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
