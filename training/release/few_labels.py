"""The networks that the label-efficiency curve taught with the diagnoses of few patients, as they go into a bundle."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgkt.model.card import TrainingStage
from ecgkt.model.networks.network import Network
from ecgkt.results import label_curve, names
from training.calibrate.fitted import fitted_in
from training.calibrate.platt import Parameters
from training.cohort.prepared import Prepared
from training.config import Config, Source
from training.data.pool import Pool
from training.recipes import RECIPES
from training.train.files import Damaged
from training.train.run import StageError, network_in, read_stage


@dataclass(frozen=True)
class CurveRuns:
    """Where the curve's runs lie, and which of them are taken.

    folder: of its runs; recipes: that it has at `patients` labeled patients; best: the one that stands for knowledge
    transfer; seed: the one of its seeds that is taken; source: the set that all of them were trained on.
    """

    folder: Path
    recipes: Collection[str]
    best: str
    patients: int
    seed: int
    source: str


@dataclass(frozen=True)
class FewLabels:
    """One network, its calibration by head, and what bundle.json says of its training."""

    network: Network
    calibration: dict[str, Parameters]
    stage: TrainingStage


def few_labels(
    config: Config, runs: CurveRuns, sources: Sequence[Source], sets: Sequence[Prepared]
) -> dict[str, FewLabels]:
    """Name in the bundle -> network, of those compared that the curve has. sources, sets: of the run that is bundled.

    Raises StageError where a run is not finished or was trained on other data.
    """
    chosen = [prepared for source, prepared in zip(sources, sets, strict=True) if source.name == runs.source]
    if not chosen:
        raise StageError(f"The run that is bundled has no source {runs.source!r}, which the curve was trained on.")
    pool = Pool(chosen)
    found = {}
    for name, recipe in (
        (names.TRANSFER, runs.best),
        (names.SIGNAL, names.SIGNAL),
        (names.MULTIMODAL, names.MULTIMODAL),
        (names.PAPER, label_curve.PAPER),
    ):
        if recipe in runs.recipes and not RECIPES[recipe].linear:
            found[names.FEW_LABELS[name]] = _run(config, runs, recipe, pool)
    return found


def _run(config: Config, runs: CurveRuns, recipe: str, pool: Pool) -> FewLabels:
    folder = runs.folder / f"{recipe}_{runs.patients}_{runs.seed}"
    try:
        _, record = read_stage(folder)
    except FileNotFoundError as error:
        raise StageError(f"The curve's run {folder.name!r} is not finished: run `python -m training curve`.") from error
    except Damaged as error:
        raise StageError(f"{error} Run it again.") from error
    (prepared,) = pool.sets
    if record["data"] != {prepared.info["name"]: prepared.info["fingerprint"]}:
        raise StageError(f"The curve's run {folder.name!r} was trained on other data than the run that is bundled.")
    stage = TrainingStage(
        parameters=record["parameters"],
        seconds_this_run=record["seconds_this_run"],
        source_erased_on=record["figures"].get("source_erased_on") or None,
        labeled_patients=runs.patients,
        recipe=recipe,
    )
    return FewLabels(network_in(folder), fitted_in(folder, config, pool).parameters, stage)
