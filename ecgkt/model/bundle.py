"""A trained model on disk: one folder with safetensors weights, `bundle.json` and `metrics.json`. No pickle.

bundle.json (`ecgkt.model.card`) holds everything that is neither a weight nor a test figure; `files` holds the SHA-256
of every other file, checked at loading. metrics.json (`ecgkt.results.metrics`) holds the test figures.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load, save_file

from ecgkt.json_records import RecordError, encode
from ecgkt.lab_links.links import FILE as LAB_LINKS_FILE
from ecgkt.lab_links.links import LabLinks, read_links
from ecgkt.model.card import Card, read_card
from ecgkt.model.networks.network import Architecture, Network
from ecgkt.model.out_of_distribution import Novelty
from ecgkt.neighbors.nearest import NEAREST
from ecgkt.neighbors.reference import Reference, from_tensors
from ecgkt.prediction import HEADS, Head
from ecgkt.readers.opening import open_file
from ecgkt.results import names
from ecgkt.results.metrics import Metrics, read_metrics

# Every network that a bundle may have; knowledge transfer is the one that it must.
MODEL_FILES = {
    names.TRANSFER: "model.safetensors",
    **{
        name: f"{name}.safetensors"
        for name in (names.SIGNAL, names.MULTIMODAL, names.PAPER, *names.FEW_LABELS.values())
    },
}
METRICS_FILE = "metrics.json"
NOVELTY_FILE = "novelty.safetensors"
CARD_FILE = "bundle.json"
REFERENCE_FILE = "reference.safetensors"
FILES = frozenset((*MODEL_FILES.values(), METRICS_FILE, NOVELTY_FILE, REFERENCE_FILE, LAB_LINKS_FILE))
CODED: tuple[Head, ...] = ("diagnoses", "findings")  # whose labels the reference cohort has beside its labs
VITALS = ("temperature", "heart_rate")  # the reference cohort's quantities beside the labs
MOST_MEMBERS = 32
LARGEST_FILE = 2**30  # bytes; the weights of a member have about one MB
LARGEST_HEADER = 2**20  # bytes, of a file of tensors, which lists them; those of the shipped model have 24 kB
LARGEST_FIGURE = 1e30  # in the novelty score, whose squares are then still finite
LEAST_SCALE = 1e-6  # mV; a lead's is a quarter of a mV
LARGEST = 1e6  # of a calibration's numbers; beyond them a probability is none in single precision


class BundleError(ValueError):
    """The bundle cannot be used; one clear sentence."""


@dataclass(frozen=True)
class Bundle:
    """Networks by name (eval mode, gradients off for their weights), the card (bundle.json) and the metrics.

    novelty, reference (cohort), lab_links: None in a bundle without the file of it.
    """

    networks: dict[str, Network]
    card: Card
    metrics: Metrics
    sha256: str
    novelty: Novelty | None = None
    reference: Reference | None = None
    lab_links: LabLinks | None = None


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_bundle(
    folder: Path,
    networks: dict[str, Network],
    card: Card,
    metrics: Metrics,
    novelty: Novelty | None = None,
    reference: Reference | None = None,
    lab_links: LabLinks | None = None,
) -> None:
    """Write a bundle; `architectures` and `files` of the card are replaced by those of the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        weights = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(weights, folder / MODEL_FILES[name])
    (folder / METRICS_FILE).write_bytes(encode(metrics))
    files = [MODEL_FILES[name] for name in networks] + [METRICS_FILE]
    if novelty is not None:
        save_arrays(novelty.tensors(), folder / NOVELTY_FILE)
        files.append(NOVELTY_FILE)
    if reference is not None:
        save_arrays(reference.tensors(), folder / REFERENCE_FILE)
        files.append(REFERENCE_FILE)
    if lab_links is not None:
        (folder / LAB_LINKS_FILE).write_bytes(encode(lab_links))
        files.append(LAB_LINKS_FILE)
    card = msgspec.structs.replace(
        card,
        architectures={name: network.architecture for name, network in networks.items()},
        files={file: sha256_of(folder / file) for file in files},
    )
    (folder / CARD_FILE).write_bytes(encode(card))


