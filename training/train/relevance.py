"""Teaches a trained network to rest a score on what a cause changed, and not on what comes along with it.

The simulator knows what each lab and each condition changed in a beat. A network that has learned its labels goes on
learning them, and in every step also meets beats whose scores fall when a cause's change is taken out: the share of
its relevance that lies outside the smallest area with nine tenths of that change is a term of the loss, which takes
second derivatives. Relevance is the slope times the distance from a reference, flat or the beat of someone in whom
little was changed. After Ross et al. 2017 (arXiv 1703.03717), who know from people where relevance should not lie, and
Erion et al. 2021 (arXiv 1906.10670), whose expected gradients are what is held there. So that nothing is unlearned
meanwhile, above all of labs that few were measured for, it also learns its own former scores (Li and Hoiem 2016, arXiv
1606.09282).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import TEMPLATES, BeatView
from ecgkt.model.networks.effect_estimator import twelve
from ecgkt.model.networks.network import Network
from training.data.changed_beats import examples
from training.data.pool import Pool, Sampler, augment
from training.train import checkpoint, files
from training.train.devices import Share
from training.train.files import Damaged
from training.train.loop import Schedule, fit
from training.train.objectives import Terms, heads_loss
from training.train.task import Task

SEED = 91001  # of the patients: of no cohort, no estimator of effects and no benchmark
SHARE = 0.9  # of a change's energy, that the area holds in which relevance should lie
FALL = 0.4  # of a logit, from which it hangs on a change
UNLIKELY = 0.02  # a score below this is not asked about
SCORES = 3  # of a cause in one beat, those that fall most
LEAST_CHANGED = 0.1  # share of the beats that are references
PART = 0.5  # of a batch, that is as many beats with a cause
FORMER = 1.0  # weight of the former scores
FILE = "relevance_pairs.safetensors"


@dataclass(frozen=True)
class Beats:
    """templates [N, 36, BEAT], rhythm [N, 16]; of [M] changes the beat they are in and [M, 8, BEAT] mV."""

    templates: Tensor
    rhythm: Tensor
    beat: Tensor
    changes: Tensor


@dataclass(frozen=True)
class Hanging:
    """[K] logits that hang on a change: beat and change by number, the logit's place; bool [K, 12, BEAT] its area."""

    beat: Tensor
    change: Tensor
    logit: Tensor
    area: Tensor


def drawn_beats(path: Path, patients: int) -> Beats:
    """Beats of so many simulated patients with what was changed in them, drawn once and kept at `path`."""
    try:
        tensors, about = files.load_tensors(path)
        if about == {"patients": patients, "seed": SEED}:
            return Beats(**{key: tensor if key == "beat" else tensor.float() for key, tensor in tensors.items()})
    except FileNotFoundError:
        pass
    except Damaged as error:
        print(f"WARNING: {error} It is made again.", flush=True)
    found = [each for each in examples(SEED, patients) if each.effects]
    made = {
        "templates": torch.cat([each.view.templates for each in found]).half(),
        "rhythm": torch.cat([each.view.rhythm for each in found]),
        "beat": torch.tensor([number for number, each in enumerate(found) for _ in each.effects]),
        "changes": torch.from_numpy(np.stack([c for each in found for c in each.effects.values()])).half(),
    }
    files.save_tensors(path, made, {"patients": patients, "seed": SEED})
    return drawn_beats(path, patients)


def logits(network: Network, templates: Tensor, rhythm: Tensor) -> Tensor:
    """[B, labels of all heads], one head after another."""
    return torch.cat(list(network(BeatView(templates, rhythm)).values()), dim=1)


@torch.no_grad()
def hanging(network: Network, beats: Beats, batch: int = 512) -> Hanging:
    """Which logits fall by `FALL` where a change is taken out of the average beat: of each change `SCORES` at most."""
    chosen: list[tuple[int, int, int]] = []
    for first in range(0, len(beats.beat), batch):
        rows = beats.beat[first : first + batch]
        templates, rhythm = beats.templates[rows], beats.rhythm[rows]
        without = templates.clone()
        without[:, : len(LEADS)] -= twelve(beats.changes[first : first + batch])
        now = logits(network, templates, rhythm)
        falls = now - logits(network, without, rhythm)
        falls[now.sigmoid() < UNLIKELY] = -torch.inf
        most, places = falls.topk(min(SCORES, falls.shape[1]), dim=1)
        for row, column in (most >= FALL).nonzero().tolist():
            chosen.append((int(rows[row]), first + row, int(places[row, column])))
    beat, change, logit = torch.tensor(chosen, dtype=torch.int64).reshape(-1, 3).unbind(dim=1)
    return Hanging(beat, change, logit, area(twelve(beats.changes))[change])


