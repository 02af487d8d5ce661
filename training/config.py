"""One YAML = one run. Every stage reads the same file, so stages cannot disagree about data, sizes or seeds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import msgspec

from ecgkt.prediction import NAME
from training import recipes, yaml_file

DOWNLOADS = {
    "ptbxl": "To have it: python -m training download ptb-xl --out data --match records100/",
    "ludb": "To have it: python -m training download ludb --out data",
    "challenge": "To have it: the training records of physionet.org/content/challenge-2021 below that path.",
}


LEAST = {"seed": 0, "threads": 0, "batch": 1, "members": 1, "pretrain_steps": 0, "finetune_steps": 0,
         "checkpoint_every": 1, "pretrain_batch": 0}  # fmt: skip
OPTIONAL = {"hardware", "real_heads", "relevance", "pretrain_batch"}  # keys of a config


@dataclass(frozen=True)
class Source:
    """A prepared set: how it comes about, and its share of every training batch.

    kind: "simulated" (made by `simulate`, then prepared), "mimic", "ptbxl", "challenge" or "ludb" (prepared from the
    folder `path`), "table" (from what the YAML `path` describes). An ECG that is in two sets is taken from the first.
    share: fraction of each fine-tuning batch drawn from this set. pretrain: used in stage 1 as well.
    optional: a run goes on without it, with a warning (`left_out`), when `path` is absent. license, note: what is to be
    said of it wherever the set is named; without, what a LICENSE.txt beside the data says. augment: gain, lead_gain or
    smoothing of its own, in place of the run's.
    """

    name: str
    kind: str
    share: float
    pretrain: bool = True
    path: str = ""
    patients: int = 0
    seed: int = 0
    optional: bool = False
    license: str = ""
    note: str = ""
    augment: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := set(self.augment) - {"gain", "lead_gain", "smoothing"}:
            raise ValueError(f"The set {self.name!r} cannot have {', '.join(sorted(unknown))} for itself in augment.")
        if self.seed < 0:
            raise ValueError(f"The seed of the set {self.name!r} is 0 or more.")

    def left_out(self) -> str:
        """What is to be said, loudly, where an optional set is absent: what its absence does, and how to have it."""
        return (
            f"WARNING: the set {self.name!r} is left out, because {self.path} is not there or is not prepared. Every "
            f"batch was to hold {100 * self.share:g}% of its ECGs; without them the figures will be other than those "
            f"of a run that has them. {DOWNLOADS.get(self.kind, '')}".rstrip()
        )


@dataclass(frozen=True)
class Hardware:
    """What a run is computed on; none of it is meant to change what is learned. See training/configs/tiny.yaml."""

    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    accumulate: int = 1

    def __post_init__(self) -> None:
        for key, allowed in (("accelerator", ("auto", "cpu", "cuda")), ("precision", ("auto", "float32", "bfloat16"))):
            if getattr(self, key) not in allowed:
                raise ValueError(f"hardware: {key} is one of {', '.join(allowed)}, not {getattr(self, key)!r}.")
        if self.accumulate < 1:
            raise ValueError("hardware: accumulate is 1 or more.")


@dataclass(frozen=True)
class Config:
    """See training/configs/tiny.yaml, where each key is explained in place."""

    name: str
    seed: int
    out: str
    threads: int
    cohort: str
    sources: tuple[Source, ...]
    encoder: dict[str, Any]
    table_width: int
    dropout: float
    batch: int
    members: int
    transfer: str
    pretrain_steps: int
    pretrain_weights: dict[str, float]
    projector: int
    finetune_steps: int
    encoder_lr: float
    lr: float
    weight_decay: float
    ema: float
    head_weights: dict[str, float]
    augment: dict[str, float]
    checkpoint_every: int
    bootstrap: int
    pretrain_batch: int = 0
    real_heads: dict[str, float] = field(default_factory=dict)
    relevance: dict[str, float] = field(default_factory=dict)
    hardware: Hardware = Hardware()

    def __post_init__(self) -> None:
        for key, least in LEAST.items():
            if getattr(self, key) < least:
                raise ValueError(f"{key} is {least} or more.")
        if not re.fullmatch(NAME, self.name):
            raise ValueError(
                "name is one line of up to 64 characters, without a backslash: reports are signed with it."
            )
        recipe = recipes.RECIPES[recipes.known(self.transfer)]
        if not self.pretrain_steps and any(recipes.RECIPES[n].stage_1 for n in (self.transfer, *recipe.teachers)):
            raise ValueError(f"The recipe {self.transfer!r} has a stage 1, so pretrain_steps must be above 0.")

    @property
    def folder(self) -> Path:
        return Path(self.out)

    @property
    def stage_1_batch(self) -> int:
        """ECGs of a batch in stage 1, whose negatives and variances are those of a batch."""
        return self.pretrain_batch or self.batch

    @property
    def steps(self) -> int:
        """The whole budget, which every recipe has: the steps of stage 1 and of stages 2 and 3 together."""
        return self.pretrain_steps + self.finetune_steps

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def hash(self) -> str:
        """16 hex digits of all keys. What shapes the weights of a stage: `training.train.shaped_by`."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def part_of(text: str) -> tuple[int, int]:
    """ "2/3" -> (2, 3): the second of three processes that share the work. Raises ValueError for anything else."""
    number, _, parts = text.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        raise ValueError(f"A part is written i/n, with i from 1 to n, not {text!r}.")
    return int(number), int(parts)


def load_config(path: str | Path) -> Config:
    """Read a run's YAML. Raises ValueError naming unknown or missing keys, or a file that is no YAML mapping.

    `real_heads`, `relevance` and `pretrain_batch` may be left out, and `hardware` in all or in part.
    """
    return config_of(read_settings(path), path)


def read_settings(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ValueError where it holds none."""
    try:
        raw = yaml_file.content_of(Path(path))
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        raise ValueError(f"{path} is no YAML file of settings.")
    return raw


def config_of(settings: Mapping[str, Any], path: str | Path) -> Config:
    """The settings of a YAML as a config; path: for messages. Raises ValueError as `load_config`."""
    known = {field.name for field in fields(Config)}
    unknown, missing = set(settings) - known, known - OPTIONAL - set(settings)
    if unknown or missing:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}.")
    try:
        sources = tuple(Source(**source) for source in settings["sources"])
        config = Config(**{**settings, "sources": sources, "hardware": Hardware(**settings.get("hardware") or {})})
        msgspec.convert(config.to_json(), Config)  # of the types that the fields have
        return config
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def with_recipe(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of an older bundle's run, which spelled its recipe out, with that recipe's name in `transfer`."""
    if "transfer" in settings:
        return settings
    stage_1 = settings["pretrain_objective"] if settings["pretrain_steps"] else ""
    teachers = recipes.MULTIMODAL if settings["distil"] else ()
    for name, recipe in recipes.RECIPES.items():
        if recipe == recipes.Recipe(recipe.what, "ecg", stage_1, True, teachers):
            return {**settings, "transfer": name}
    raise ValueError(f"No recipe has {stage_1 or 'no stage 1'} and {'a' if teachers else 'no'} teacher.")