def add_lab_links(folder: Path, links: LabLinks) -> None:
    """Write a bundle's lab_links.json, or replace it, and name it in bundle.json, which changes in nothing else.

    Raises BundleError where there is no bundle.
    """
    try:
        card = read_card((folder / CARD_FILE).read_bytes())
    except (OSError, RecordError) as error:
        raise BundleError(f"There is no readable bundle.json in {folder}.") from error
    (folder / LAB_LINKS_FILE).write_bytes(encode(links))
    files = {**card.files, LAB_LINKS_FILE: sha256_of(folder / LAB_LINKS_FILE)}
    (folder / CARD_FILE).write_bytes(encode(msgspec.structs.replace(card, files=files)))


def load_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle.

    Raises BundleError when a file is absent, is not the one that the card names or does not follow its format, and when
    the bundle was made for other signals than this code makes.
    """
    content = _content(folder, CARD_FILE)
    try:
        card = read_card(content)
        files = _verified(folder, card)
        metrics = read_metrics(files[METRICS_FILE])
        links = read_links(files[LAB_LINKS_FILE]) if LAB_LINKS_FILE in files else None
    except RecordError as error:
        raise BundleError(str(error)) from error
    networks = {name: _network(name, card, files) for name in card.architectures}
    novelty = _novelty(files[NOVELTY_FILE], networks["knowledge_transfer"]) if NOVELTY_FILE in files else None
    reference = _reference(files[REFERENCE_FILE], networks, card) if REFERENCE_FILE in files else None
    return Bundle(networks, card, metrics, card.files[MODEL_FILES["knowledge_transfer"]], novelty, reference, links)


def reference_columns(card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(quantities, codes) that the tables of a bundle's reference cohort are in the order of."""
    labs = dict.fromkeys(entry.lab for entry in card.labels["labs"])
    return (*labs, *VITALS), tuple(entry.code for head in CODED for entry in card.labels[head])