def area(changes: Tensor) -> Tensor:
    """bool [M, 12, BEAT]: the smallest area with `SHARE` of the energy of each change [M, 12, BEAT]."""
    energy = changes.square().flatten(1)
    order = energy.argsort(dim=1, descending=True)
    before = energy.gather(1, order).cumsum(1) - energy.gather(1, order)
    kept = before < SHARE * energy.sum(dim=1, keepdim=True)
    return torch.zeros_like(kept).scatter(1, order, kept).view(changes.shape)


def outside(
    network: Network, view: BeatView, reference: Tensor, share: Tensor, logit: Tensor, inside: Tensor
) -> Tensor:
    """[B] which share of the relevance of one logit each lies outside, with a gradient in the weights.

    Relevance: the slope at `share` [B, 1, 1] of the way from `reference` [B, 36, BEAT] to the templates, times that
    way, the three templates added up. inside: bool [B, 12, BEAT].
    """
    way = view.templates - reference
    point = (reference + share * way).requires_grad_(True)
    chosen = logits(network, point, view.rhythm).gather(1, logit[:, None])
    (slope,) = torch.autograd.grad(chosen.sum(), point, create_graph=True)
    size = torch.stack((way * slope).chunk(TEMPLATES, dim=1)).sum(dim=0).abs()
    return 1 - (size * inside).sum(dim=(1, 2)) / size.sum(dim=(1, 2)).clamp(min=1e-6)


def unlearned(outputs: dict[str, Tensor], former: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """The cross-entropy of logits [B, labels] of each head with the former probabilities, the mean over labels summed
    over ECGs and, weighted, over heads; it is least where they are the former logits."""
    losses = [
        weights[head]
        * binary_cross_entropy_with_logits(logits, former[head].sigmoid(), reduction="none").mean(dim=1).sum()
        for head, logits in outputs.items()
    ]
    return torch.stack(losses).sum()


def references(beats: Beats) -> Tensor:
    """[R, 36, BEAT] of the beats in which least was changed, and as many flat ones."""
    energy = torch.zeros(len(beats.templates)).index_add_(0, beats.beat, beats.changes.square().sum(dim=(1, 2)))
    least = beats.templates[energy.argsort()[: max(1, round(LEAST_CHANGED * len(energy)))]]
    return torch.cat([least, torch.zeros_like(least)])


def teach_relevance(task: Task, network: Network, pool: Pool, folder: Path) -> dict[str, float]:
    """Train a finished network of beats further, in place; what is to be told of it. pool: with the labels it learned.

    Of the config's `relevance`: patients, steps, lr, and weight, of the share outside. Running statistics stay as they
    are and nothing is dropped out, so that slopes are those of the network in use. Resumes from `folder`.
    """
    config, devices = task.config, task.devices
    settings = config.relevance
    beats = devices.first_then_all(lambda: drawn_beats(config.folder / FILE, int(settings["patients"])))
    found = hanging(network.cpu(), beats)
    if not len(found.beat):
        return {}
    others = references(beats)
    rows = [pool.rows("train", number) for number in range(len(pool.sets))]
    sampler = Sampler(rows, [source.share for source in task.sources], config.batch, SEED)
    mine = [source.augment for source in task.sources]
    count = max(1, round(PART * config.batch))

    def asked(step: int, share: Share) -> Tensor:
        rng = np.random.default_rng([SEED, step])
        own: npt.NDArray[np.int64] = share.rows(rng.integers(len(found.beat), size=count))
        other = share.rows(rng.integers(len(others), size=count))
        way = torch.from_numpy(rng.random(count, np.float32)[share.number :: share.of])[:, None, None]
        beat, device = found.beat[own], devices.device
        view = BeatView(beats.templates[beat].to(device), beats.rhythm[beat].to(device))
        values = outside(
            network, view, others[other].to(device), way.to(device), found.logit[own].to(device),
            found.area[own].to(device),
        )  # fmt: skip
        return settings["weight"] * values.sum() / count

    former = deepcopy(network).to(devices.device).eval().requires_grad_(False)

    def loss(step: int, share: Share) -> Terms:
        network.eval()
        drawn, own = sampler(step), share.seed(SEED, step)
        batch = augment(devices.moved(pool.batch(share.rows(drawn), own)), config.augment, own, mine)
        heads = network.architecture.labels if share.of > 1 else ()
        known = {head: share.known(pool.targets[head][drawn]) for head in heads}
        outputs = network(batch.signal, batch.table)
        with torch.no_grad():
            said = former(batch.signal, batch.table)
        return {
            **heads_loss(outputs, batch.targets, config.head_weights, known),
            "former": FORMER * unlearned(outputs, said, config.head_weights) / config.batch,
            "outside": asked(step, share),
        }

    schedule = Schedule(
        int(settings["steps"]), settings["lr"], config.weight_decay, config.ema, SEED, config.checkpoint_every,
        config.batch,
    )  # fmt: skip
    curve = fit("relevance", network, [(network, 1.0)], loss, schedule, folder, None, devices, pool.clock)
    network.cpu()
    if devices.is_first:
        checkpoint.remove(folder)
    return {"scores": len(found.beat), "outside": curve["outside"][-1] / settings["weight"]}
