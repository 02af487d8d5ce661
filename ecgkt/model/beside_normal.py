"""What a score rests on, beside normal beats: integrated gradients from the normal beats whose QRS is nearest to this
patient's, so that what both have in common (a tall QRS, a left axis) is not what explains the score.

From a flat line, as in `ecgkt.model.attribution`, the largest waves hold most of the relevance whatever the finding is.
Against what cardiologists stated and against causal truth: `benchmarks/explanations.py`.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_detection import BEAT, BEFORE
from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.model.networks.effect_estimator import EffectEstimator, twelve
from ecgkt.model.networks.network import Network
from ecgkt.model.preprocessing import MODEL_RATE

FILE = Path(__file__).with_name("normal_beats.safetensors")
NEAREST = 4  # normal beats
STEPS = 8  # of the path from each
# Parts of a beat within which relevance is placed by size: before QRS, QRS, ST and T of a usual beat, s from R.
PARTS = (-BEFORE, -0.06, 0.08, 0.18, BEAT / MODEL_RATE - BEFORE)
EDGES = [round((part + BEFORE) * MODEL_RATE) for part in PARTS]  # samples
QRS = slice(EDGES[1], EDGES[2])


# Relevance of the average beat [12, BEAT], of what single beats do otherwise, and of the rhythm, in logits.
OnBeat = tuple[Tensor, float, float]


def by_part(values: Tensor) -> Tensor:
    """[..., 12, BEAT] -> the same, each sample the sum over its part of the beat."""
    out = torch.empty_like(values)
    for first, last in pairwise(EDGES):
        out[..., first:last] = values[..., first:last].sum(dim=-1, keepdim=True)
    return out


@cache
def normal_beats() -> Tensor:
    """[N, 12, BEAT] mV, as `training.effects.normal_beats` drew them."""
    return twelve(load_file(FILE)["beats"].float())


@cache
def fibrillation_rhythm() -> Tensor:
    """[1, 16] the median rhythm of simulated fibrillation."""
    return load_file(FILE)["fibrillation_rhythm"][None]


def nearest_normal(average: Tensor) -> Tensor:
    """[NEAREST, 12, BEAT]: those whose QRS differs least from that of an average beat [12, BEAT] mV, by the sum of
    squares. By the whole beat, what is nearest to a T wave turned over is a low one behind another QRS."""
    every = normal_beats()
    return every[(every - average)[..., QRS].square().sum(dim=(1, 2)).argsort()[:NEAREST]]


def beside_normal(
    network: Network, estimator: EffectEstimator, view: BeatView, head: str, target: int, rhythm: Tensor | None = None
) -> OnBeat:
    """The relevance of one logit beside the nearest normal beats.

    rhythm: [1, 16] that of the normal beats; by default the usual one that is nearest to this tracing's.

    Integrated gradients, the mean over the nearest normal beats, with the differences between beats and the rhythm
    where the estimator finds them usual: together what the logit is above its mean at those references. In each part
    of each lead it is summed, sign and all, and laid where the beat differs from the normal one.
    """
    normal = nearest_normal(view.templates[0, : len(LEADS)])
    usual = estimator.usual_differences(view).expand(len(normal), -1, -1)
    rhythm = estimator.nearest_usual_rhythm(view.rhythm) if rhythm is None else rhythm
    start = BeatView(torch.cat([normal, usual], dim=1), rhythm)
    return _since(network, view, start, head, target)


def beside_changed(network: Network, view: BeatView, change: Tensor, rhythm: Tensor, head: str, target: int) -> OnBeat:
    """The same beside this patient's own beat with a change [12, BEAT] mV, in another rhythm [1, 16]: for a rhythm, of
    which a normal beat, which is in sinus rhythm and of another heart, is no contrast."""
    templates = view.templates.clone()
    templates[0, : len(LEADS)] += change
    return _since(network, view, BeatView(templates, rhythm), head, target)


def _since(network: Network, view: BeatView, start: BeatView, head: str, target: int) -> OnBeat:
    """Integrated gradients from several templates [K, 36, BEAT] in one rhythm, their mean."""
    count = len(start.templates)
    away, faster = view.templates - start.templates, view.rhythm - start.rhythm
    points, weights = np.polynomial.legendre.leggauss(STEPS)  # on -1 to 1
    share, weight = torch.tensor((1 + points) / 2).float(), torch.tensor(weights / 2).float()
    templates = (start.templates[:, None] + share[:, None, None] * away[:, None]).flatten(0, 1).requires_grad_(True)
    rhythms = (start.rhythm + share[:, None] * faster).repeat(count, 1).requires_grad_(True)
    with torch.enable_grad():
        logits = network(BeatView(templates, rhythms))[head][:, target]
        mean = (weight.repeat(count) * logits).sum() / count
        of_templates, of_rhythm = torch.autograd.grad(mean, (templates, rhythms))
    slopes = of_templates.view(count, STEPS, -1, BEAT).sum(dim=1)
    relevance = (slopes * away).view(count, -1, len(LEADS), BEAT)
    energy = away[:, : len(LEADS)].square()
    on_beat = (by_part(relevance[:, 0]) * energy / by_part(energy).clamp(min=1e-20)).sum(dim=0)
    return on_beat, float(relevance[:, 1:].sum()), float((of_rhythm.sum(dim=0) * faster[0]).sum())
