"""Beside what a score is explained, by what the label is: pages, reports and `benchmarks/explanations.py` ask here.

A finding is explained by effects and beside normal beats, which the simulator alone and real ECGs taught together; a
rhythm beside this patient in another one, since a normal beat is in sinus rhythm and of another heart; a diagnosis or
a lab by effects.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ecgkt.model.beside_normal import OnBeat, beside_changed, beside_normal, fibrillation_rhythm
from ecgkt.model.effects import BeatEffects, shipped_estimator
from ecgkt.model.networks.ensemble import usual_rhythm
from ecgkt.model.networks.network import Network

SINUS, FLUTTER, RATES = "SR", "AFLT", ("SBRAD", "STACH")


def contrasts(
    network: Network, effects: BeatEffects, code: str, head: str, target: int, positive: bool
) -> list[OnBeat]:
    """What is averaged to explain logit `target` of `head`, the label `code`.

    positive: is the score above its threshold? Flutter that is not seen has no waves to take out.
    """
    if code == SINUS:
        return [_beside_fibrillation(network, effects, head, target)]
    if code in RATES:
        return [_beside_usual_rate(network, effects, head, target)]
    if code == FLUTTER and positive:
        return [_beside_no_flutter(network, effects, head, target)]
    ways = [effects.relevance(network, head, target)]
    if head == "findings":
        estimator, _ = shipped_estimator()
        ways.append(beside_normal(network, estimator, effects.view, head, target))
    return ways


def _beside_fibrillation(network: Network, effects: BeatEffects, head: str, target: int) -> OnBeat:
    """What sets the beat apart from this patient's in atrial fibrillation, P waves gone before all."""
    return beside_changed(network, effects.view, _changed_by("afib", effects), fibrillation_rhythm(), head, target)


def _beside_no_flutter(network: Network, effects: BeatEffects, head: str, target: int) -> OnBeat:
    """What sets the beat apart from this patient's without flutter waves, in the nearest usual rhythm."""
    estimator, _ = shipped_estimator()
    rhythm = estimator.nearest_usual_rhythm(effects.view.rhythm)
    return beside_changed(network, effects.view, -_changed_by("aflutter", effects), rhythm, head, target)


def _beside_usual_rate(network: Network, effects: BeatEffects, head: str, target: int) -> OnBeat:
    """Beside normal beats in the mean rhythm of training: the usual rhythm that is nearest to a slow or a fast one is
    itself slow or fast, and takes out of the comparison what the score is about."""
    estimator, _ = shipped_estimator()
    mean = usual_rhythm(network.encoder)
    assert mean is not None  # only networks that look at beats have effects
    rhythm = mean[None].to(effects.view.rhythm.dtype)
    return beside_normal(network, estimator, effects.view, head, target, rhythm)


@torch.no_grad()
def _changed_by(cause: str, effects: BeatEffects) -> Tensor:
    """[12, BEAT] mV, what a cause changes in this beat if it is there, by the estimator."""
    estimator, causes = shipped_estimator()
    return estimator(effects.view)[0][0, causes.index(cause)]
