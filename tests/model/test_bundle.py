"""A bundle is read strictly: every way in which it can be wrong is refused with one sentence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save

from ecgkt.datasets.collection import Collection
from ecgkt.json_records import encode
from ecgkt.model.bundle import Bundle, BundleError, load_bundle, save_bundle
from ecgkt.model.model import Model
from ecgkt.model.networks.network import Network
from ecgkt.results.metrics import read_metrics

BUNDLE = Path(__file__).resolve().parents[2] / "assets" / "models" / "default"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(BUNDLE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped bundle, its JSON files to be changed."""
    for file in BUNDLE.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def write(folder: Path, name: str, content: bytes) -> None:
    (folder / name).unlink()
    (folder / name).write_bytes(content)
    if name != "bundle.json":  # its hash is as it should be; only its content is not
        card = json.loads((folder / "bundle.json").read_text())
        card["files"][name] = hashlib.sha256(content).hexdigest()
        write(folder, "bundle.json", json.dumps(card).encode())


def changed(folder: Path, name: str, change: Change) -> None:
    content = json.loads((folder / name).read_text())
    change(content)
    write(folder, name, json.dumps(content).encode())


def first_calibration(card: dict[str, Any]) -> list[float]:
    return next(iter(card["calibration"]["multimodal"]["findings"].values()))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("bundle.json", lambda card: card.update(version=99), "version 99"),
        ("bundle.json", lambda card: card.pop("version"), "states no version"),
        ("bundle.json", lambda card: card["labels"]["labs"].pop(), "labels of the labs"),
        ("bundle.json", lambda card: card.pop("leads"), "leads"),
        ("bundle.json", lambda card: card.update(colour="red"), "colour"),
        ("bundle.json", lambda card: card.update(rate="100"), "rate"),
        ("bundle.json", lambda card: card["leads"].reverse(), "other leads"),
        ("bundle.json", lambda card: card.update(rate=500), "other sampling rate"),
        ("bundle.json", lambda card: card.update(samples=5000), "other number of samples"),
        ("bundle.json", lambda card: card["normalization"].update(band_hz=[0.05, 40]), "other band"),
        ("bundle.json", lambda card: card["normalization"].update(clip_mv=3.0), "other clipping"),
        ("bundle.json", lambda card: card["normalization"].update(unit="uV"), "other unit"),
        ("bundle.json", lambda card: card["labels"].pop("labs"), "labs"),
        ("bundle.json", lambda card: card["files"].pop("metrics.json"), "metrics.json"),
        ("bundle.json", lambda card: card["files"].pop("model.safetensors"), "model.safetensors"),
        ("bundle.json", lambda card: card["calibration"].pop("multimodal"), "calibration"),
        ("bundle.json", lambda card: card["architectures"]["multimodal"].update(members=2), "do not fit"),
        ("bundle.json", lambda card: card["architectures"]["multimodal"].pop("labels"), "labels"),
        (
            "bundle.json",
            lambda card: card["architectures"].pop("knowledge_transfer"),
            "no network 'knowledge_transfer'",
        ),
        ("bundle.json", lambda card: card["architectures"]["multimodal"].update(members=10**9), "1000000000 members"),
        ("bundle.json", lambda card: card.update(architectures={}), "no network"),
        # Sizes that no machine has memory for, and blocks that would be built one after another for days.
        ("bundle.json", lambda card: card["architectures"]["multimodal"].update(table_width=10**9), "do not fit"),
        *(
            (
                "bundle.json",
                lambda card, encoder=encoder: card["architectures"]["paper_way"].update(encoder=encoder),
                words,
            )
            for words in ("do not fit",)
            for encoder in (
                {"kind": "beat", "widths": [32, 2**40]},
                {"kind": "beat", "widths": [32] * 10**4},
                {"kind": "resnet", "width": 2**40},
                {"kind": "resnet", "blocks": 10**9},
                {"kind": "s4", "layers": 10**9},
            )
        ),
        ("bundle.json", lambda card: card["architectures"]["paper_way"]["encoder"].update(kind="x"), "do not fit"),
        ("bundle.json", lambda card: card["labels"]["labs"][0].update(threshold=-0.1), "threshold"),
        ("bundle.json", lambda card: first_calibration(card).__setitem__(0, 1e300), "no finite number"),
        ("bundle.json", lambda card: card["files"].update({"../../x": "17"}), "does not know"),
        ("metrics.json", lambda metrics: metrics.update(version=2), "version 2"),
        ("metrics.json", lambda metrics: metrics.pop("models"), "models"),
        ("metrics.json", lambda metrics: metrics.update(gap_closed=[0.1, 0.2]), "gap_closed"),
        ("metrics.json", lambda metrics: metrics.update(calibrations={}), "calibrations"),
    ],
)
def test_a_bundle_that_is_not_what_it_should_be_is_refused(folder: Path, name: str, change: Change, words: str) -> None:
    changed(folder, name, change)
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["bundle.json", "metrics.json"])
@pytest.mark.parametrize("content", [b"", b"not JSON", b"[1, 2]", b"\xff\xfe", b"[" * 10**6, b'{"a":' * 10**6])
def test_what_is_not_json_is_refused(folder: Path, name: str, content: bytes) -> None:
    write(folder, name, content)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        load_bundle(folder)


def test_a_weight_that_is_no_number_is_refused(folder: Path) -> None:
    weights = load_file(folder / "signal_only.safetensors")
    weights["heads.findings.bias"][0] = np.nan
    write(folder, "signal_only.safetensors", save(weights))
    with pytest.raises(BundleError, match="no finite numbers"):
        load_bundle(folder)


