"""What a score rests on, by Captum: relevance of every sample of every lead for one output of a head."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ecgkt.nn.network import Network

METHODS = ("integrated_gradients", "saliency")
# Correlation of 16 steps with 300 steps was .9997 on a network of this size; 24 leaves room for wider ones.
STEPS = 24


class _HeadLogits(nn.Module):
    """One head's logits as a plain function of the signal, the shape that Captum expects."""

    def __init__(self, network: Network, head: str) -> None:
        super().__init__()
        self.network = network
        self.head = head

    def forward(self, signal: Tensor) -> Tensor:
        return self.network(signal)[self.head]


def relevance(
    network: Network, signal: Tensor, head: str, target: int, method: str = "integrated_gradients"
) -> npt.NDArray[np.float32]:
    """[12, T] relevance for logit `target` of `head`; signal [1, 12, T] mV.

    "integrated_gradients" (Sundararajan 2017), from the flat line: signed, sums to logit(signal) - logit(flat line).
    "saliency" (Simonyan 2013): |gradient|. Raises ValueError for another method.
    """
    from captum.attr import IntegratedGradients, Saliency  # brings matplotlib: a second that predicting need not wait

    logits = _HeadLogits(network, head)
    if method == "integrated_gradients":
        result = IntegratedGradients(logits).attribute(signal, target=target, n_steps=STEPS, internal_batch_size=STEPS)
    elif method == "saliency":
        result = Saliency(logits).attribute(signal.clone().requires_grad_(True), target=target)
    else:
        raise ValueError(f"Attribution method {method!r} is not one of {', '.join(METHODS)}.")
    return result.detach()[0].float().numpy()
