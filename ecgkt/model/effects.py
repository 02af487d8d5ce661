"""What a score rests on, by effects: what the network would say, had a lab or a condition left no mark on the beat.

Against what simulated causes changed, and against what medicine says of real findings: `benchmarks/explanations.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from torch import Tensor

from ecgkt.ecg import LEADS
from ecgkt.model.beside_normal import OnBeat, by_part
from ecgkt.model.networks.beat_detection import BEAT, BEFORE, DetectedBeats, cut, find_beats
from ecgkt.model.networks.beat_encoder import BeatView, beat_view, different_beats
from ecgkt.model.networks.effect_estimator import EffectEstimator
from ecgkt.model.networks.network import CLIP_MV, Network
from ecgkt.model.preprocessing import MODEL_RATE

FILE = Path(__file__).with_name("effects.safetensors")
LEAST_LIKELY = 0.03  # an effect less likely than this is not asked for
MOST = 0.9  # share of all contributions of effects that those placed by the network's slope hold
STEPS = 3  # of a path from the beat without an effect


@dataclass(frozen=True)
class BeatEffects:
    """What the logits of one view owe to the effects on its average beat. causes, likely [E], changes [E, 12, BEAT] mV:
    the effects, how likely each is there, and what it changed if it is.

    contributions: head -> [E + 2, labels], by how much a logit falls when an effect is taken out, times how likely it
    is there; the last two rows: when single beats differ no more from the average, and when the rhythm is no further
    from the usual one, than is usual.
    """

    view: BeatView
    causes: tuple[str, ...]
    likely: Tensor
    changes: Tensor
    contributions: dict[str, Tensor]

    def beat_map(self, network: Network, head: str, target: int) -> Tensor:
        """[12, BEAT] the effects' contributions to one logit, laid where the effects are.

        Half of a contribution lies by the energy of what the effect changed; half goes to each part of each lead by
        the network's own slope there (integrated gradients from the beat without the effect, as far as they have the
        contribution's sign), and within the part by energy again.
        """
        shares = self.contributions[head][:-2, target]
        energy = self.changes.square()
        places = energy / energy.sum(dim=(1, 2), keepdim=True).clamp(min=1e-20)
        order = shares.abs().argsort(descending=True)
        held = shares.abs()[order].cumsum(0) / shares.abs().sum().clamp(min=1e-20)
        rows = order[: int((held < MOST).sum()) + 1]
        own = (self._slopes(network, head, target, rows) * shares[rows].sign()[:, None, None]).clamp(min=0)
        by_slope = own * energy[rows] / by_part(energy[rows]).clamp(min=1e-20)
        sums = by_slope.sum(dim=(1, 2), keepdim=True)
        places[rows] = torch.where(sums > 0, (places[rows] + by_slope / sums.clamp(min=1e-20)) / 2, places[rows])
        return torch.einsum("e,elt->lt", shares, places)

    def relevance(self, network: Network, head: str, target: int) -> OnBeat:
        """The effects' contributions to one logit, of what single beats do otherwise, of the rhythm."""
        *_, of_beats, rhythm = self.contributions[head][:, target].tolist()
        return self.beat_map(network, head, target), of_beats, rhythm

    def _slopes(self, network: Network, head: str, target: int, rows: Tensor) -> Tensor:
        """[R, 12, BEAT] integrated gradients of some effects, each summed over every part of each lead."""
        points, weights = np.polynomial.legendre.leggauss(STEPS)
        left = torch.tensor((1 - points) / 2, dtype=torch.float32)[None, :, None, None]
        changes, count = self.changes[rows], len(rows) * STEPS
        templates = self.view.templates.repeat(count, 1, 1)
        templates[:, : len(LEADS)] -= (left * changes[:, None]).flatten(0, 1)
        templates.requires_grad_(True)
        with torch.enable_grad():
            logits = network(BeatView(templates, self.view.rhythm.repeat(count, 1)))[head][:, target]
            weight = torch.tensor(weights / 2, dtype=torch.float32).repeat(len(rows))
            (gradient,) = torch.autograd.grad((weight * logits).sum(), templates)
        slopes = gradient[:, : len(LEADS)].view(len(rows), STEPS, len(LEADS), BEAT).sum(dim=1)
        return by_part(slopes * changes)


@dataclass(frozen=True)
class Effects:
    """The same in a tracing: found are its beats, differing [12, T] where single beats differ, summing to 1."""

    on_beat: BeatEffects
    found: DetectedBeats
    own: Tensor
    differing: Tensor

    def laid(self, relevance: OnBeat) -> tuple[npt.NDArray[np.float32], float]:
        """([12, T], of the rhythm): what was found on the average beat, laid on all of the tracing's; in logits."""
        on_beat, of_beats, rhythm = relevance
        laid = _laid_on_beats(on_beat, self.found.at[0][self.own], self.differing.shape[1])
        return (laid + of_beats * self.differing).numpy(), rhythm


