"""What a score rests on, by gradients: relevance of every sample of every lead for one output of a head, and of the
rhythm where the network is told when beats come. What the pages show first is `ecgkt.model.effects`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ecgkt.model.networks.beat_detection import DetectedBeats, find_beats
from ecgkt.model.networks.beat_encoder import BeatView, all_similar, beat_view, shrunk
from ecgkt.model.networks.ensemble import usual_rhythm
from ecgkt.model.networks.network import CLIP_MV, Network

GRADIENTS = ("integrated_gradients", "saliency")
METHODS = ("effects", *GRADIENTS)  # the first is shown unless another is asked for
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
    so a score of the average beat is laid back on every beat that it came from."""

    def __init__(self, network: Network, head: str, found: DetectedBeats) -> None:
        super().__init__(network, head)
        self.found = found

    def forward(self, signal: Tensor, rhythm: Tensor) -> Tensor:  # type: ignore[override]
        size = len(signal)
        found = DetectedBeats(self.found.at.expand(size, -1), self.found.is_beat.expand(size, -1))
        view = beat_view(signal.clamp(-CLIP_MV, CLIP_MV), found)
        return self.network(BeatView(view.templates, rhythm))[self.head]

    def integrated(
        self, signal: Tensor, rhythm: Tensor, usual: Tensor, target: int, steps: int = STEPS
    ) -> tuple[Tensor, Tensor]:
        """Integrated gradients of signal and rhythm, by Gauss and Legendre as Captum's, for a signal within the clip.

        Templates on the path from the flat line are those of the tracing, scaled (`shrunk`), so beats are cut
        and averaged once and not `steps` times. With F_k the logit at share a_k of the path and w_k the weight of the
        step, the sum of w_k / a_k F_k has the gradient sum of w_k grad F_k, which is what is wanted.
        """
        places, weights = np.polynomial.legendre.leggauss(steps)  # on -1 to 1
        share = torch.tensor((1 + places) / 2, dtype=signal.dtype)
        weight = torch.tensor(weights / 2, dtype=signal.dtype) / share
        signal, away = signal.clone().requires_grad_(True), (rhythm - usual).requires_grad_(True)
        with torch.enable_grad():
            templates = shrunk(beat_view(signal, self.found).templates, share)
            logits = self.network(BeatView(templates, usual + share[:, None] * away))[self.head][:, target]
            of_signal, of_away = torch.autograd.grad((weight * logits).sum(), (signal, away))
        return signal.detach() * of_signal, away.detach() * of_away


def relevance(
    network: Network,
    signal: Tensor,
    head: str,
    target: int,
    method: str = "integrated_gradients",
    steps: int = STEPS,
) -> tuple[npt.NDArray[np.float32], float]:
    """([12, T] relevance, relevance of the rhythm) for logit `target` of `head`; signal [1, 12, T] mV.

    "integrated_gradients" (Sundararajan 2017), in `steps` from the flat line and, where the network has one, from its
    usual rhythm: signed, both together sum to logit(signal) - logit(baseline). "saliency" (Simonyan 2013): |gradient|,
    which has no unit in common with the rhythm's, so that is 0. The rhythm is 0 too for a network that sees the signal
    only.
    Where a network looks at beats and all of the tracing are similar, so is their relevance; the sum stays.
    Raises ValueError for another method.
    """
    if method not in GRADIENTS:
        raise ValueError(f"Attribution method {method!r} is not one of {', '.join(GRADIENTS)}.")
    usual = usual_rhythm(network.encoder)
    if usual is not None:
        return _beat_relevance(network, usual, signal, head, target, method, steps)
    from captum.attr import IntegratedGradients, Saliency  # brings matplotlib: a second that predicting need not wait

    logits = _HeadLogits(network, head)
    if method == "integrated_gradients":
        result = IntegratedGradients(logits).attribute(signal, target=target, n_steps=steps, internal_batch_size=steps)
    else:
        result = Saliency(logits).attribute(signal.clone().requires_grad_(True), target=target)
    return _array(result), 0.0


def _beat_relevance(
    network: Network, usual: Tensor, signal: Tensor, head: str, target: int, method: str, steps: int
) -> tuple[npt.NDArray[np.float32], float]:
    with torch.no_grad():
        seen = signal.clamp(-CLIP_MV, CLIP_MV)
        found = find_beats(seen)
        rhythm = beat_view(seen, found).rhythm
    logits = _BeatLogits(network, head, found)
    if method == "saliency":
        from captum.attr import Saliency

        of_signal = Saliency(logits).attribute(
            signal.clone().requires_grad_(True), target=target, additional_forward_args=(rhythm,)
        )
        of_rhythm = torch.zeros(1)
    elif float(signal.abs().max()) <= CLIP_MV:
        of_signal, of_rhythm = logits.integrated(signal, rhythm, usual[None].to(rhythm.dtype), target, steps)
    else:
        from captum.attr import IntegratedGradients

        of_signal, of_rhythm = IntegratedGradients(logits).attribute(
            (signal, rhythm),
            baselines=(torch.zeros_like(signal), usual[None].to(rhythm.dtype)),
            target=target,
            n_steps=steps,
            internal_batch_size=steps,
        )
    result = _array(of_signal)
    if all_similar(seen, found):
        result = _shared_out(result, found.at[0][found.is_beat[0]].numpy())
    return result, float(of_rhythm.sum())


def _shared_out(result: npt.NDArray[np.float32], at: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Relevance [12, T] of beats that are all similar, with R at samples `at`: each moment of the beat gets its mean
    over the beats. Which of them the network took for the most ectopic, and which way each differs from the average, is
    noise then, and a reader would take it for an ectopic beat."""
    beat = np.abs(np.arange(result.shape[1])[:, None] - at).argmin(axis=1)  # the nearest
    moment = np.arange(result.shape[1]) - at[beat]
    _, place, count = np.unique(moment, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(place, row, len(count)) for row in result])
    return np.asarray((sums / count)[:, place], np.float32)


def _array(result: Tensor) -> npt.NDArray[np.float32]:
    return result.detach()[0].float().numpy()