WEIGHTS = ("model.safetensors", "signal_only.safetensors", "multimodal.safetensors", "novelty.safetensors")


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("kept", [0, 100, 50_000])
def test_truncated_weights_are_refused_whatever_their_hash(folder: Path, name: str, kept: int) -> None:
    write(folder, name, (BUNDLE / name).read_bytes()[:kept] if name != "novelty.safetensors" else b"x" * (kept // 10))
    with pytest.raises(BundleError, match=name.replace(".", r"\.")) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("one", WEIGHTS)
@pytest.mark.parametrize("other", WEIGHTS)
def test_swapped_weights_are_refused_whatever_their_hash(folder: Path, one: str, other: str) -> None:
    if one == other:
        return
    write(folder, one, (BUNDLE / other).read_bytes())
    with pytest.raises(BundleError, match=r"fit|format"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda figures: figures.pop("mean"), "format"),
        (lambda figures: figures.update(limits=np.zeros(2)), "format"),
        (lambda figures: figures.update(mean=np.zeros(7)), "do not fit"),
        (lambda figures: figures.update(bias=np.array([np.nan])), "no finite"),
        (lambda figures: figures["scale"].__setitem__(3, np.inf), "no finite"),
        (lambda figures: figures["scale"].__setitem__(3, 0.0), "scales of 0"),
        (lambda figures: figures["square"].__setitem__(3, 1e308), "no finite"),
    ],
)
def test_figures_of_novelty_that_cannot_be_used_are_refused(
    folder: Path, change: Callable[[dict[str, np.ndarray]], object], words: str
) -> None:
    figures = {key: value.copy() for key, value in load_file(folder / "novelty.safetensors").items()}
    change(figures)
    write(folder, "novelty.safetensors", save(figures))
    with pytest.raises(BundleError, match=words):
        load_bundle(folder)


def test_a_missing_weight_is_refused(folder: Path) -> None:
    weights = load_file(folder / "signal_only.safetensors")
    del weights["heads.findings.bias"]
    write(folder, "signal_only.safetensors", save(weights))
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(folder)


def test_an_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no readable bundle\.json"):
        load_bundle(tmp_path / "nowhere")


def test_figures_come_back_from_the_file_to_the_last_bit(shipped: Bundle) -> None:
    assert read_metrics(encode(shipped.metrics)) == shipped.metrics


def test_the_shipped_label_entries_say_what_metrics_json_says(shipped: Bundle) -> None:
    """The AUROC of a label stands in both files."""
    for head, entries in shipped.card.labels.items():
        for entry in entries:
            assert entry.auroc == shipped.metrics.auroc("knowledge_transfer", head, entry.code)


def test_the_shipped_lead_scale_is_the_networks_own(shipped: Bundle) -> None:
    scale = shipped.networks["knowledge_transfer"].lead_scale[:, 0].numpy()
    np.testing.assert_allclose(shipped.card.normalization.lead_scale_mv, scale, atol=1e-5)


def test_names_of_labels_and_groups_are_spelled_the_american_way(shipped: Bundle) -> None:
    entries = [entry for listed in shipped.card.labels.values() for entry in listed]
    names = {entry.name for entry in entries} | {entry.group for entry in entries}
    names |= set(shipped.metrics.label_curve_groups)
    for british in ("aem", "oed", "oes", "our", "labelled", "modelled"):
        assert not [name for name in names if british in name.lower()], british
    assert {"Anemia (low hemoglobin)", "Hyperkalemia", "Inferior ischemia"} <= names
    assert set(shipped.metrics.label_curve_groups) <= {entry.group for entry in shipped.card.labels["diagnoses"]}


def with_few_labels(shipped: Bundle, folder: Path, code: str = "I50") -> Path:
    """Three of the shipped networks and a small one that knows one diagnosis, taught with few patients' labels."""
    torch.manual_seed(0)
    large = shipped.networks["knowledge_transfer"].architecture
    small = replace(large, labels={"diagnoses": [code]}, members=1)
    card = msgspec.structs.replace(
        shipped.card, calibration={**shipped.card.calibration, "paper_way_few": {"diagnoses": {code: (1.0, -2.0)}}}
    )
    networks = {name: shipped.networks[name] for name in ("knowledge_transfer", "signal_only", "multimodal")}
    networks["paper_way_few"] = Network(small).eval()
    save_bundle(folder, networks, card, shipped.metrics, shipped.novelty)
    return folder


def test_a_network_with_few_labels_is_read_checked_and_compared(
    shipped: Bundle, shipped_examples: Collection, tmp_path: Path
) -> None:
    folder = with_few_labels(shipped, tmp_path)
    bundle = load_bundle(folder)
    assert bundle.sha256 == shipped.sha256
    assert set(bundle.card.files) == {*WEIGHTS, "metrics.json", "paper_way_few.safetensors"}
    model, ecg = Model(bundle), shipped_examples.read(shipped_examples.entries[0].key)
    said = model.compare(ecg, models=["paper_way_few"])
    assert list(said) == ["paper_way_few"]
    assert list(said["paper_way_few"]) == ["I50"]
    everything = model.compare(ecg)
    assert everything["paper_way_few"] == said["paper_way_few"]
    assert everything["knowledge_transfer"] == Model(shipped).compare(ecg)["knowledge_transfer"]
    with pytest.raises(KeyError, match="no model 'paper_way'"):
        model.compare(ecg, models=["paper_way"])
    weights = bytearray((folder / "paper_way_few.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "paper_way_few.safetensors").write_bytes(weights)
    with pytest.raises(BundleError, match=r"paper_way_few\.safetensors is not the one"):
        load_bundle(folder)


def test_a_network_may_know_fewer_labels_than_the_bundle_but_no_others(shipped: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"labels of the diagnoses .* network 'paper_way_few'"):
        load_bundle(with_few_labels(shipped, tmp_path, "Q999"))