@cache
def shipped_estimator() -> tuple[EffectEstimator, tuple[str, ...]]:
    """(the estimator, its causes) in `FILE`, as `training.effects.fit` writes it."""
    with safe_open(FILE, "pt") as file:
        causes = tuple(json.loads(file.metadata()["causes"]))
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118, no mapping
    shapes, axes = weights["shapes"], weights["axes"]
    estimator = EffectEstimator(len(causes), axes.shape[1], shapes.shape[1], len(weights["layers.0.bias"]))
    estimator.load_state_dict(weights)
    return estimator.eval().requires_grad_(False), causes


@torch.no_grad()
def effects_on_beat(network: Network, view: BeatView) -> BeatEffects:
    """The effects on one view (mV), for all heads at once: one pass through the network, a row an effect."""
    estimator, causes = shipped_estimator()
    changes, likely = estimator(view)
    asked = torch.nonzero(likely[0] >= LEAST_LIKELY)[:, 0]
    changes, likely = changes[0, asked], likely[0, asked]
    count = len(asked) + 3  # as it is, without each effect, with beats that differ as usual, in a usual rhythm
    templates, rhythm = view.templates.repeat(count, 1, 1), view.rhythm.repeat(count, 1)
    templates[1:-2, : len(LEADS)] -= changes
    templates[-2, len(LEADS) :] = estimator.usual_differences(view)[0]
    rhythm[-1] = estimator.nearest_usual_rhythm(view.rhythm)[0]
    weight = torch.cat([likely, torch.ones(2)])[:, None]
    logits = network(BeatView(templates, rhythm))
    contributions = {head: (rows[:1] - rows[1:]) * weight for head, rows in logits.items()}
    return BeatEffects(view, tuple(causes[i] for i in asked), likely, changes, contributions)


@torch.no_grad()
def effects_of(network: Network, signal: Tensor) -> Effects:
    """The effects on a tracing [1, 12, T] mV as the network sees it."""
    signal = signal.clamp(-CLIP_MV, CLIP_MV)
    found = find_beats(signal)
    different = different_beats(signal, found)[0]
    own = found.is_beat[0] & ~different
    on_beat = effects_on_beat(network, beat_view(signal, found))
    return Effects(on_beat, found, own, _where_beats_differ(signal, found, own, different))


def _places(at: Tensor, length: int) -> list[tuple[slice, slice]]:
    """(samples of the tracing, samples of the beat) that each beat with R at `at` covers."""
    out = []
    for r in at.tolist():
        first = int(r) - round(BEFORE * MODEL_RATE)
        low, high = max(0, first), min(length, first + BEAT)
        if low < high:
            out.append((slice(low, high), slice(low - first, high - first)))
    return out


def _laid_on_beats(beat: Tensor, at: Tensor, length: int) -> Tensor:
    """[12, BEAT] -> [12, length]: shared out evenly over the beats with R at samples `at`."""
    places = _places(at, length)
    count = torch.zeros(BEAT)
    for _, moments in places:
        count[moments] += 1
    out = torch.zeros(len(LEADS), length)
    for samples, moments in places:
        out[:, samples] += (beat / count.clamp(min=1))[:, moments]
    return out


def _where_beats_differ(signal: Tensor, found: DetectedBeats, own: Tensor, different: Tensor) -> Tensor:
    """[12, T] the energy of what beats unlike the others do, or, where all are alike, of what they do on the mean."""
    beats, inside = cut(signal, found)
    average = (beats * inside).sum(dim=1) / inside.sum(dim=1).clamp(min=1)
    away = ((beats - average[:, None]) * inside)[0].square()
    out = torch.zeros(signal.shape[1:])
    if bool(different.any()):
        for number in torch.nonzero(different)[:, 0].tolist():
            for samples, moments in _places(found.at[0, number : number + 1], signal.shape[2]):
                out[:, samples] += away[number][:, moments]
    else:
        out = _laid_on_beats(away.mean(dim=0), found.at[0][own], signal.shape[2])
    return out / out.sum().clamp(min=1e-20)


@torch.no_grad()
def usual_logits(network: Network) -> dict[str, Tensor]:
    """Head -> [labels] of a beat that no cause changed, in a usual rhythm."""
    estimator, _ = shipped_estimator()
    return {head: rows[0] for head, rows in network(estimator.usual_view()).items()}
