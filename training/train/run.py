"""What the stages share: where things lie, the data a config names, and the record each stage leaves behind.

OUT/simulated/            the simulated cohort, MIMIC's layout
OUT/prepared/NAME/        prepared sets
OUT/stages/NAME/          weights.safetensors, record.json, checkpoint.safetensors of each trained network
OUT/evaluation/           metrics.json, predictions
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ecgkt.model.networks.network import Architecture, Modality, Network, TableEncoder, count_parameters
from training.cohort.prepared import Prepared, load_prepared
from training.config import Config, Source
from training.data.pool import Pool

MARKER = "config.json"  # in the folder of a stage: what shapes its weights
ShapedBy = Mapping[str, object]  # what shapes the weights of a stage, see training/train/shaped_by.py


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


def hash_of(shaped_by: ShapedBy) -> str:
    """16 hex digits."""
    return hashlib.sha256(json.dumps(shaped_by, sort_keys=True).encode()).hexdigest()[:16]


def refuse_other(folder: Path, shaped_by: ShapedBy) -> None:
    """Raises StageError where the stage in `folder` was shaped by something else, saying what differs."""
    marker = json.loads((folder / MARKER).read_text())
    if marker["hash"] != hash_of(shaped_by):
        before, now = marker.get("shaped_by", {}), json.loads(json.dumps(shaped_by))
        other = ", ".join(sorted(key for key in {*before, *now} if before.get(key) != now.get(key)))
        raise StageError(
            f"{folder} was made by another config or from other data ({other}); choose another `out` or remove it."
        )


class Stage:
    """The folder of one stage: knows whether it is done, keeps weights and record.

    Raises StageError where another config or other data shaped what lies there.
    """

    def __init__(self, config: Config, name: str, shaped_by: ShapedBy) -> None:
        self.config = config
        self.name = name
        self.hash = hash_of(shaped_by)
        self.folder = config.folder / "stages" / name
        if (self.folder / MARKER).exists():
            refuse_other(self.folder, shaped_by)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARKER).write_text(json.dumps({"hash": self.hash, "shaped_by": shaped_by}, indent=1))
        self.began = time.time()

    @property
    def done(self) -> bool:
        return (self.folder / "record.json").exists()

    def save(self, network: torch.nn.Module, pool: Pool, figures: dict[str, Any]) -> None:
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(state, self.folder / "weights.safetensors")
        record = {
            "stage": self.name,
            "config_hash": self.hash,
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


def load_stage(
    config: Config, name: str, shaped_by: ShapedBy | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights and record of a finished stage. Raises StageError when it is not there, or (where `shaped_by` is given)
    when something else shaped it."""
    folder = config.folder / "stages" / name
    if not (folder / "record.json").exists():
        raise StageError(f"The stage {name!r} has not been run yet.")
    if shaped_by is not None:
        refuse_other(folder, shaped_by)
    return load_file(folder / "weights.safetensors"), json.loads((folder / "record.json").read_text())


def load_network(config: Config, name: str, shaped_by: ShapedBy | None = None) -> Network:
    """The network of a finished stage, to be used and not trained. Raises StageError as `load_stage`."""
    weights, record = load_stage(config, name, shaped_by)
    network = Network(Architecture(**record["architecture"]))
    network.load_state_dict(weights)
    return network.eval()
