"""The one training loop: AdamW, one cycle of the learning rate, clipped gradients, averaged weights, checkpoints.

Batches, augmentation and dropout follow from (seed, step), so a run that was killed and resumed ends with the same
weights. No pickle: see checkpoint.py.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from training.config import Hardware
from training.data.clock import Clock
from training.train import across, checkpoint
from training.train.checkpoint import Curve, Progress, Training
from training.train.devices import Devices, Share, devices_of
from training.train.log import Log
from training.train.objectives import Terms

SHOWN = 20  # steps whose mean is a point of the loss curve
CPU = Hardware(accelerator="cpu", precision="float32")


@dataclass(frozen=True)
class Schedule:
    """steps: length of the run; lr: peak; ema: decay of averaged weights; batch: ECGs, all processes together; warmup:
    share of the steps that rise."""

    steps: int
    lr: float
    weight_decay: float
    ema: float
    seed: int
    checkpoint_every: int
    batch: int = 1
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
    `patience` looks without a better one training ends. told: hears of every look (step, score), in the first process;
    what it raises ends the training as well."""

    every: int
    score: Callable[[], float]
    patience: int = 12
    told: Callable[[int, float], None] | None = None


Loss = Callable[[int, Share], Terms]


class Step(nn.Module):
    """A share of a batch in, the terms of its loss out; what is made parallel, so that all of it is exchanged."""

    def __init__(self, module: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.module = module
        self.loss = loss

    def forward(self, step: int, share: Share) -> Terms:
        return self.loss(step, share)


def fit(
    name: str,
    module: nn.Module,
    groups: list[tuple[nn.Module, float]],
    loss: Loss,
    schedule: Schedule,
    folder: Path,
    watch: EarlyStopping | None = None,
    devices: Devices | None = None,
    data: Clock | None = None,
) -> Curve:
    """Train `module` in place and leave its averaged weights in it; returns the loss curve (means of 20 steps).

    groups: (part of the module, learning rate relative to the peak). loss(step, share): named terms of that share of
    the step's batch, summed; those of all shares add up to the batch's. With `watch` the averaged weights are those of
    the best score so far, and the scores are in the curve as "watched". devices: one process on the CPU by default.
    data: the clock of batches being made. Resumes from the checkpoint in `folder` when there is one, and so does
    log.jsonl there.
    """
    devices = devices or devices_of(CPU)
    folder.mkdir(parents=True, exist_ok=True)
    module.to(devices.device)
    across.with_shared_statistics(module)
    parallel = devices.parallel(Step(module, loss))
    trained = [({"params": list(part.parameters())}, relative) for part, relative in groups]
    optimizer = torch.optim.AdamW(
        [g for g, _ in trained], lr=schedule.lr, weight_decay=schedule.weight_decay, fused=devices.device.type == "cuda"
    )
    average = MovingAverage(module, schedule.ema)
    average.update_parameters(module)  # the first one copies
    training = Training(module, average, optimizer)
    progress = devices.first_then_all(lambda: training.resume(folder))
    shares = devices.shares(schedule.batch)
    log = Log(folder, progress.step, schedule.batch, data or Clock(), devices.is_first)
    seen: list[dict[str, Tensor]] = []
    bar = tqdm(
        range(progress.step, schedule.steps), name, initial=progress.step, total=schedule.steps, mininterval=2,
        disable=not devices.is_first,
    )  # fmt: skip
    for step in bar:
        for group, (_, relative) in zip(optimizer.param_groups, trained, strict=True):
            group["lr"] = schedule.lr * relative * schedule.factor(step)
        module.train()
        optimizer.zero_grad(set_to_none=True)
        for share in shares:
            first, second = share.seed(schedule.seed, step)
            torch.manual_seed(first * 1_000_003 + second)
            with devices.without_exchange(parallel, enabled=share is not shares[-1]):
                terms = parallel(step, share)
                # Gradients are averaged over processes, and a batch's is the sum of theirs.
                devices.fabric.backward(torch.stack(list(terms.values())).sum() * devices.processes)
            seen.append({key: value.detach() for key, value in terms.items()})
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(module)
        progress.step = step + 1
        last = progress.step == schedule.steps
        look = watch is not None and (progress.step % watch.every == 0 or last)
        save = progress.step % schedule.checkpoint_every == 0 and not last
        show = progress.step % SHOWN == 0 or last
        means: dict[str, float] = {}
        if show or look or save:
            progress.window += _numbers(seen, len(shares))
            seen.clear()
        if show:
            for key in terms:
                means[key] = sum(entry[key] for entry in progress.window) / len(progress.window)
                progress.curve.setdefault(key, []).append(means[key])
            bar.set_postfix({key: f"{values[-1]:.3f}" for key, values in progress.curve.items()})
            progress.window = []
        score = None
        if watch and look:
            with log.apart():
                score = _look(training, watch, progress, devices)
        if show or look:
            lr = schedule.lr * schedule.factor(step)
            log.write(progress.step, schedule.steps, lr, means, score, devices.gpu())
        if watch and score is not None:
            if watch.told and devices.is_first:
                watch.told(progress.step, score)
            if _enough(progress.curve["watched"], watch.patience):
                break
        if save and devices.is_first:
            with log.apart():
                log.settle()
                training.save(folder, progress)
    module.load_state_dict(progress.best if watch else average.module.state_dict())
    module.eval()
    return progress.curve


def _numbers(seen: list[dict[str, Tensor]], shares: int) -> list[dict[str, float]]:
    """Terms of every share of some steps -> of every step, over all processes."""
    if not seen:
        return []
    keys = list(seen[0])
    values = torch.stack([torch.stack([terms[key] for key in keys]) for terms in seen])
    values = across.summed(values.reshape(-1, shares, len(keys)).sum(dim=1)).cpu()
    return [dict(zip(keys, row, strict=True)) for row in values.tolist()]


class MovingAverage(AveragedModel):
    """Exponential moving average of all parameters and buffers with the decay `most`; of counters the last value.

    Early averages would remember the random start, so the decay grows with the number of them. Updated by a few calls
    for all tensors together, and without asking the device for anything.
    """

    def __init__(self, module: nn.Module, most: float) -> None:
        super().__init__(module, use_buffers=True)
        self.most = most

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        count = int(self.n_averaged)  # on the CPU
        decay = min(self.most, count / (9 + count))
        own = [*self.module.parameters(), *self.module.buffers()]
        now = [*model.parameters(), *model.buffers()]
        moving = [number for number, tensor in enumerate(own) if tensor.dtype.is_floating_point]
        if count:
            torch._foreach_lerp_([own[n] for n in moving], [now[n] for n in moving], 1 - decay)
        else:
            torch._foreach_copy_([own[n] for n in moving], [now[n] for n in moving])
        for number in set(range(len(own))) - set(moving):
            own[number].copy_(now[number])
        self.n_averaged += 1


def _look(training: Training, watch: EarlyStopping, progress: Progress, devices: Devices) -> float:
    """The score of the averaged weights, which are kept where they are the best so far."""
    score = devices.agreed(lambda: _watched(training.module, training.average.module, watch))
    progress.curve.setdefault("watched", []).append(score)
    if score > progress.best_score:
        progress.best, progress.best_score = copy.deepcopy(training.average.module.state_dict()), score
    return score


def _enough(looks: list[float], patience: int) -> bool:
    """Is it time to stop? The first of the best looks lies more than so many back."""
    return len(looks) - int(np.argmax(looks)) > patience


def _watched(module: nn.Module, average: nn.Module, watch: EarlyStopping) -> float:
    """The score of the averaged weights; the module is left as it was."""
    own = {key: value.clone() for key, value in module.state_dict().items()}
    module.load_state_dict(average.state_dict())
    module.eval()
    with torch.inference_mode():
        score = watch.score()
    module.load_state_dict(own)
    return score


def finished(folder: Path) -> None:
    """Remove what a training left to be resumed from."""
    checkpoint.remove(folder)
