"""Networks trained independently -> one network whose logits are the mean of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ecgkt.model.networks.encoders import dimension_of
from ecgkt.model.networks.network import Network


def join(networks: Sequence[Network]) -> Network:
    """One network with all of `networks` as members. Raises ValueError where they differ in more than weights."""
    first = networks[0]
    if len(networks) == 1:
        return first
    if any(network.architecture != first.architecture for network in networks):
        raise ValueError("Only networks of one architecture can be joined.")
    if any(not torch.equal(network.lead_scale, first.lead_scale) for network in networks):
        raise ValueError("Only networks with one lead scale can be joined.")
    joined = Network(replace(first.architecture, members=len(networks)))
    state: dict[str, Tensor] = {"lead_scale": first.lead_scale}
    for number, network in enumerate(networks):
        for key, value in network.state_dict().items():
            side, _, rest = key.partition(".")
            if side in ("encoder", "table"):
                state[f"{side}.encoders.{number}.{rest}"] = value
    own = [getattr(first, side) for side in ("encoder", "table") if hasattr(first, side)]
    widths = [dimension_of(side) for side in own]
    for head in first.architecture.labels:
        layers = [network.head(head) for network in networks]
        parts = [torch.split(layer.weight, widths, dim=1) for layer in layers]
        # All members of one side follow one another, then those of the other.
        ordered = [part[side] for side in range(len(widths)) for part in parts]
        state[f"heads.{head}.weight"] = torch.cat(ordered, dim=1) / len(networks)
        state[f"heads.{head}.bias"] = torch.stack([layer.bias for layer in layers]).mean(dim=0)
    joined.load_state_dict(state)
    return joined.eval()
