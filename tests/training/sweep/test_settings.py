"""A sweep's YAML: what can be said wrong of it is said in one sentence, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.training.toy_run import write_config
from training.config import read_settings
from training.sweep.settings import changed, config_for, load_sweep, shaped_by

GOOD: dict[str, Any] = {
    "name": "rates", "trials": 3, "watch_every": 10, "settings": {"finetune_steps": 30},
    "search": {"lr": {"low": 0.001, "high": 0.1, "log": True}, "batch": {"low": 8, "high": 16},
               "augment.gain": {"choices": [0.0, 0.2]}},
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> dict[str, Any]:
    return read_settings(write_config(tmp_path / "run"))


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes))
    return path


def test_values_go_where_their_keys_say_and_nothing_else_changes(tmp_path: Path, run: dict[str, Any]) -> None:
    sweep = load_sweep(written(tmp_path), run)
    config = config_for(sweep, run, {"lr": 0.02, "augment.gain": 0.2})
    before = config_for(sweep, run, {})
    assert (config.lr, config.augment["gain"], config.finetune_steps) == (0.02, 0.2, 30)
    assert config.augment | {"gain": 0.0} == before.augment
    assert run["augment"]["gain"] == 0.0, "the run's own settings stay"
    assert sweep.search["batch"].is_whole(run["batch"])
    assert not sweep.search["lr"].is_whole(run["lr"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"search": {"learning_rate": {"low": 1, "high": 2}}}, "learning_rate cannot be searched"),
        ({"search": {"sources": {"choices": [[]]}}}, "sources cannot be searched"),
        ({"search": {"augment.louder": {"low": 0, "high": 1}}}, "no augment.louder"),
        ({"search": {"lr": {"low": 1}}}, "low and high or choices"),
        ({"search": {"lr": {"low": "1e-3", "high": 1}}}, "got `str`"),
        ({"search": {"lr": {"low": 0, "high": 1, "log": True}}}, "above 0"),
        ({"search": {"lr": {"low": 2, "high": 1}}}, "no higher than"),
        ({"search": {}}, "at least one key"),
        ({"name": "../elsewhere"}, "name that is a folder's"),
        ({"trails": 4}, "trails"),
        ({"seed": -1}, "seed of 0 or more"),
        ({"settings": {"transfer": "magic"}}, "magic"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    changes: dict[str, Any], words: str, tmp_path: Path, run: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=words) as error:
        load_sweep(written(tmp_path, **changes), run)
    assert "\n" not in str(error.value)


def test_more_trials_are_the_same_sweep_and_another_range_is_not(tmp_path: Path, run: dict[str, Any]) -> None:
    shaped = shaped_by(load_sweep(written(tmp_path), run), run, {})
    assert shaped_by(load_sweep(written(tmp_path, trials=9), run), changed(run, {}) | {"threads": 4}, {}) == shaped
    assert shaped_by(load_sweep(written(tmp_path, search={"lr": {"low": 0.1, "high": 1}}), run), run, {}) != shaped
    assert shaped_by(load_sweep(written(tmp_path), run), run | {"weight_decay": 0.5}, {}) != shaped
