"""Bundles made by somebody who has read the code: refused in one short sentence, or without a number that is none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from ecgkt.__main__ import main
from ecgkt.ecg import ECGError
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.bundle import BundleError, load_bundle
from ecgkt.model.model import NO_NUMBERS, load
from ecgkt.readers import read
from tests.limits import limited
from tests.model.test_bundle import BUNDLE, Change, changed, write

ROOT = Path(__file__).resolve().parents[2]
FILE = next((ROOT / "assets" / "examples" / "real").glob("*.dcm"))
HIDDEN = "\x1b[2J", "a\nb", "\N{RIGHT-TO-LEFT OVERRIDE}a", "a\0b"
LONGEST_SENTENCE = 500  # characters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in BUNDLE.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def refused(folder: Path) -> str:
    with limited(2.0, 200 * 2**20), pytest.raises(BundleError) as caught:
        load_bundle(folder)
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < LONGEST_SENTENCE + len(str(folder))
    return said


def renamed(card: dict[str, Any], head: str, code: str) -> None:
    """The first label of a head by another code, wherever it stands."""
    old = card["labels"][head][0]["code"]
    card["labels"][head][0]["code"] = code
    for name, architecture in card["architectures"].items():
        codes = architecture["labels"].get(head, [])
        architecture["labels"][head] = [code if each == old else each for each in codes]
        calibration = card["calibration"][name].get(head, {})
        if old in calibration:
            calibration[code] = calibration.pop(old)


@pytest.mark.parametrize("head", ["findings", "diagnoses", "labs"])
@pytest.mark.parametrize("code", [*HIDDEN, "", "a b", 'a"b', "a,b", "<b>", "x" * 41])
def test_a_code_that_is_no_name_of_a_column_is_refused(folder: Path, head: str, code: str) -> None:
    """It is one in tables, and part of FHIR and DICOM codes."""
    changed(folder, "bundle.json", lambda card: renamed(card, head, code))
    refused(folder)


def test_one_code_stands_for_one_label(folder: Path) -> None:
    changed(folder, "bundle.json", lambda card: card["labels"]["labs"].append(card["labels"]["labs"][0]))
    assert refused(folder) == "bundle.json has two labels with one code."


def test_a_label_of_two_heads_is_refused(folder: Path) -> None:
    changed(folder, "bundle.json", lambda card: renamed(card, "labs", card["labels"]["findings"][0]["code"]))
    assert refused(folder) == "bundle.json has two labels with one code."


@pytest.mark.parametrize("words", [*HIDDEN, "", "x" * 501, "y" * 3_000_000])
@pytest.mark.parametrize("key", ["name", "group", "threshold_source", "learned_from"])
def test_words_that_are_no_line_are_refused(folder: Path, key: str, words: str) -> None:
    changed(folder, "bundle.json", lambda card: card["labels"]["labs"][0].update({key: words}))
    refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(name="\x1b[2J"),
        lambda card: card.update(name=""),
        lambda card: card.update(name="x" * 65),
        lambda card: card.update(name="a\\b"),
        lambda card: card.update({"\x1b[2J": 1}),
        lambda card: card.update({"k" * 5_000_000: 1}),
        lambda card: card.update(leads=["\x1b[2J"]),
        lambda card: card["labels"]["labs"][0].update(lab="unobtainium"),
        lambda card: card["labels"]["labs"][0].update(direction="sideways"),
        lambda card: card["labels"]["labs"][0].update(auroc=[17.0, -3.0, 1e308]),
        lambda card: card["labels"]["labs"][0].update(test_positives=-5),
        lambda card: card["labels"]["labs"][0].update(auroc=[0.7, 0.9, 0.5]),
        lambda card: card["labels"]["labs"][0]["guarantee"].update(positives=-5),
        lambda card: card["labels"]["labs"][0]["guarantee"].update(negatives=10**4000),
        lambda card: card["seeds"].update(run=10**4000),
        lambda card: card["training_data"][0].update(patients=-5),
        lambda card: card.update(limits=["x"] * 10_000),
        lambda card: card.update(leads=["I" * 10_000]),
        lambda card: card["labels"]["labs"][0].update(training_positives=10**400),
        lambda card: card["labels"]["labs"][0]["guarantee"].update(alpha=-3.0),
        lambda card: card["labels"]["labs"][0]["guarantee"].update(low=1e308, high=-1e308),
        lambda card: card["architectures"].update({"\x1b[2J": card["architectures"]["paper_way"]}),
        lambda card: card["architectures"]["knowledge_transfer"].update(modality="both"),
        lambda card: card["files"].update({"x" * 300: "17"}),
        lambda card: card["files"].update({"x" * 5_000_000: "17"}),
        lambda card: card["files"].update({"\x1b[2J\n": "17"}),
        lambda card: card["files"].update({"a\0b": "17", "..": "17", "": "17"}),
        lambda card: card["files"].update({f"{k}/metrics.json": card["files"]["metrics.json"] for k in range(20_000)}),
    ],
)  # fmt: skip
def test_a_card_of_nonsense_is_refused(folder: Path, change: Change) -> None:
    changed(folder, "bundle.json", change)
    refused(folder)


def test_links_to_labs_that_nothing_is_said_of_are_refused(folder: Path) -> None:
    changed(folder, "lab_links.json", lambda links: links.update(labs={}))
    assert "lab_links.json" in refused(folder)


@pytest.mark.parametrize(
    "change",
    [{"mean": 1e308}, {"r2": 17.0}, {"slopes": {"potassium_high": 1e308}}, {"slopes": {"potassium_high": -1.0}}],
)
def test_links_of_numbers_that_are_none_are_refused(folder: Path, change: dict[str, Any]) -> None:
    """A share of them would be infinite, or of something that was taken away."""
    changed(folder, "lab_links.json", lambda links: next(iter(links["diagnoses"].values())).update(change))
    assert refused(folder).startswith("lab_links.json ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400"])
@pytest.mark.parametrize("key", ["threshold", "prevalence"])
def test_what_is_no_number_is_refused(folder: Path, key: str, number: str) -> None:
    content = json.loads((folder / "bundle.json").read_text())
    content["labels"]["labs"][0][key] = "NUMBER"
    write(folder, "bundle.json", json.dumps(content).replace('"NUMBER"', number).encode())
    refused(folder)


@pytest.mark.parametrize("more", ['"version": 99', '"calibration": {}', '"files": {}'])
def test_of_a_key_that_stands_twice_the_last_counts(folder: Path, more: str) -> None:
    content = (folder / "bundle.json").read_text().rstrip().removesuffix("}")
    write(folder, "bundle.json", f"{content}, {more}}}".encode())
    refused(folder)


@pytest.mark.parametrize("name", ["bundle.json", "metrics.json", "model.safetensors", "lab_links.json"])
def test_a_file_without_an_end_is_not_waited_for(folder: Path, name: str) -> None:
    file = folder / name
    for make in (
        lambda: os.mkfifo(file),
        lambda: file.symlink_to("/dev/zero"),
        lambda: file.symlink_to(name),
        file.mkdir,
        lambda: (file.touch(), os.truncate(file, 2**41)),
    ):
        file.rmdir() if file.is_dir() else file.unlink()
        make()  # type: ignore[no-untyped-call]
        assert name in refused(folder)


Weights = dict[str, torch.Tensor]


def with_weights(
    folder: Path, change: Callable[[str, torch.Tensor], torch.Tensor], name: str = "model.safetensors"
) -> None:
    weights: Weights = load_file(folder / name)
    write(folder, name, save({key: change(key, value).contiguous() for key, value in weights.items()}))


def enlarged(key: str, value: torch.Tensor) -> torch.Tensor:
    return 1e30 * value if value.is_floating_point() else value


@pytest.mark.parametrize("kind", ["float64", "float16", "bfloat16", "int64", "bool", "float8_e4m3fn", "complex64"])
def test_weights_of_another_type_are_refused(folder: Path, kind: str) -> None:
    with_weights(folder, lambda key, value: value.to(getattr(torch, kind)))
    assert "do not fit" in refused(folder)


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-30])
def test_a_lead_is_divided_by_no_such_scale(folder: Path, factor: float) -> None:
    """By 0 no beat is found any more, and what is said then is said of nothing."""
    with_weights(folder, lambda key, value: factor * value if key == "lead_scale" else value)
    assert "scales" in refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        enlarged,
        lambda key, value: torch.full_like(value, 3e38) if key.startswith("heads") else value,
        lambda key, value: -value - 1 if "running_var" in key else value,
    ],
)
def test_weights_that_give_no_numbers_give_no_result(
    folder: Path, change: Callable[[str, torch.Tensor], torch.Tensor]
) -> None:
    """Infinity would be a certainty of 1."""
    with_weights(folder, change)
    model, analyzed = load(folder), AnalyzedECG(read(FILE))
    prediction = model.predict(analyzed)
    assert prediction.quality.reasons == (NO_NUMBERS,)
    with pytest.raises(ECGError, match="not finite"):
        model.attribute(analyzed, "AFIB")


def test_a_network_beside_it_that_gives_no_numbers_is_told(folder: Path) -> None:
    with_weights(folder, enlarged, "paper_way.safetensors")
    model, analyzed = load(folder), AnalyzedECG(read(FILE))
    assert not model.predict(analyzed).abstained
    with pytest.raises(ECGError, match="not finite"):
        model.compare(analyzed, models=["paper_way"])


def test_the_command_says_it_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(folder, "bundle.json", lambda card: card.update(name="\x1b[2J"))
    named = folder.rename(folder.with_name("a\x1b[2J"))
    for file in ("bundle.json", "nothing"):
        assert main(["explain", str(FILE), "--model", str(named if file == "bundle.json" else named / file)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert said.strip().isprintable()


def test_a_million_tensors_without_a_number_are_not_made(folder: Path) -> None:
    entry = '"{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    header = ("{" + ",".join(entry.format(number) for number in range(1_000_000)) + "}").encode()
    write(folder, "model.safetensors", len(header).to_bytes(8, "little") + header)
    assert refused(folder) == "The bundle's file model.safetensors lists more tensors than a network has."
