"""Ways to explain one logit of one view, Captum's where it has them: each gives [12, BEAT], templates added up."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from captum.attr import (
    DeepLift,
    FeatureAblation,
    GradientShap,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
    ShapleyValueSampling,
)
from torch import Tensor, nn

from benchmarks.explanation_truth.pairs import Logits, Pair
from ecgkt.ecg import LEADS
from ecgkt.model.beside_normal import beside_normal
from ecgkt.model.contrasts import contrasts
from ecgkt.model.effects import effects_on_beat, shipped_estimator
from ecgkt.model.networks.beat_detection import BEAT
from ecgkt.model.networks.beat_encoder import BeatNet, BeatView
from ecgkt.model.networks.blocks import ResidualBlock
from ecgkt.model.networks.ensemble import Ensemble

TEMPLATES = 3
STEPS, SAMPLES, NOISE = 32, 32, 0.02  # of a path; of noise or references; mV


@dataclass
class Asked:
    """What is to be explained: the logit `target` of `pair`; normal: references without a finding."""

    logits: Logits
    pair: Pair
    target: int
    normal: BeatView
    rng: np.random.Generator

    @property
    def templates(self) -> Tensor:
        return self.pair.view.templates

    @property
    def rhythm(self) -> Tensor:
        return self.pair.view.rhythm

    @property
    def median(self) -> Tensor:
        return self.normal.templates.median(dim=0, keepdim=True).values

    @property
    def usual(self) -> Tensor:
        return self.normal.rhythm.median(dim=0, keepdim=True).values

    def cell_mask(self) -> Tensor:
        """[1, 36, BEAT] number of the cell (wave, lead) of each sample; 48: outside any wave."""
        mask = torch.full((1, TEMPLATES, len(LEADS), BEAT), 48)
        edges = self.pair.edges
        for wave, (a, b) in enumerate(pairwise(edges)):
            for lead in range(len(LEADS)):
                mask[:, :, lead, max(a, 0) : max(b, 1)] = 4 * lead + wave
        return mask.view(1, TEMPLATES * len(LEADS), BEAT)


@dataclass(frozen=True)
class Explained:
    """values: [12, BEAT]. Where a method claims to share out the logit's change from a view `since` to the one asked
    about, that view, and what it gave to the rhythm."""

    values: np.ndarray
    since: BeatView | None = None
    rhythm: float = 0.0


def _folded(values: Tensor) -> np.ndarray:
    return values.detach()[0].view(TEMPLATES, len(LEADS), BEAT).sum(dim=0).numpy()


def saliency(a: Asked) -> Explained:
    of = Saliency(a.logits).attribute(a.templates.clone(), target=a.target, additional_forward_args=(a.rhythm,))
    return Explained(_folded(of))


def input_x_gradient(a: Asked) -> Explained:
    of = InputXGradient(a.logits).attribute(a.templates.clone(), target=a.target, additional_forward_args=(a.rhythm,))
    return Explained(_folded(of))


def _integrated(a: Asked, templates: Tensor, rhythm: Tensor) -> Explained:
    of, of_rhythm = IntegratedGradients(a.logits).attribute(
        (a.templates, a.rhythm), (templates, rhythm), a.target, n_steps=STEPS, internal_batch_size=STEPS
    )
    return Explained(_folded(of), BeatView(templates, rhythm), float(of_rhythm.sum()))


def integrated_from_flat(a: Asked) -> Explained:
    return _integrated(a, torch.zeros_like(a.templates), a.usual)


def integrated_from_normal(a: Asked) -> Explained:
    return _integrated(a, a.median, a.usual)


def integrated_from_truth(a: Asked) -> Explained:
    """From the beat without the cause, which nobody has outside a simulation."""
    templates = a.templates.clone()
    templates[0, : len(LEADS)] -= torch.from_numpy(a.pair.effect)
    return _integrated(a, templates, a.rhythm)


def expected_gradients(a: Asked) -> Explained:
    torch.manual_seed(0)
    of, _ = GradientShap(a.logits).attribute(
        (a.templates, a.rhythm), (a.normal.templates, a.normal.rhythm), n_samples=SAMPLES, target=a.target
    )
    return Explained(_folded(of))


def deep_lift(a: Asked) -> Explained:
    network, usual = _with_activations(a.logits), BeatView(a.median, a.usual)
    of, of_rhythm = DeepLift(network).attribute((a.templates, a.rhythm), (a.median, a.usual), a.target)
    return Explained(_folded(of), usual, float(of_rhythm.sum()))


def smooth_gradient(a: Asked) -> Explained:
    torch.manual_seed(0)
    of = NoiseTunnel(Saliency(a.logits)).attribute(
        a.templates.clone(), nt_samples=SAMPLES, stdevs=NOISE, target=a.target, additional_forward_args=(a.rhythm,)
    )
    return Explained(_folded(of))


def guided_grad_cam(a: Asked) -> Explained:
    logits = _with_activations(a.logits)
    encoder = logits.network.encoder
    first = encoder.encoders[0] if isinstance(encoder, Ensemble) else encoder
    assert isinstance(first, BeatNet)
    rhythm = a.rhythm.clone().requires_grad_(True)  # Captum's hooks on the rhythm's layers want a gradient
    of = GuidedGradCam(logits, first.beat[-1]).attribute(
        a.templates.clone(), target=a.target, additional_forward_args=(rhythm,)
    )
    return Explained(_folded(of))


def occlusion(a: Asked) -> Explained:
    """Of one wave in one lead by the median normal beat's."""
    of = FeatureAblation(a.logits).attribute(
        a.templates, a.median, a.target, (a.rhythm,), a.cell_mask(), perturbations_per_eval=49
    )
    counts = torch.bincount(a.cell_mask().flatten(), minlength=49)[a.cell_mask()]
    return Explained(_folded(of / counts), BeatView(a.median, a.rhythm))


