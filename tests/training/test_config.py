"""A config: recipe and hardware are checked when it is read; settings of an older bundle still name their recipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.training.toy_run import ROOT, write_config
from training.config import Hardware, load_config, with_recipe
from training.recipes import BASELINES, RECIPES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"transfer": "magic"}, "no recipe 'magic'"),
        ({"transfer": "vicreg", "pretrain_steps": 0}, "has a stage 1"),
        ({"transfer": "taught", "pretrain_steps": 0}, "has a stage 1"),  # its second teacher has
        ({"hardware": {"accelerator": "abacus"}}, "accelerator is one of"),
        ({"hardware": {"accumulate": 0}}, "1 or more"),
        ({"hardware": {"color": "red"}}, "color"),
        ({"colour": "red"}, "unknown keys"),
        ({"threads": -1}, "threads is 0 or more"),
        ({"seed": -1}, "seed is 0 or more"),
        ({"sources": [{"name": "a", "kind": "simulated", "share": 1.0, "seed": -1}]}, "seed of the set 'a' is 0"),
        ({"threads": "two"}, "threads|not supported"),
        ({"batch": 0}, "batch is 1 or more"),
        ({"lr": "fast"}, "lr"),
        ({"out": ["a"]}, "out"),
        ({"name": ["a"]}, "expected string"),
        ({"name": "a\nb"}, "name is a line|name is one line"),
        ({"augment": "much"}, "augment"),
        (
            {"sources": [{"name": "a", "kind": "ptbxl", "share": 1.0, "augment": {"noise_mv": 1.0}}]},
            "'a' cannot have noise_mv for itself",
        ),
    ],
)
def test_what_cannot_be_run_is_said_when_the_config_is_read(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    path = write_config(tmp_path, **change)
    with pytest.raises(ValueError, match=words) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_hardware_may_be_left_out(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    settings = yaml.safe_load(path.read_text())
    del settings["hardware"]
    path.write_text(yaml.safe_dump(settings))
    assert load_config(path).hardware == Hardware()


@pytest.mark.parametrize("name", ["default", "tiny", "paper", "mimic"])
def test_the_configs_of_the_repository_are_read(name: str) -> None:
    config = load_config(ROOT / "training" / "configs" / f"{name}.yaml")
    assert with_recipe(config.to_json())["transfer"] == config.transfer


@pytest.mark.parametrize(
    ("steps", "objective", "distil", "recipe"),
    [
        (0, "vicreg", True, "distilled"),
        (600, "vicreg", False, "vicreg"),
        (40, "vicreg", True, "vicreg_distilled"),
        (0, "infonce", False, "lab_heads"),
        (40, "labs", True, "labs_first_distilled"),
    ],
)
def test_settings_that_spelled_a_recipe_out_have_its_name(
    steps: int, objective: str, distil: bool, recipe: str
) -> None:
    older = {"pretrain_steps": steps, "pretrain_objective": objective, "distil": distil}
    assert with_recipe(older)["transfer"] == recipe


def test_the_shipped_bundle_was_made_by_the_recipe_of_the_default_config() -> None:
    shipped = json.loads((ROOT / "assets/models/default/bundle.json").read_text())["config"]
    assert with_recipe(shipped)["transfer"] == load_config(ROOT / "training/configs/default.yaml").transfer


def test_teachers_and_baselines_are_recipes() -> None:
    for name, recipe in RECIPES.items():
        assert set(recipe.teachers) <= set(RECIPES) - {name}
        assert not any(RECIPES[teacher].teachers for teacher in recipe.teachers), "teachers have no teachers"
        assert not (recipe.labs and recipe.modality != "ecg"), "lab heads of what sees the labs mean nothing"
    assert set(BASELINES.values()) <= set(RECIPES)
