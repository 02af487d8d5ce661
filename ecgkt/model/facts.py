"""The facts of a bundle, from bundle.json alone: what it learned from, how it was built, which files it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results import names, numbers
from ecgkt.results.tables import Table

if TYPE_CHECKING:
    from ecgkt.model.card import Card

LONG = 8  # entries of a list that are still written out


def learned_from(card: Card) -> list[str]:
    """Which patients each head learned from, counted over its labels: a sentence a head."""
    lines = []
    for head in HEADS:
        counts = Counter(entry.learned_from for entry in card.labels[head])
        if not counts:
            lines.append(f"{TITLES[head][0]}: none; the training data know no label often enough.")
            continue
        (kind, count), *others = counts.most_common()
        more = "".join(f", {number} from {other}" for other, number in others)
        lines.append(f"{TITLES[head][0]}: {count} labels learned from {kind} patients{more}.")
    return lines


def training_data(card: Card) -> Table:
    """Each data set with its training split, license, and whether its patients were simulated."""
    rows = []
    for data in card.training_data:
        train = data.splits.get("train")
        rows.append(
            (
                data.name,
                "simulated" if data.simulated else "real",
                numbers.count(train.patients if train else None),
                numbers.count(train.ecgs if train else None),
                data.license or "none stated",
                data.note or "",
            )
        )
    return Table(("Data set", "Patient type", "Patients", "ECGs", "License", "Note"), rows, "Training split", (2, 3))


def build(card: Card, sha256: str) -> Table:
    """Version, input and seeds. sha256: of the network that the dashboard uses."""
    made = card.normalization
    rows = [
        ("Model", f"{card.name}, {sha256}"),
        ("Created", card.created),
        ("Input", f"{len(card.leads)} leads, {card.samples / card.rate:g} s at {card.rate} Hz"),
        (
            "Normalization",
            f"{made.unit}, band-pass {made.band_hz[0]:g} to {made.band_hz[1]:g} Hz, clipped at ±{made.clip_mv:g} mV, "
            "each lead divided by its scale",
        ),
        ("Seeds", ", ".join(f"{name}: {seed}" for name, seed in card.seeds.items())),
        ("Labels", ", ".join(f"{len(labels)} {head}" for head, labels in card.labels.items())),
    ]
    return Table(("Fact", "Value"), rows)


def stages(card: Card, without: Collection[str] = ()) -> Table:
    """Size of every network, but for those in `without`. How long its last run took says little: it may have kept all
    that was there."""
    rows = [
        (names.title(name), numbers.count(stage.parameters))
        for name, stage in card.stages.items()
        if name not in without
    ]
    return Table(("Network", "Parameters"), rows, numbers=(1,))


def architecture(card: Card) -> Table:
    """Every setting that the networks are built from, a row each; long lists as their length."""
    rows = []
    for name, described in card.architectures.items():
        for key, value in _flat(vars(described)):
            rows.append((names.title(name), key, value))
    return Table(("Network", "Setting", "Value"), rows)


def files(card: Card) -> Table:
    return Table(("File", "SHA-256"), list(card.files.items()))


def _flat(tree: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            long = len(value) > LONG
            rows.append((prefix + key, f"{len(value)} entries" if long else ", ".join(map(str, value)) or "none"))
        else:
            rows.append((prefix + key, str(value)))
    return rows
