"""What a score rests on, by Captum: relevance of every sample of every lead for one output of a head, and of the rhythm
where the network is told when beats come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ecgkt.ecg import LEADS
from ecgkt.model_input import MODEL_RATE
from ecgkt.nn.beat_encoder import BeatView, look, usual_foreign
from ecgkt.nn.beats import BEAT, BEFORE, Found, find_beats
from ecgkt.nn.members import usual_rhythm
from ecgkt.nn.network import CLIP_MV, Network

METHODS = ("integrated_gradients", "saliency")
# What the relevance misses of the logit's change, median and most of 24 scores of the shipped model: .036 and .16 with
# 24 steps, .005 and .05 with 64 (70 ms), .006 and .02 with 128.
STEPS = 64


class _HeadLogits(nn.Module):
    """One head's logits as a plain function of the signal, the shape that Captum expects."""

    def __init__(self, network: Network, head: str) -> None:
        super().__init__()
        self.network = network
        self.head = head

    def forward(self, signal: Tensor) -> Tensor:
        return self.network(signal)[self.head]


class _BeatLogits(_HeadLogits):
    """The same of signal and rhythm, for a network that looks at beats; where they are stays as it is in the tracing,
    so a score of the average beat is laid back on every beat that it came from. The signal comes twice, once for what
    all beats have in common and once for the picture of the most foreign beat, to tell their relevance apart."""

    def __init__(self, network: Network, head: str, found: Found) -> None:
        super().__init__(network, head)
        self.found = found

    def forward(self, signal: Tensor, again: Tensor, rhythm: Tensor) -> Tensor:  # type: ignore[override]
        size = len(signal)
        found = Found(self.found.at.expand(size, -1), self.found.is_beat.expand(size, -1))
        common, foreign = (look(each.clamp(-CLIP_MV, CLIP_MV), found).pictures for each in (signal, again))
        pictures = torch.cat([common[:, : -len(LEADS)], foreign[:, -len(LEADS) :]], dim=1)
        return self.network(BeatView(pictures, rhythm))[self.head]


def relevance(
    network: Network, signal: Tensor, head: str, target: int, method: str = "integrated_gradients"
) -> tuple[npt.NDArray[np.float32], float]:
    """([12, T] relevance, relevance of the rhythm) for logit `target` of `head`; signal [1, 12, T] mV.

    "integrated_gradients" (Sundararajan 2017), from the flat line and, where the network has one, from its usual
    rhythm: signed, both together sum to logit(signal) - logit(baseline). "saliency" (Simonyan 2013): |gradient|, which
    has no unit in common with the rhythm's, so that is 0. The rhythm is 0 too for a network that sees the signal only.
    Raises ValueError for another method.
    """
    if method not in METHODS:
        raise ValueError(f"Attribution method {method!r} is not one of {', '.join(METHODS)}.")
    usual = usual_rhythm(network.encoder)
    if usual is not None:
        return _beat_relevance(network, usual, signal, head, target, method)
    from captum.attr import IntegratedGradients, Saliency  # brings matplotlib: a second that predicting need not wait

    logits = _HeadLogits(network, head)
    if method == "integrated_gradients":
        result = IntegratedGradients(logits).attribute(signal, target=target, n_steps=STEPS, internal_batch_size=STEPS)
    else:
        result = Saliency(logits).attribute(signal.clone().requires_grad_(True), target=target)
    return _array(result), 0.0


def _beat_relevance(
    network: Network, usual: Tensor, signal: Tensor, head: str, target: int, method: str
) -> tuple[npt.NDArray[np.float32], float]:
    from captum.attr import IntegratedGradients, Saliency

    with torch.no_grad():
        seen = signal.clamp(-CLIP_MV, CLIP_MV)
        found = find_beats(seen)
        rhythm = look(seen, found).rhythm
        foreign = usual_foreign(seen, found)
    logits = _BeatLogits(network, head, found)
    if method == "saliency":
        both = Saliency(
            logits,
        ).attribute(
            (signal.clone().requires_grad_(True), signal.clone().requires_grad_(True)),
            target=target,
            additional_forward_args=(rhythm,),
            abs=False,
        )
        rhythms = 0.0
    else:
        *both, of_rhythm = IntegratedGradients(logits).attribute(
            (signal, signal.clone(), rhythm),
            baselines=(torch.zeros_like(signal), torch.zeros_like(signal), usual[None].to(rhythm.dtype)),
            target=target,
            n_steps=STEPS,
            internal_batch_size=STEPS,
        )
        rhythms = float(of_rhythm.sum())
    common, single = (_array(part) for part in both)
    if foreign is not None:
        single = _shared_out(single, found, foreign)
    result = common + single
    return np.abs(result) if method == "saliency" else result, rhythms


def _shared_out(single: npt.NDArray[np.float32], found: Found, foreign: int) -> npt.NDArray[np.float32]:
    """The relevance [12, T] of a beat that is as all others are, laid on all beats alike: that the network looked at
    this one and no other is chance, and a reader would take it for an ectopic beat."""
    out = single.copy()
    samples = np.arange(BEAT) - round(BEFORE * MODEL_RATE)
    places = [int(at) + samples for at in found.at[0][found.is_beat[0]]]
    inside = [(place >= 0) & (place < single.shape[1]) for place in places]
    here = int(found.is_beat[0][:foreign].sum())
    from_here = np.zeros((len(single), BEAT), dtype=np.float32)
    from_here[:, inside[here]] = single[:, places[here][inside[here]]]
    out[:, places[here][inside[here]]] = 0
    of = np.sum(inside, axis=0).clip(min=1)  # beats that hold this part of the beat
    for place, held in zip(places, inside, strict=True):
        out[:, place[held]] += (from_here / of)[:, held]
    return out


def _array(result: Tensor) -> npt.NDArray[np.float32]:
    return result.detach()[0].float().numpy()