def occlusion_x_difference(a: Asked) -> Explained:
    """Its positive part within each cell by how far the tracing is from the normal beat."""
    return Explained(np.maximum(occlusion(a).values, 0) * difference(a).values)


def shapley_cells(a: Asked) -> Explained:
    torch.manual_seed(0)
    of = ShapleyValueSampling(a.logits).attribute(
        a.templates, a.median, a.target, (a.rhythm,), a.cell_mask(), n_samples=4, perturbations_per_eval=7
    )
    counts = torch.bincount(a.cell_mask().flatten(), minlength=49)[a.cell_mask()]
    return Explained(_folded(of / counts), BeatView(a.median, a.rhythm))


def effects(a: Asked) -> Explained:
    """By `ecgkt.model.effects`, folded over the beat."""
    found = effects_on_beat(a.logits.network, a.pair.view)
    head, place = _place(a)
    *_, of_beats, of_rhythm = found.contributions[head][:, place].tolist()
    values = found.beat_map(a.logits.network, head, place) + of_beats * _differing(a)
    estimator, _ = shipped_estimator()
    average = a.templates[:, : len(LEADS)] - (found.changes * found.likely[:, None, None]).sum(dim=0)
    templates = torch.cat([average, estimator.usual_differences(a.pair.view)], dim=1)
    return Explained(values.numpy(), BeatView(templates, estimator.nearest_usual_rhythm(a.rhythm)), of_rhythm)


def beside_normal_beats(a: Asked) -> Explained:
    """By `ecgkt.model.beside_normal`, folded over the beat."""
    estimator, _ = shipped_estimator()
    on_beat, of_beats, of_rhythm = beside_normal(a.logits.network, estimator, a.pair.view, *_place(a))
    return Explained((on_beat + of_beats * _differing(a)).numpy(), rhythm=of_rhythm)


def _place(a: Asked) -> tuple[str, int]:
    head, code = a.logits.codes[a.target]
    return head, a.logits.network.architecture.labels[head].index(code)


def _differing(a: Asked) -> Tensor:
    """[12, BEAT] where single beats differ more than is usual, summing to 1."""
    usual = shipped_estimator()[0].usual_differences(a.pair.view)
    away = (a.templates[:, len(LEADS) :] - usual).square()[0].view(TEMPLATES - 1, len(LEADS), BEAT).sum(dim=0)
    return away / away.sum().clamp(min=1e-20)


def of_the_pages(a: Asked) -> Explained:
    """As `Model.attribute` does, by `ecgkt.model.contrasts`, folded over the beat."""
    (head, place), (_, code) = _place(a), a.logits.codes[a.target]
    if head != "findings":
        return effects(a)
    network, view = a.logits.network, a.pair.view
    likely = a.logits.probabilities(a.logits.of(view))[a.target]
    positive = bool(likely >= a.logits.model.label(code).threshold)
    ways = contrasts(network, effects_on_beat(network, view), code, head, place, positive)
    values = [on_beat + of_beats * _differing(a) for on_beat, of_beats, _ in ways]
    rhythm = float(np.mean([of_rhythm for *_, of_rhythm in ways]))
    return Explained(torch.stack(values).mean(dim=0).numpy(), rhythm=rhythm)


def random(a: Asked) -> Explained:
    return Explained(a.rng.random((len(LEADS), BEAT)))


def size(a: Asked) -> Explained:
    return Explained(a.templates[0, : len(LEADS)].abs().numpy())


def difference(a: Asked) -> Explained:
    return Explained((a.templates - a.median)[0, : len(LEADS)].abs().numpy())


class _Block(ResidualBlock):
    """A residual block whose activations are modules, each used once, as DeepLIFT and guided gradients want it."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.first_relu(self.first_norm(self.first(x)))
        return self.second_relu(self.second_norm(self.second(y)) + self.shortcut(x))


def _with_activations(logits: Logits) -> Logits:
    own = deepcopy(logits)
    for module in own.network.modules():
        if isinstance(module, ResidualBlock):
            module.first_relu, module.second_relu = nn.ReLU(), nn.ReLU()
            module.__class__ = _Block
    return own


METHODS: dict[str, Callable[[Asked], Explained]] = {
    "random": random,
    "abs(x)": size,
    "abs(x - normal)": difference,
    "saliency": saliency,
    "input x gradient": input_x_gradient,
    "integrated gradients, from flat": integrated_from_flat,
    "integrated gradients, from the normal beat": integrated_from_normal,
    "expected gradients": expected_gradients,
    "DeepLIFT": deep_lift,
    "SmoothGrad": smooth_gradient,
    "guided Grad-CAM": guided_grad_cam,
    "occlusion of a wave in a lead": occlusion,
    "that x abs(x - normal)": occlusion_x_difference,
    "Shapley over 48 cells": shapley_cells,
    "effects": effects,
    "beside normal beats": beside_normal_beats,
    "the pages' way": of_the_pages,
    "integrated gradients, from the true counterfactual": integrated_from_truth,
}
