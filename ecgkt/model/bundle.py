"""A trained model on disk: one folder with safetensors weights, `bundle.json` and `metrics.json`. No pickle.

bundle.json holds everything that is not a weight; `files` holds the SHA-256 of every other file, checked at loading.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load, save_file

from ecgkt.model.networks.network import Architecture, Network
from ecgkt.model.out_of_distribution import Novelty

MODEL_FILES = {
    "knowledge_transfer": "model.safetensors",
    "signal_only": "signal_only.safetensors",
    "multimodal": "multimodal.safetensors",
}
NOVELTY_FILE = "novelty.safetensors"


class BundleError(ValueError):
    """The bundle cannot be used; one clear sentence."""


@dataclass(frozen=True)
class Bundle:
    """Networks by name (eval mode, gradients off for their weights), the card (bundle.json) and the metrics.

    novelty: None in a bundle without the file of it.
    """

    networks: dict[str, Network]
    card: dict[str, Any]
    metrics: dict[str, Any]
    sha256: str
    novelty: Novelty | None = None


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_bundle(
    folder: Path,
    networks: dict[str, Network],
    card: dict[str, Any],
    metrics: dict[str, Any],
    novelty: Novelty | None = None,
) -> None:
    """Write `networks`, `card`, `metrics` and `novelty` to `folder`; architectures and hashes are added to the card."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        weights = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(weights, folder / MODEL_FILES[name])
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    files = [MODEL_FILES[name] for name in networks] + ["metrics.json"]
    if novelty is not None:
        save_arrays(novelty.tensors(), folder / NOVELTY_FILE)
        files.append(NOVELTY_FILE)
    card = {
        **card,
        "architectures": {name: network.architecture.to_json() for name, network in networks.items()},
        "files": {file: sha256_of(folder / file) for file in files},
    }
    (folder / "bundle.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def load_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle. Raises BundleError when a file is absent or is not the one the card names."""
    try:
        card = json.loads((folder / "bundle.json").read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise BundleError(f"There is no readable bundle.json in {folder}.") from error
    contents: dict[str, bytes] = {}
    for file, expected in card["files"].items():
        path = folder / Path(file).name  # a card never points outside its folder
        if not path.is_file():
            raise BundleError(f"The bundle lacks the file {path.name}.")
        contents[file] = path.read_bytes()
        if hashlib.sha256(contents[file]).hexdigest() != expected:
            raise BundleError(f"The bundle's file {path.name} is not the one that bundle.json names (SHA-256 differs).")
    networks = {}
    for name, description in card["architectures"].items():
        network = Network(Architecture(**description))
        network.load_state_dict(load(contents[MODEL_FILES[name]]))
        network.eval()
        network.requires_grad_(False)
        networks[name] = network
    metrics = json.loads(contents["metrics.json"])
    novelty = Novelty.from_tensors(load_arrays(contents[NOVELTY_FILE])) if NOVELTY_FILE in contents else None
    return Bundle(networks, card, metrics, card["files"][MODEL_FILES["knowledge_transfer"]], novelty)


def probability(logit: torch.Tensor, calibration: list[tuple[float, float]]) -> torch.Tensor:
    """Calibrated probabilities [..., labels] by Platt scaling (Platt 1999): sigmoid(a * logit + b) per label."""
    slope, intercept = torch.tensor(calibration, dtype=logit.dtype).T
    return torch.sigmoid(slope * logit + intercept)
