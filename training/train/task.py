"""What a recipe is put to: data and who is labeled, budget, seeds, and the folders that hold what comes of it.

A run has one task with all labels; the label-efficiency curve has one for every number of labeled patients and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ecgkt.model.networks.network import Architecture, Modality, Network, TableEncoder
from training import recipes
from training.cohort.prepared import Prepared
from training.config import Config, Source
from training.data.pool import Pool
from training.recipes import RECIPES, Recipe
from training.train.devices import Devices, devices_of
from training.train.run import load_sets, pool_of

Rows = npt.NDArray[np.int64]
DIAGNOSES, LABS = "diagnoses", "labs"


@dataclass(frozen=True)
class Labeled:
    """The training rows whose diagnoses may be used, and by what they were drawn: patients, seed. share: of a batch,
    for recipes that use the others' ECGs as well."""

    rows: Rows
    patients: int
    seed: int
    share: float


@dataclass(frozen=True)
class Task:
    """pool: all ECGs as the encoder sees them; sources, sets: what it is made of.

    heads: what every network learns that sees the ECG, besides the labs. steps: the whole budget; stage_1_share: of
    it, for recipes with a stage 1, or stage_1_own: steps on top of it. members: networks of an ensemble. labeled: None
    for everybody. watch_every: steps between looks at the validation patients, 0 for no early stopping; told: hears of
    every look at a network that is no teacher (step, score). folder, suffix: where a recipe's stage lies.
    """

    config: Config
    sources: tuple[Source, ...]
    sets: tuple[Prepared, ...]
    pool: Pool
    heads: tuple[str, ...]
    steps: int
    stage_1_share: float
    seed: int
    members: int
    folder: Path
    labeled: Labeled | None = None
    watch_every: int = 0
    told: Callable[[int, float], None] | None = None
    suffix: str = ""
    stage_1_folder: Path | None = None
    stage_1_own: int = 0

    @cached_property
    def table_pool(self) -> Pool:
        """The sets that have labs and vitals: those of stage 1 and of networks that see the table alone."""
        if all(source.pretrain for source in self.sources):
            return self.pool
        return pool_of(self.config, [self.sets[number] for number in self._with_table])

    @property
    def _with_table(self) -> list[int]:
        return [number for number, source in enumerate(self.sources) if source.pretrain]

    @property
    def devices(self) -> Devices:
        return devices_of(self.config.hardware)

    def pool_for(self, recipe: Recipe) -> Pool:
        return self.table_pool if recipe.modality == "table" else self.pool

    def sources_for(self, recipe: Recipe) -> list[Source]:
        kept = self._with_table if recipe.modality == "table" else range(len(self.sources))
        return [self.sources[number] for number in kept]

    def heads_of(self, recipe: Recipe) -> list[str]:
        """A table has no findings, and lab heads of a network that sees the labs would mean nothing."""
        heads = [head for head in self.heads if recipe.modality != "table" or head == DIAGNOSES]
        return [*heads, LABS] if recipe.labs else heads

    def teaches_relevance(self, recipe: Recipe) -> bool:
        """Of a run its transfer alone, where it looks at beats: networks that are compared for what they learn from
        labels have no such term."""
        looks_at_beats = self.config.encoder["kind"] == "beat" and recipe.modality == "ecg"
        is_transfer = self.labeled is None and recipe is RECIPES[self.config.transfer]
        return bool(self.config.relevance) and looks_at_beats and is_transfer

    def stage_1_steps(self, recipe: Recipe) -> int:
        if not recipe.stage_1:
            return 0
        return self.stage_1_own or round(self.steps * recipe.steps * self.stage_1_share)

    def later_steps(self, recipe: Recipe) -> int:
        return round(self.steps * recipe.steps) - (0 if self.stage_1_own else self.stage_1_steps(recipe))

    def folder_of(self, stage: str) -> Path:
        return self.folder / f"{stage}{self.suffix}"

    def stage_1_folder_of(self, recipe: Recipe) -> Path:
        """Stage 1 needs no label: the curve's tasks share it between numbers of them."""
        if self.stage_1_folder is None:
            return self.folder / ("pretrain" if self._is_transfers(recipe) else f"pretrain_{recipe.stage_1}")
        return self.stage_1_folder / f"{recipe.stage_1}_{self.seed}_{self.stage_1_steps(recipe)}"

    def _is_transfers(self, recipe: Recipe) -> bool:
        transfer = RECIPES[self.config.transfer]
        return (recipe.stage_1, recipe.steps) == (transfer.stage_1, transfer.steps)


def recipe_of(config: Config, stage: str) -> str:
    """The recipe of a stage of a run: of a baseline, of a teacher, or the config's choice for knowledge transfer."""
    return config.transfer if stage == recipes.TRANSFER else recipes.known(recipes.BASELINES.get(stage, stage))


def run_task(config: Config) -> Task:
    """The task of a run: every source, all labels, no early stopping."""
    sources, sets = load_sets(config)
    return Task(
        config, tuple(sources), tuple(sets), pool_of(config, sets), ("findings", DIAGNOSES), config.steps,
        config.pretrain_steps / config.steps, config.seed, config.members, config.folder / "stages",
    )  # fmt: skip


def build_network(
    config: Config, pool: Pool, modality: Modality, heads: Sequence[str], seed: int | None = None
) -> Network:
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
