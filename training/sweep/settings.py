"""What a sweep searches: a short YAML beside a run's config.

name: rates                  # its folder below the run's: sweeps/rates
trials: 20                   # of all processes together
watch_every: 50              # steps between looks at the validation patients
seed: 1                      # of the search; weights and batches have the config's
prune_after: {trials: 5, steps: 100}   # from then on what is below the median of the others ends early
settings: {transfer: lab_heads, finetune_steps: 500}   # of every trial, in place of the config's
search:
  lr: {low: 0.001, high: 0.01, log: true}
  batch: {low: 64, high: 256}          # whole, since the config's is and both ends are
  augment.gain: {low: 0.0, high: 0.4}
  encoder.widths: {choices: [[32, 32, 48, 64], [16, 16, 32, 32]]}
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import field

from training.config import Config, config_of, read_settings
from training.train.shaped_by import HEADS, STAGE_1

SEARCHED = {*STAGE_1, *HEADS, "encoder_lr", "transfer", "pretrain_steps", "finetune_steps"}
Settings = dict[str, Any]


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A range from low to high, both included (log: of its logarithm), or choices of anything that YAML holds."""

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: list[Any] | None = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None) or (self.low is None) == (self.choices is None):
            raise ValueError("has either low and high or choices")
        if self.choices is not None and (self.log or not self.choices):
            raise ValueError("has choices, at least one and without log")
        if self.low is not None and self.high is not None and (self.low > self.high or (self.log and self.low <= 0)):
            raise ValueError("has a low that is no higher than its high, and above 0 with log")

    def is_whole(self, now: object) -> bool:
        """Is it a range of whole numbers, as the config's `now` is one?"""
        return all(isinstance(value, int) and not isinstance(value, bool) for value in (self.low, self.high, now))


class PruneAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pruning begins after so many trials and, in each, after so many steps."""

    trials: int = 5
    steps: int = 0


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the head of this module."""

    name: str
    trials: int
    watch_every: int
    search: dict[str, Dimension]
    seed: int = 0
    prune_after: PruneAfter = PruneAfter()
    settings: Settings = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.search:
            raise ValueError("has a search of at least one key")
        if self.seed < 0:
            raise ValueError("has a seed of 0 or more")
        if self.trials < 1 or self.watch_every < 1:
            raise ValueError("has 1 or more for trials and watch_every")
        if not self.name or Path(self.name).name != self.name:
            raise ValueError("has a name that is a folder's")


def load_sweep(path: str | Path, run: Mapping[str, Any]) -> Sweep:
    """Read a sweep's YAML; run: the settings of the run that it searches around. Raises ValueError, one sentence."""
    try:
        sweep = msgspec.convert(read_settings(path), Sweep)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path}: {error}.") from error
    for key in (*sweep.settings, *sweep.search):
        if key.split(".")[0] not in SEARCHED:
            raise ValueError(f"{path}: {key} cannot be searched; there are {', '.join(sorted(SEARCHED))}.")
    config_of(changed(run, sweep.settings), path)
    for key in sweep.search:
        value_at(changed(run, sweep.settings), key)
    return sweep


def value_at(settings: Mapping[str, Any], key: str) -> Any:
    """The value of "augment.gain". Raises ValueError where there is none."""
    found: Any = settings
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise ValueError(f"The config has no {key}, so a sweep cannot change it.")
        found = found[part]
    return found


def changed(settings: Mapping[str, Any], values: Mapping[str, Any]) -> Settings:
    """A copy of `settings` with other values under keys like "lr" and "augment.gain". Raises ValueError where there is
    no such key."""
    made: Settings = copy.deepcopy(dict(settings))
    for key, value in values.items():
        value_at(made, key)
        *way, last = key.split(".")
        into = made
        for part in way:
            into = into[part]
        into[last] = value
    return made


def shaped_by(sweep: Sweep, run: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, Any]:
    """What must not change between one command and the next; the number of trials may. data: set -> fingerprint."""
    searched = {key: value for key, value in changed(run, sweep.settings).items() if key in SEARCHED}
    own = {key: value for key, value in json.loads(msgspec.json.encode(sweep)).items() if key not in ("name", "trials")}
    return {"sweep": own, "config": searched, "seed": run["seed"], "data": dict(data)}


def config_for(sweep: Sweep, run: Mapping[str, Any], values: Mapping[str, Any]) -> Config:
    """The config of a trial with these values. Raises ValueError where they do not go together."""
    return config_of(changed(run, {**sweep.settings, **values}), f"Sweep {sweep.name}")
