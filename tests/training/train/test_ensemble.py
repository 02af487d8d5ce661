"""A joined network says the mean of its members, whichever sides it has."""

from __future__ import annotations

import pytest
import torch

from ecgkt.model.networks.network import Architecture, Modality, Network
from training.train.ensemble import join

ENCODER = {"kind": "beat", "widths": [8, 8, 8, 8], "hidden": 16, "rhythm": 8}


def members(modality: Modality, encoder: dict) -> list[Network]:
    columns = ["lab:potassium", "lab:sodium"] if modality != "ecg" else []
    made = []
    for seed in range(3):
        torch.manual_seed(seed)
        network = Network(Architecture(modality, encoder, {"findings": ["A", "B"], "labs": ["C"]}, columns, 8))
        if modality != "ecg":
            network.table.fit(torch.randn(50, 2))
        made.append(network.eval())
    return made


@pytest.mark.parametrize("modality", ["ecg", "table", "both"])
@pytest.mark.parametrize("encoder", [ENCODER, {"kind": "resnet", "width": 8}])
def test_logits_are_the_mean_of_the_members(modality: Modality, encoder: dict) -> None:
    networks = members(modality, encoder)
    joined = join(networks)
    signal, table = torch.randn(4, 12, 1000), torch.randn(4, 2)
    table[1, 0] = float("nan")
    for head, logits in joined(signal, table).items():
        torch.testing.assert_close(logits, torch.stack([n(signal, table)[head] for n in networks]).mean(dim=0))


def test_networks_that_differ_are_refused() -> None:
    one, other, _ = members("ecg", ENCODER)
    other.lead_scale.mul_(2)
    with pytest.raises(ValueError, match="lead scale"):
        join([one, other])
    with pytest.raises(ValueError, match="architecture"):
        join([one, members("ecg", {"kind": "resnet", "width": 8})[0]])
