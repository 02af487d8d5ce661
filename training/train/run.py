"""What the stages share: where things lie, the data a config names, and the record each stage leaves behind.

OUT/run.json              the config that the run was last trained with
OUT/simulated/            the simulated cohort, MIMIC's layout
OUT/prepared/NAME/        prepared sets
OUT/stages/NAME/          weights.safetensors, record.json, outputs and calibration of each trained network;
                          checkpoints while it is trained, log.jsonl (of each member of an ensemble)
OUT/evaluation/           metrics.json, what is fitted for the bundle
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ecgkt.model.networks.network import Architecture, Network, count_parameters
from training.cohort.other_sets import in_two_splits
from training.cohort.prepared import TABLES, Prepared, fingerprint, load_prepared
from training.config import Config, Source
from training.data.pool import Pool
from training.train import files
from training.train.devices import devices_of
from training.train.files import Damaged

# In the folder of a stage: what shapes its weights; the weights; the record, which is written last.
MARKER, WEIGHTS, RECORD = "config.json", "weights.safetensors", "record.json"
RUN = "run.json"  # in the folder of a run
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
    """Raises StageError where a set is not prepared, holds other data than when it was, or has a patient in another
    split than another set."""
    devices = devices_of(config.hardware)
    sources = present_sources(config)
    folders = [prepared_folder(config, source) for source in sources]
    if devices.is_first_here:
        for folder in folders:
            _verify(folder, (folder / "signals.i16").stat().st_mtime_ns)
    sets = [load_prepared(folder) for folder in folders]
    if count := in_two_splits(sets):
        raise StageError(
            f"{count} patients are in two splits, each in another set: the sets were not prepared together. Remove "
            f"{config.folder / 'prepared'} and run `prepare all` again."
        )
    return sources, sets


@cache
def _verify(folder: Path, _: int) -> None:
    """Once a process and version of the file: reading all of a large set takes as long as the disk takes."""
    prepared = load_prepared(folder)
    tables = {name: getattr(prepared, name) for name in TABLES}
    if fingerprint(folder / "signals.i16", tables) != prepared.info["fingerprint"]:
        raise StageError(
            f"The prepared set in {folder} is not what was prepared (its fingerprint differs): a disk or a hand has "
            "changed it. Remove that folder and run `prepare` again."
        )


def pool_of(config: Config, sets: Sequence[Prepared]) -> Pool:
    """The sets side by side, as this config's encoder sees ECGs in training, on this process's device."""
    return Pool(sets, config.encoder["kind"] == "beat", devices_of(config.hardware).device)


def hash_of(shaped_by: ShapedBy) -> str:
    """16 hex digits."""
    return hashlib.sha256(json.dumps(shaped_by, sort_keys=True).encode()).hexdigest()[:16]


def refuse_other(folder: Path, shaped_by: ShapedBy) -> None:
    """Raises StageError where the stage in `folder` was shaped by something else, saying what differs."""
    marker = files.read_json(folder / MARKER)
    if marker["hash"] != hash_of(shaped_by):
        before, now = marker.get("shaped_by", {}), json.loads(json.dumps(shaped_by))
        other = ", ".join(sorted(key for key in {*before, *now} if before.get(key) != now.get(key)))
        raise StageError(
            f"{folder} was made by another config or from other data ({other}); choose another `out` or remove it."
        )


class Stage:
    """The folder of one stage: knows whether it is done, keeps weights and record.

    What is damaged there is named and made again: the weights from members and checkpoints, those from the checkpoint
    before; without a marker that says what shaped them, all of it. Raises StageError where another config or other data
    shaped what lies there.
    """

    def __init__(self, config: Config, folder: Path, shaped_by: ShapedBy) -> None:
        self.config = config
        self.folder = folder
        self.hash = hash_of(shaped_by)
        try:
            refuse_other(folder, shaped_by)
        except FileNotFoundError:
            self._mark(shaped_by)
        except Damaged as error:
            print(f"WARNING: {error} The stage begins anew.", file=sys.stderr)
            if devices_of(config.hardware).is_first:
                shutil.rmtree(folder)
            self._mark(shaped_by)
        self.began = time.time()

    def _mark(self, shaped_by: ShapedBy) -> None:
        if devices_of(self.config.hardware).is_first:
            files.write_json(self.folder / MARKER, {"hash": self.hash, "shaped_by": shaped_by})

    @property
    def done(self) -> bool:
        """Are record and weights there and whole?"""
        try:
            read_stage(self.folder)
        except FileNotFoundError:
            return False
        except Damaged as error:
            print(f"WARNING: {error} It is made again.", file=sys.stderr)
            return False
        return True

    def save(
        self, tensors: dict[str, torch.Tensor], pool: Pool, figures: dict[str, Any], network: Network | None = None
    ) -> None:
        """network: whose weights the tensors are, if they are a network's."""
        files.save_tensors(self.folder / WEIGHTS, tensors, {"hash": self.hash})
        record = {
            "stage": self.folder.name,
            "config_hash": self.hash,
            "config": self.config.to_json(),
            "seed": self.config.seed,
            "data": {prepared.info["name"]: prepared.info["fingerprint"] for prepared in pool.sets},
            "parameters": count_parameters([network] if network else []),
            "seconds_this_run": round(time.time() - self.began),
            "machine": {"python": platform.python_version(), "torch": torch.__version__, "cpu": platform.machine()},
            "weights": files.checksum(tensors),
            "figures": figures,
        }
        if network is not None:
            record["architecture"] = network.architecture.to_json()
        files.write_json(self.folder / RECORD, record)


def read_stage(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights and record of a stage. Raises FileNotFoundError where it is not finished, Damaged where not whole."""
    record = files.read_json(folder / RECORD)
    tensors, _ = files.load_tensors(folder / WEIGHTS)
    if files.checksum(tensors) != record.get("weights"):
        raise Damaged(f"{folder / WEIGHTS} is damaged: it is not what record.json tells of.")
    return tensors, record


def stage_folder(config: Config, name: str) -> Path:
    """Of a run, not of a curve."""
    return config.folder / "stages" / name


def load_stage(
    config: Config, name: str, shaped_by: ShapedBy | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights and record of a finished stage of a run. Raises StageError when it is not there, or (where `shaped_by` is
    given) when something else shaped it."""
    folder = stage_folder(config, name)
    try:
        found = read_stage(folder)
    except FileNotFoundError as error:
        raise StageError(f"The stage {name!r} has not been run yet.") from error
    except Damaged as error:
        raise StageError(f"{error} Run its stage again.") from error
    if shaped_by is not None:
        refuse_other(folder, shaped_by)
    return found


def network_in(folder: Path) -> Network:
    """The network of a finished stage, to be used and not trained. Raises FileNotFoundError, Damaged."""
    return _network(*read_stage(folder))


def _network(weights: dict[str, torch.Tensor], record: dict[str, Any]) -> Network:
    network = Network(Architecture(**record["architecture"]))
    network.load_state_dict(weights)
    return network.eval()


def load_network(config: Config, name: str, shaped_by: ShapedBy | None = None) -> Network:
    """The network of a finished stage of a run, on its device. Raises StageError as `load_stage`."""
    weights, record = load_stage(config, name, shaped_by)
    return _network(weights, record).to(devices_of(config.hardware).device)