def _reference(content: bytes, networks: dict[str, Network], card: Card) -> Reference:
    """The reference cohort: of the network's own embedding and of the card's own labels."""
    try:
        found = from_tensors(load_arrays(content), networks["knowledge_transfer"].dimension, *reference_columns(card))
        if len(found) < NEAREST:
            raise ValueError(f"There are only {len(found)} patients.")
        return found
    except (SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
        raise BundleError(f"The reference cohort in {REFERENCE_FILE} does not fit the bundle: {error}") from error


def _verified(folder: Path, card: Card) -> dict[str, bytes]:
    """File name -> content of every file that the card names, which must be all that is needed."""
    if "knowledge_transfer" not in card.architectures:
        raise BundleError("bundle.json describes no network 'knowledge_transfer'.")
    needed = [METRICS_FILE, *(MODEL_FILES[name] for name in card.architectures if name in MODEL_FILES)]
    for name in (MODEL_FILES["knowledge_transfer"], *needed):
        if name not in card.files:
            raise BundleError(f"bundle.json does not name the file {name}.")
    for head in HEADS:
        if head not in card.labels:
            raise BundleError(f"bundle.json has no labels for the head {head!r}.")
    contents: dict[str, bytes] = {}
    for file, expected in card.files.items():
        if file not in FILES:
            raise BundleError(f"bundle.json names a file {file[:40]!r}, which this ecgkt does not know.")
        contents[file] = _content(folder, file)
        if hashlib.sha256(contents[file]).hexdigest() != expected:
            raise BundleError(f"The bundle's file {file} is not the one that bundle.json names (SHA-256 differs).")
    return contents


def _content(folder: Path, name: str) -> bytes:
    """Of a file of the bundle. Raises BundleError for one that is no file or has no end."""
    try:
        with open_file(folder / name) as file:
            content = file.read(LARGEST_FILE + 1) if os.fstat(file.fileno()).st_size <= LARGEST_FILE else None
    except (OSError, ValueError) as error:
        if name == CARD_FILE:
            raise BundleError(f"There is no readable bundle.json in {folder}.") from error
        said = "lacks the file" if isinstance(error, FileNotFoundError) else "has no readable file"
        raise BundleError(f"The bundle {said} {name}.") from error
    if content is None or len(content) > LARGEST_FILE:
        raise BundleError(f"The bundle's file {name} is larger than {LARGEST_FILE // 2**20} MB.")
    # safetensors: the first eight bytes are the length of the header that follows.
    if name.endswith(".safetensors") and int.from_bytes(content[:8], "little") > LARGEST_HEADER:
        raise BundleError(f"The bundle's file {name} lists more tensors than a network has.")
    return content


def _network(name: str, card: Card, files: dict[str, bytes]) -> Network:
    """A network with its weights; its outputs must be calibrated."""
    if name not in MODEL_FILES:
        raise BundleError(f"bundle.json names a network {name!r}, which this ecgkt does not know.")
    architecture = card.architectures[name]
    if name == names.TRANSFER and architecture.modality != "ecg":
        raise BundleError(f"The network {name!r} needs more than an ECG, by bundle.json.")
    if not 1 <= architecture.members <= MOST_MEMBERS:
        raise BundleError(f"bundle.json states {architecture.members} members of the network {name!r}.")
    for head, codes in architecture.labels.items():
        calibrated = card.calibration.get(name, {}).get(head, {})
        if not set(codes) <= set(calibrated):
            raise BundleError(f"bundle.json lacks a calibration for some {head} of the network {name!r}.")
        if not all(abs(number) < LARGEST for code in codes for number in calibrated[code]):
            raise BundleError(f"bundle.json holds a calibration of the network {name!r} that is no finite number.")
        listed = {label.code for known, entries in card.labels.items() if known == head for label in entries}
        if not set(codes) <= listed or (name == "knowledge_transfer" and listed != set(codes)):
            raise BundleError(f"The labels of the {head} in bundle.json are not those of the network {name!r}.")
    try:
        tensors = load(files[MODEL_FILES[name]])
        _sized(architecture, tensors)
        network = Network(architecture)
        network.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The weights in {MODEL_FILES[name]} do not fit the architecture in bundle.json.") from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise BundleError(f"The weights in {MODEL_FILES[name]} hold values that are no finite numbers.")
    if not bool((network.lead_scale > LEAST_SCALE).all()):
        raise BundleError(f"The leads' scales in {MODEL_FILES[name]} are none that a lead in mV can be divided by.")
    network.eval()
    network.requires_grad_(False)
    return network


def _sized(architecture: Architecture, tensors: dict[str, torch.Tensor]) -> None:
    """Raises ValueError for a network of other tensors than the file's, before it is built: one that is stated too
    large for the memory would end the program."""
    most = max([len(tensors), *(size for tensor in tensors.values() for size in tensor.shape)])
    listed = [each if isinstance(each, list) else [each] for each in architecture.encoder.values()]
    sizes = [architecture.table_width, *map(len, listed), *(each for several in listed for each in several)]
    if not all(0 <= size <= most for size in sizes if isinstance(size, int)):
        raise ValueError("A size is none of the file's.")
    with torch.device("meta"):  # shapes without memory
        stated = _kinds(Network(architecture).state_dict())
    if stated != _kinds(tensors):
        raise ValueError("The weights are of other shapes or types.")


def _kinds(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {key: (value.shape, value.dtype) for key, value in tensors.items()}


def _novelty(content: bytes, network: Network) -> Novelty:
    """What tells tracings apart from those of training: finite, and of the network's own embedding."""
    try:
        tensors = load_arrays(content)
        novelty = Novelty.from_tensors(tensors)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The figures in {NOVELTY_FILE} are not those of its format.") from error
    if any(tensors[key].shape != (network.dimension,) for key in ("mean", "scale", "linear", "square")):
        raise BundleError(f"The figures in {NOVELTY_FILE} do not fit the network's embedding.")
    if not all((np.abs(values) < LARGEST_FIGURE).all() for values in tensors.values()) or not (novelty.scale > 0).all():
        raise BundleError(f"The figures in {NOVELTY_FILE} hold values that are no finite numbers, or scales of 0.")
    return novelty


def probability(logit: torch.Tensor, calibration: list[tuple[float, float]]) -> torch.Tensor:
    """Calibrated probabilities [..., labels] by Platt scaling (Platt 1999): sigmoid(a * logit + b) per label."""
    slope, intercept = torch.tensor(calibration, dtype=logit.dtype).T
    return torch.sigmoid(slope * logit + intercept)
