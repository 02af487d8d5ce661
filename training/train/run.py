"""What the stages share: where things lie, the data a config names, and the record each stage leaves behind.

OUT/simulated/            the simulated cohort, MIMIC's layout
OUT/prepared/NAME/        prepared sets
OUT/stages/NAME/          weights.safetensors, record.json, checkpoint.safetensors of each trained network
OUT/evaluation/           metrics.json, predictions
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ecgkt.model.networks.network import Architecture, Modality, Network, TableEncoder, count_parameters
from training.cohort.prepared import Prepared, load_prepared
from training.config import Config, Source
from training.data.pool import Pool


class StageError(ValueError):
    """A stage cannot run; one clear sentence."""


def prepared_folder(config: Config, source: Source) -> Path:
    return config.folder / "prepared" / source.name


def present_sources(config: Config) -> list[Source]:
    """The sources whose prepared set exists; an optional one without is announced.

    Raises StageError when one that is not optional has none.
    """
    present = []
    for source in config.sources:
        if (prepared_folder(config, source) / "prepared.json").exists():
            present.append(source)
        elif source.optional:
            _announce(source.left_out())
        else:
            raise StageError(
                f"The set {source.name!r} is not prepared yet: run `python -m training prepare all --config ...` first."
            )
    return present


@cache
def _announce(words: str) -> None:
    """On stderr, once a process: every stage asks which sets there are."""
    print(words, file=sys.stderr)


def load_sets(config: Config) -> tuple[list[Source], list[Prepared]]:
    sources = present_sources(config)
    return sources, [load_prepared(prepared_folder(config, source)) for source in sources]


def pool_of(config: Config, sets: Sequence[Prepared]) -> Pool:
    """The sets side by side, as this config's encoder sees ECGs in training."""
    return Pool(sets, beats=config.encoder["kind"] == "beat")


def build_network(config: Config, pool: Pool, modality: Modality, heads: list[str], seed: int | None = None) -> Network:
    """A fresh network for this data, with normalization and table quantiles taken from the training rows.

    seed: of the weights, the config's by default.
    """
    torch.manual_seed(config.seed if seed is None else seed)
    codes = pool.codes()
    labels = {head: codes[head] for head in heads if codes[head]}
    columns = pool.columns if modality != "ecg" else []
    network = Network(Architecture(modality, config.encoder, labels, columns, config.table_width, config.dropout))
    rows = pool.rows("train")
    network.lead_scale.copy_(pool.lead_scale(rows))
    if modality != "ecg":
        assert isinstance(network.table, TableEncoder)  # members are trained one by one
        network.table.fit(torch.from_numpy(pool.table[rows]))
    return network


class Stage:
    """The folder of one stage: refuses to mix two configs, knows whether it is done, keeps weights and record."""

    def __init__(self, config: Config, name: str) -> None:
        self.config = config
        self.name = name
        self.folder = config.folder / "stages" / name
        marker = self.folder / "config.json"
        if marker.exists():
            if json.loads(marker.read_text())["hash"] != config.hash():
                raise StageError(f"{self.folder} was made by another config; choose another `out` or remove it.")
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            marker.write_text(json.dumps({"hash": config.hash(), "config": config.to_json()}, indent=1))
        self.began = time.time()

    @property
    def done(self) -> bool:
        return (self.folder / "record.json").exists()

    def save(self, network: torch.nn.Module, pool: Pool, figures: dict[str, Any]) -> None:
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(state, self.folder / "weights.safetensors")
        record = {
            "stage": self.name,
            "config_hash": self.config.hash(),
            "config": self.config.to_json(),
            "seed": self.config.seed,
            "data": {prepared.info["name"]: prepared.info["fingerprint"] for prepared in pool.sets},
            "parameters": count_parameters([network]),
            "seconds_this_run": round(time.time() - self.began),
            "machine": {"python": platform.python_version(), "torch": torch.__version__, "cpu": platform.machine()},
            "figures": figures,
        }
        if isinstance(network, Network):
            record["architecture"] = network.architecture.to_json()
        (self.folder / "record.json").write_text(json.dumps(record, indent=1) + "\n")
        (self.folder / "checkpoint.safetensors").unlink(missing_ok=True)


def load_stage(config: Config, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights and record of a finished stage. Raises StageError when it is not there."""
    folder = config.folder / "stages" / name
    if not (folder / "record.json").exists():
        raise StageError(f"The stage {name!r} has not been run yet.")
    return load_file(folder / "weights.safetensors"), json.loads((folder / "record.json").read_text())


def load_network(config: Config, name: str) -> Network:
    weights, record = load_stage(config, name)
    network = Network(Architecture(**record["architecture"]))
    network.load_state_dict(weights)
    return network.eval()
