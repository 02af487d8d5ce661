"""Fits the estimator of effects and writes ecgkt/model/effects.safetensors.

    python -m training.effects.fit [--out FILE] [--patients 20000] [--epochs 30]

It learns from simulated ECGs of a seed that no config and no benchmark uses, every second with one condition forced
upon its patient. It knows nothing of a trained network, so it is fitted again when the simulator changes, not when a
network does. A quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from ecgkt.model.effects import FILE
from ecgkt.model.networks.beat_encoder import TEMPLATES, BeatView
from ecgkt.model.networks.effect_estimator import INDEPENDENT, EffectEstimator
from training.data.changed_beats import Changed, examples

SEED = 71003
FEWEST = 40  # examples of a cause, below which no effect is learned for it
PRESENT = 0.25  # of the mean energy of a cause's changes, from which its effect counts as there
RARE = 0.01  # share of examples with a cause, below which its weight grows no more
LEAST_CHANGED = 0.05  # share of the examples that stand for ECGs which nothing changed
USUAL = (0.1, 0.9)  # quantiles between which the rhythm of those ECGs is usual
BATCH, LEARNING_RATE, DECAY = 256, 2e-3, 1e-2
WHOLE = ("mean", "middle", "scale", "usual_")  # buffers stored with all digits, the rest with half of them


def fit(found: Sequence[Changed], epochs: int) -> tuple[EffectEstimator, list[str]]:
    """(estimator, its causes) learned from simulated ECGs: of the causes that are there the squared error of their
    change, relative to the mean of their size, and of all whether they are there; rare causes are weighted up."""
    view = BeatView(torch.cat([e.view.templates for e in found]), torch.cat([e.view.rhythm for e in found]))
    count = Counter(cause for e in found for cause in e.effects)
    causes = sorted(cause for cause, n in count.items() if n >= FEWEST)
    torch.manual_seed(SEED)
    estimator = EffectEstimator(len(causes))
    number = estimator.shapes.shape[1]
    sizes, present = torch.zeros(len(found), len(causes), number), torch.zeros(len(found), len(causes))
    for place, cause in enumerate(causes):
        rows = torch.tensor([row for row, e in enumerate(found) if cause in e.effects])
        change = torch.from_numpy(np.stack([found[row].effects[cause].ravel() for row in rows.tolist()]))
        energy, shapes = change.square().sum(dim=1), _axes(change, number)
        estimator.shapes[place] = shapes.T * energy.mean().sqrt()
        sizes[rows, place] = change @ shapes / energy.mean().sqrt()
        present[rows, place] = (energy > PRESENT * energy.mean()).float()
    _describe(estimator, view, found)
    known = (sizes != 0).any(dim=2).float()
    weight = known.mean(dim=0).clamp(min=RARE).rsqrt()
    _learn(estimator, estimator.inputs(view), sizes, present, known * weight, weight, epochs)
    return estimator.eval(), causes


def _axes(rows: Tensor, number: int) -> Tensor:
    """[points, number] principal axes of rows [N, points] about 0."""
    return torch.linalg.svd(rows, full_matrices=False).Vh[:number].T


def _describe(estimator: EffectEstimator, view: BeatView, found: Sequence[Changed]) -> None:
    """What the estimator knows of its examples: how inputs lie, and what is usual where nothing changed."""
    beats = view.templates[:, list(INDEPENDENT)].flatten(1)
    estimator.mean.copy_(beats.mean(dim=0))
    estimator.axes.copy_(_axes((beats - estimator.mean)[:20000], estimator.axes.shape[1]))
    inputs = estimator.inputs(view)
    estimator.middle.copy_(inputs.mean(dim=0))
    estimator.scale.copy_(inputs.std(dim=0))
    changed = torch.tensor([sum(float(np.square(change).sum()) for change in e.effects.values()) for e in found])
    least = changed.argsort()[: max(1, round(LEAST_CHANGED * len(found)))]
    average, spread, ectopic = view.templates[least].chunk(TEMPLATES, dim=1)
    estimator.usual_beat.copy_(average.mean(dim=0))
    estimator.usual_spread.copy_(spread.median(dim=0).values)
    estimator.usual_ectopic.copy_(ectopic.square().mean(dim=2, keepdim=True).sqrt().median(dim=0).values)
    estimator.usual_rhythm.copy_(view.rhythm[least].quantile(torch.tensor(USUAL), dim=0))


def _learn(
    estimator: EffectEstimator,
    inputs: Tensor,
    sizes: Tensor,
    present: Tensor,
    known_weight: Tensor,
    weight: Tensor,
    epochs: int,
) -> None:
    optimizer = torch.optim.AdamW(estimator.parameters(), LEARNING_RATE, weight_decay=DECAY)
    batches = len(inputs) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs))[: batches * BATCH].view(batches, BATCH):
            said, is_there = estimator.outputs(inputs[rows])
            error = (said - sizes[rows]).square().sum(dim=2) * known_weight[rows]
            entropy = functional.binary_cross_entropy_with_logits(is_there, present[rows], reduction="none") * weight
            loss = error.mean() + 0.5 * entropy.mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()


def save(estimator: EffectEstimator, causes: Sequence[str], file: Path) -> None:
    weights = {
        name: (value if name.startswith(WHOLE) else value.half()).contiguous()
        for name, value in estimator.state_dict().items()
    }
    save_file(weights, file, {"causes": json.dumps(list(causes))})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--patients", type=int, default=20000)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args(arguments)
    found = []
    for example in examples(SEED, options.patients):
        found.append(example)
        if len(found) % 1000 == 0:
            print(len(found), "ECGs", flush=True)
    estimator, causes = fit(found, options.epochs)
    save(estimator, causes, options.out)
    print(len(causes), "causes,", options.out.stat().st_size, "bytes,", options.out.name)


if __name__ == "__main__":
    main()
