"""A bundle with the networks of the label-efficiency curve, made by the commands of a run, and one without."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from ecgkt.model.bundle import load_bundle, probability
from ecgkt.results import names
from tests.training.toy_run import toy_config, write_toy
from training.__main__ import main
from training.data.pool import Pool
from training.train.outputs import outputs
from training.train.run import load_sets

pytestmark = pytest.mark.training
PATIENTS, SEED = 60, 2
RECIPES = {
    "knowledge_transfer_few": "lab_heads", "signal_only_few": "signal_only", "multimodal_few": "multimodal",
    "paper_way_few": "vicreg",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a curve; the curve's config lies beside the run's."""
    folder = tmp_path_factory.mktemp("toy")
    config = str(write_toy(folder))
    for stage in ("finetune", "baselines", "evaluate"):
        assert main([stage, "--config", config]) == 0
    settings = {
        "run": config, "source": "toy", "out": str(folder / "curve"), "steps": 40, "stage1_share": 0.3,
        "labeled_share": 0.5, "watch_every": 20, "seeds": [SEED, 3], "sizes": [PATIENTS], "tenth": PATIENTS,
        "everywhere": list(RECIPES.values()), "at_tenth": [], "best": "lab_heads", "oracle": {},
    }  # fmt: skip
    (folder / "curve.yaml").write_text(yaml.safe_dump(settings))
    return folder


def bundled(folder: Path, out: str, *more: str) -> int:
    return main(["bundle", "--config", str(folder / "toy.yaml"), "--out", str(folder / out), *more])


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    """The bundle with the curve's networks."""
    curve = str(folder / "curve.yaml")
    for recipe in RECIPES.values():
        assert main(["curve", "--config", curve, "--only", recipe]) == 0
    assert bundled(folder, "whole", "--curve", curve) == 0
    return folder / "whole"


def test_without_a_curve_the_bundle_has_the_runs_own_networks(folder: Path) -> None:
    assert bundled(folder, "own") == 0
    card = load_bundle(folder / "own").card
    assert set(card.architectures) == set(names.COMPARED)
    assert {stage.labeled_patients for stage in card.stages.values()} == {120}


def test_a_curve_that_was_not_run_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "curve.yaml").read_text()
    (folder / "other.yaml").write_text(text.replace(str(folder / "curve"), str(folder / "nowhere")))
    assert bundled(folder, "none", "--curve", str(folder / "other.yaml")) == 2
    said = capsys.readouterr().err
    assert f"run 'lab_heads_{PATIENTS}_{SEED}' is not finished" in said
    assert said.count("\n") == 1
    assert not (folder / "none").exists()


def test_the_networks_with_few_labels_say_what_they_were_taught(whole: Path) -> None:
    bundle = load_bundle(whole)
    for name, recipe in RECIPES.items():
        stage = bundle.card.stages[name]
        assert (stage.recipe, stage.labeled_patients) == (recipe, PATIENTS)
        heads = set(bundle.networks[name].architecture.labels)
        assert heads == ({"diagnoses", "labs"} if recipe in ("lab_heads", "vicreg") else {"diagnoses"})
        assert heads == set(bundle.card.calibration[name])
    assert bundle.card.stages["knowledge_transfer"].recipe == ""


def test_weights_are_those_of_the_first_seeds_runs_and_probabilities_those_of_validation_patients(whole: Path) -> None:
    bundle = load_bundle(whole)
    _, sets = load_sets(toy_config(whole.parent))
    pool = Pool(sets)
    rows = pool.rows("validation")
    batch = pool.batch(rows)
    truth = pool.targets["diagnoses"][rows].mean(axis=0)
    for name, recipe in RECIPES.items():
        run = whole.parent / "curve" / "runs" / f"{recipe}_{PATIENTS}_{SEED}"
        with torch.inference_mode():
            logits = bundle.networks[name](batch.signal, batch.table)["diagnoses"]
        expected = outputs(run, pool, "validation").logits["diagnoses"]
        np.testing.assert_allclose(logits.numpy(), expected, atol=1e-4)
        of_code = bundle.card.calibration[name]["diagnoses"]
        p = probability(logits, [of_code[code] for code in pool.codes()["diagnoses"]])
        np.testing.assert_allclose(p.mean(dim=0).numpy(), truth, atol=0.05)


def test_curve_networks_of_other_data_are_refused(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = whole.parent / "curve" / "runs" / f"vicreg_{PATIENTS}_{SEED}" / "record.json"
    before = record.read_text()
    try:
        record.write_text(json.dumps(json.loads(before) | {"data": {"toy": "0" * 64}}))
        assert bundled(whole.parent, "refused", "--curve", str(whole.parent / "curve.yaml")) == 2
    finally:
        record.write_text(before)
    assert "was trained on other data" in capsys.readouterr().err
