"""Every stage, once, on the tiny config: simulate, prepare, pretrain, finetune, baselines, evaluate, bundle.

What is asserted is what a toy run can show: that something was learned on held-out patients, and nothing where there is
nothing to learn.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml

from ecgkt.datasets.collection import open_collection
from ecgkt.json_records import encode
from ecgkt.model.bundle import BundleError, load_bundle
from ecgkt.model.model import load
from ecgkt.results.metrics import Metrics
from ecgkt.simulation.labs import NULL_LABS
from tests import made_up_metrics
from training.__main__ import main
from training.cohort.prepared import Prepared, load_prepared
from training.config import Config, Hardware, load_config
from training.data.pool import Pool
from training.evaluate.evaluate import MODELS, load_metrics
from training.recipes import BASELINES, RECIPES, TRANSFER
from training.release.examples import choose, copy_subset
from training.train.outputs import outputs
from training.train.run import ShapedBy, Stage, StageError, stage_folder
from training.train.shaped_by import by_recipe, by_stage_1
from training.train.task import recipe_of, run_task

pytestmark = pytest.mark.training
ROOT = Path(__file__).resolve().parents[2]
NULL_LABELS = [f"{lab}_{direction}" for lab in NULL_LABS for direction in ("low", "high")]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiny")
    settings = yaml.safe_load((ROOT / "training/configs/tiny.yaml").read_text())
    settings["out"] = str(out)
    settings["cohort"] = str(ROOT / settings["cohort"])
    (out / "tiny.yaml").write_text(yaml.safe_dump(settings))
    assert main(["all", "--config", str(out / "tiny.yaml")]) == 0
    return out


@pytest.fixture(scope="module")
def metrics(run: Path) -> Metrics:
    return load_bundle(run / "bundle").metrics


@pytest.fixture(scope="module")
def prepared(run: Path) -> Prepared:
    return load_prepared(run / "prepared" / "simulated")


def test_no_patient_is_in_two_splits(prepared: Prepared) -> None:
    used = prepared.ecgs[prepared.ecgs["split"] != "extra"]
    assert used.groupby("patient")["split"].nunique().max() == 1
    assert set(used["split"]) == {"train", "validation", "test"}


def test_every_model_has_the_promised_figures(metrics: Metrics) -> None:
    assert set(metrics.models) == set(MODELS)
    assert metrics.test.patients <= metrics.test.ecgs
    for name in MODELS:
        for head, figures in metrics.models[name].items():
            value, low, high = figures.macro_auroc
            assert low <= value <= high, (name, head)
            for code, label in figures.labels.items():
                assert label.positives >= 5, (name, code)
    assert len(metrics.gap_closed) == 3
    # A model that is given the labs must not be scored on guessing them.
    assert "labs" not in metrics.models["multimodal"]
    assert "labs" not in metrics.models["clinical_only"]


def test_the_shipped_model_is_judged_on_calibration_and_by_subgroup(metrics: Metrics, run: Path) -> None:
    assert metrics.real_findings is None  # there is no real ECG in the toy cohort
    for head in ("findings", "diagnoses", "labs"):
        figures = metrics.calibration[head]["simulated"]
        assert sum(row.pairs for row in figures.bins) == figures.pairs
        assert figures.validation.pairs < figures.pairs, "validation is the smaller split"
        rows = metrics.subgroups[head]["simulated"]
        assert sum(row.ecgs for row in rows if row.by == "sex") == metrics.test.ecgs
    everybody = metrics.abstention["simulated"][0]
    assert everybody.ecgs == metrics.test.ecgs
    card = load_bundle(run / "bundle").card
    fitted = card.calibration["knowledge_transfer"]
    assert {h: set(codes) for h, codes in fitted.items()} == {
        h: {entry.code for entry in card.labels[h]} for h in fitted
    }


def test_outputs_are_made_once_and_anew_for_other_data(run: Path, prepared: Prepared, tmp_path: Path) -> None:
    folder = tmp_path / "signal_only"
    shutil.copytree(run / "stages" / "signal_only", folder)
    kept = folder / "outputs" / "test_signals.safetensors"
    assert kept.exists(), "the evaluation left them"
    before = kept.stat().st_mtime_ns
    found = outputs(folder, Pool([prepared]), "test")
    assert kept.stat().st_mtime_ns == before
    other = replace(prepared, info={**prepared.info, "fingerprint": "0" * 64})
    again = outputs(folder, Pool([other]), "test")
    assert kept.stat().st_mtime_ns > before
    np.testing.assert_array_equal(again.logits["diagnoses"], found.logits["diagnoses"])
    kept.write_bytes(kept.read_bytes()[:-4])
    whole = outputs(folder, Pool([other]), "test")
    np.testing.assert_array_equal(whole.embedding, found.embedding)


def test_the_bundle_knows_when_not_to_answer(metrics: Metrics, run: Path) -> None:
    bundle = load_bundle(run / "bundle")
    assert bundle.novelty is not None
    assert len(bundle.novelty.mean) == bundle.networks["knowledge_transfer"].dimension
    assert bundle.novelty.near < bundle.novelty.far
    promised = [label.guarantee for labels in load(run / "bundle").labels.values() for label in labels]
    assert all(promised), "each label has limits, or the count that is too small for any"
    for head in ("findings", "diagnoses", "labs"):
        figures = metrics.conformal.heads[head]
        assert figures.labels
        # Of 14 labels and more, each promised 90%: the mean over labels cannot be far below.
        assert figures.mean.kept_absent[2] > 0.85
    assert set(metrics.risk_coverage) == {"findings", "diagnoses"}
    white = next(row for row in metrics.novelty.junk if row.kind == "white noise")
    assert white.near > metrics.novelty.test["simulated"].near


def test_figures_of_other_stages_join_the_bundle(run: Path, metrics: Metrics, tmp_path: Path) -> None:
    config = replace(load_config(run / "tiny.yaml"), out=str(tmp_path))
    (tmp_path / "evaluation" / "parts").mkdir(parents=True)
    (tmp_path / "curve").mkdir()
    (tmp_path / "evaluation" / "metrics.json").write_bytes(encode(metrics))
    whole = made_up_metrics.complete(metrics)
    proxies, curve = msgspec.json.encode(whole.lab_proxies), ("label_curve", "label_curve_groups", "label_curve_about")
    (tmp_path / "evaluation" / "parts" / "lab_proxies.json").write_bytes(proxies)
    (tmp_path / "curve" / "curve.json").write_bytes(msgspec.json.encode({key: getattr(whole, key) for key in curve}))
    joined = load_metrics(config)
    for key in ("lab_proxies", *curve):
        assert getattr(joined, key) == getattr(whole, key), key
    assert joined.models == metrics.models
    (tmp_path / "evaluation" / "parts" / "nonsense.json").write_text("{}")
    with pytest.raises(ValueError, match="nonsense"):
        load_metrics(config)


@pytest.mark.parametrize("name", ["knowledge_transfer", "signal_only", "signal_only_labs", "multimodal"])
def test_findings_are_learned_on_held_out_patients(metrics: Metrics, name: str) -> None:
    assert metrics.models[name]["findings"].macro_auroc[1] > 0.55


@pytest.mark.parametrize("name", ["knowledge_transfer", "signal_only_labs", "clinical_only", "multimodal"])
def test_diagnoses_are_better_than_chance_on_held_out_patients(metrics: Metrics, name: str) -> None:
    assert metrics.models[name]["diagnoses"].macro_auroc[1] > 0.5


def test_labs_that_the_ecg_shows_are_learned_and_null_labs_are_not(metrics: Metrics) -> None:
    labels = metrics.models["knowledge_transfer"]["labs"].labels
    null = [code for code in NULL_LABELS if code in labels]
    assert null, "the toy cohort should have at least one null lab to look at"
    for code in null:
        _, low, high = labels[code].auroc
        assert low - 0.1 < 0.5 < high + 0.1, code
    others = np.mean([label.auroc[0] for code, label in labels.items() if code not in NULL_LABELS])
    assert others > np.mean([labels[code].auroc[0] for code in null])


def test_stage_1_matches_ecgs_with_their_own_tables_and_did_not_collapse(run: Path) -> None:
    figures = json.loads((run / "stages" / "pretrain" / "record.json").read_text())["figures"]
    assert figures["own_table_in_nearest_tenth"] > 0.13  # .10 is chance
    assert figures["rank_me"] > 2


def test_stages_leave_a_record_and_are_kept_when_run_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((run / "stages" / "knowledge_transfer" / "record.json").read_text())
    fingerprint = json.loads((run / "prepared" / "simulated" / "prepared.json").read_text())["fingerprint"]
    assert record["data"] == {"simulated": fingerprint}
    assert record["seed"] == 7
    before = (run / "stages" / "knowledge_transfer" / "weights.safetensors").stat().st_mtime_ns
    assert main(["finetune", "--config", str(run / "tiny.yaml")]) == 0
    assert "kept" in capsys.readouterr().out
    assert (run / "stages" / "knowledge_transfer" / "weights.safetensors").stat().st_mtime_ns == before


def shaped(config: Config) -> dict[str, ShapedBy]:
    task = run_task(config)
    stages = {stage: by_recipe(task, recipe_of(config, stage)) for stage in (TRANSFER, *BASELINES)}
    return {"pretrain": by_stage_1(task, RECIPES[config.transfer]), **stages}


def refused(config: Config) -> set[str]:
    """The stages whose folder this config may not share."""
    found = set()
    for name, shaped_by in shaped(config).items():
        try:
            Stage(config, stage_folder(config, name), shaped_by)
        except StageError as error:
            assert "another config" in str(error)  # noqa: PT017
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"bootstrap": 7, "checkpoint_every": 1, "threads": 2, "name": "other", "cohort": "elsewhere.yaml"}, set()),
        ({"lr": 0.5}, {"pretrain", "knowledge_transfer", *BASELINES}),
        ({"members": 3}, {"knowledge_transfer", *BASELINES}),
        ({"encoder_lr": 1.0}, {"knowledge_transfer", "paper_way"}),
        ({"projector": 64}, {"pretrain", "knowledge_transfer", "paper_way"}),
        ({"pretrain_batch": 128}, {"pretrain", "knowledge_transfer", "paper_way"}),
        ({"pretrain_batch": 64}, set()),  # what it is without
        ({"transfer": "infonce"}, {"pretrain", "knowledge_transfer"}),
        ({"transfer": "vicreg"}, {"knowledge_transfer"}),
        ({"hardware": Hardware(accumulate=2)}, set()),
        ({"table_width": 32}, {"pretrain", "knowledge_transfer", "paper_way", "clinical_only", "multimodal"}),
        (
            {"pretrain_steps": 41, "finetune_steps": 119},
            {"pretrain", "knowledge_transfer", "paper_way"},
        ),  # other baselines: as many in all
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_stage_refuses_what_would_change_its_weights_and_nothing_else(
    run: Path, change: dict[str, object], expected: set[str]
) -> None:
    assert refused(replace(load_config(run / "tiny.yaml"), **change)) == expected


def test_a_stage_refuses_other_data_but_may_be_moved(run: Path, tmp_path: Path) -> None:
    config = replace(load_config(run / "tiny.yaml"), out=str(tmp_path))
    shutil.copytree(run / "prepared", tmp_path / "prepared")
    shutil.copytree(run / "stages", tmp_path / "stages")
    assert refused(config) == set(), "a run may be moved"
    task = run_task(config)
    other = replace(task.sets[0], info={**task.sets[0].info, "license": "another", "fingerprint": "0" * 64})
    with pytest.raises(StageError, match=r"other data \(data\)"):
        Stage(config, task.folder_of("signal_only"), by_recipe(replace(task, sets=(other,)), "signal_only"))


def test_data_that_changed_since_they_were_prepared_stop_a_run(run: Path, tmp_path: Path) -> None:
    config = replace(load_config(run / "tiny.yaml"), out=str(tmp_path))
    shutil.copytree(run / "prepared", tmp_path / "prepared")
    signals = tmp_path / "prepared" / "simulated" / "signals.i16"
    with signals.open("r+b") as file:
        file.seek(signals.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(StageError, match="fingerprint differs"):
        run_task(config)


def test_bundle_is_small_complete_and_says_what_is_simulated(run: Path) -> None:
    folder = run / "bundle"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 40e6
    assert {file.suffix for file in folder.iterdir()} == {".json", ".safetensors"}
    model = load(folder)
    assert {label.learned_from for label in model.labels["labs"]} == {"simulated"}
    assert any("simulated" in limit for limit in model.card.limits)
    for head in ("findings", "diagnoses", "labs"):
        for label in model.labels[head]:
            assert 0 < label.threshold < 1
            assert label.threshold_source


def test_an_altered_bundle_is_refused(run: Path, tmp_path: Path) -> None:
    for file in (run / "bundle").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(bytes(weights))
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        load(tmp_path)


def test_examples_cover_every_group_and_are_read_by_the_same_code(
    run: Path, prepared: Prepared, tmp_path: Path
) -> None:
    chosen = choose(prepared)
    assert len(chosen) >= 24
    assert set(chosen["split"]) == {"test"}
    rows = chosen.index
    groups = {e["group"]: [] for e in prepared.info["labels"]["diagnoses"]}
    for entry in prepared.info["labels"]["diagnoses"]:
        groups[entry["group"]].append(entry["code"])
    in_test = prepared.rows("test")
    for group, codes in groups.items():
        if (prepared.diagnoses[codes].iloc[in_test] == 1).any(axis=None):
            assert (prepared.diagnoses[codes].iloc[rows] == 1).any(axis=None), group
    others = choose(prepared, is_example=lambda row: row != rows[0])
    assert rows[0] not in others.index
    assert len(others) >= 24
    subjects = {int(patient.removeprefix("simulated:")) for patient in chosen["patient"].head(3)}
    copy_subset(run / "simulated", tmp_path / "simulated", subjects)
    collection = open_collection(tmp_path / "simulated")
    assert collection.entries
    assert all(entry.simulated for entry in collection.entries)
    prediction = load(run / "bundle").predict(collection.read(collection.entries[0].key))
    assert prediction.quality.ok, prediction.quality.reasons
    assert [s.probability for s in prediction.labs] == sorted((s.probability for s in prediction.labs), reverse=True)
