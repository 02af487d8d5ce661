"""The settings of `training/configs/cohort.yaml`, with a user's own file merged over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecgkt.processors import processors
from training import yaml_file

Config = dict[str, Any]
DEFAULT = Path(__file__).resolve().parents[1] / "configs" / "cohort.yaml"


def _merge(base: Config, over: Config, at: str = "") -> Config:
    merged = dict(base)
    for key, value in over.items():
        if key not in base:
            raise ValueError(f"The cohort configuration has no setting {at}{key}.")
        if isinstance(base[key], dict) and isinstance(value, dict):
            merged[key] = _merge(base[key], value, f"{at}{key}.")
        else:
            merged[key] = value
    return merged


def load_config(path: Path | None = None) -> Config:
    """The default settings, with those of `path` (YAML) over them. Raises ValueError for an unknown setting."""
    config: Config = yaml_file.content_of(DEFAULT)
    if path is not None:
        over = yaml_file.content_of(Path(path)) or {}
        if not isinstance(over, dict):
            raise ValueError(f"{Path(path).name} holds no settings.")
        config = _merge(config, over)
    config["signals"]["workers"] = config["signals"]["workers"] or processors()
    shares = [config["splits"][split] for split in ("train", "validation", "test")]
    if abs(sum(shares) - 1) > 1e-9 or min(shares) < 0:
        raise ValueError(f"The shares of the splits must add up to 1, not {shares}.")
    return config


def recorded(config: Config) -> Config:
    """What of the settings shapes the result; how many workers or how much memory is no part of it."""
    kept = {key: value for key, value in config.items() if key != "duckdb"}
    kept["signals"] = {key: value for key, value in config["signals"].items() if key != "workers"}
    return kept
