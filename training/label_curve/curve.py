"""The label-efficiency curve: every recipe at its numbers of labeled patients, over seeds that redraw those patients.

    python -m training curve --config training/configs/curve.yaml [--only RECIPE] [--part 1/2]

OUT/runs/NAME_SIZE_SEED/   result.json and test.npz (logits), one folder a run; what is there is not run again
OUT/curve.json             the curve with intervals, in all and by group of diagnoses
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import msgspec
import numpy as np
import yaml
from scipy.special import expit

from ecgkt.results.curve_metrics import CurveAbout, CurveRun
from training.cohort.prepared import Prepared
from training.config import Config, load_config, part_of
from training.data.pool import Pool
from training.label_curve.figures import figures
from training.label_curve.oracle import train_oracle
from training.label_curve.recipes import (
    HEAD,
    RECIPES,
    TEACHERS,
    Recipe,
    Task,
    labeled_rows,
    logits_of,
    macro_auroc,
    regress,
    train_recipe,
)
from training.train.run import StageError, load_sets, pool_of

ORACLE = "oracle"

ORACLE_IS = "ECG only, trained on more and other patients without coding noise: what an ECG can tell"


@dataclass(frozen=True)
class CurveConfig:
    """training/configs/curve.yaml, where each key is explained in place."""

    run: str
    source: str
    out: str
    steps: int
    stage1_share: float
    labeled_share: float
    watch_every: int
    seeds: list[int]
    sizes: list[int]
    tenth: int
    everywhere: list[str]
    at_tenth: list[str]
    best: str
    oracle: dict[str, int]

    @property
    def folder(self) -> Path:
        return Path(self.out)

    def runs(self) -> list[tuple[str, int, int]]:
        """(recipe, labeled patients, seed) in the order of their running: a teacher before its pupils."""
        wanted = [(name, self.tenth, seed) for seed in self.seeds for name in [*self.everywhere, *self.at_tenth]]
        wanted += [(n, size, seed) for seed in self.seeds for size in self.sizes for n in self.everywhere]
        return sorted(dict.fromkeys(wanted), key=lambda run: (run[1] != self.tenth, run[2], run[0] not in TEACHERS))


def load_curve_config(path: str | Path) -> CurveConfig:
    """Raises ValueError for unknown or missing keys and unknown recipes."""
    try:
        config = CurveConfig(**yaml.safe_load(Path(path).read_text()))
    except TypeError as error:
        raise ValueError(f"{path}: {error}.") from error
    unknown = {*config.everywhere, *config.at_tenth, config.best} - set(RECIPES)
    if unknown:
        raise ValueError(f"{path}: there is no recipe {', '.join(sorted(unknown))}.")
    return config


def curve(config: CurveConfig, only: str | None = None, part: str = "1/1") -> None:
    """Make all runs that are missing, then curve.json. part: "1/2" and "2/2" share the seeds between two processes,
    neither of which writes the curve."""
    number, parts = part_of(part)
    if only not in (None, ORACLE, *config.everywhere, *config.at_tenth):
        raise ValueError(f"This curve has no recipe {only!r}.")
    run = load_config(config.run)
    pool = pool_of(run, [curve_set(run, config.source)])
    seeds = config.seeds[number - 1 :: parts]
    for name, size, seed in config.runs():
        if seed in seeds and only in (None, name):
            _run(config, run, pool, name, size, seed)
    if only in (None, ORACLE) and number == 1:
        _oracle(config, run, pool)
    if parts == 1:
        write_curve(config, pool)


def curve_set(run: Config, source: str) -> Prepared:
    """The one prepared set that the curve is trained and tested on."""
    for described, prepared in zip(*load_sets(run), strict=True):
        if described.name == source:
            return prepared
    raise StageError(f"The run has no source {source!r}.")


def run_folder(config: CurveConfig, name: str, size: int, seed: int) -> Path:
    return config.folder / "runs" / f"{name}_{size}_{seed}"


def _run(config: CurveConfig, run: Config, pool: Pool, name: str, size: int, seed: int) -> None:
    folder = run_folder(config, name, size, seed)
    if (folder / "result.json").exists():
        return
    recipe = RECIPES[name]
    labeled = labeled_rows(pool, size, seed)
    teacher = None
    if recipe.teachers:
        said = []
        for each in recipe.teachers:
            _run(config, run, pool, each, size, seed)
            with np.load(run_folder(config, each, size, seed) / "train.npz", allow_pickle=False) as stored:
                said.append(stored["logits"].astype(np.float32))
        teacher = np.full_like(pool.targets[HEAD], np.nan)
        teacher[pool.rows("train")] = expit(np.mean(said, axis=0))
    task = Task(
        run, pool, labeled, seed, config.steps, config.stage1_share, config.labeled_share,
        config.watch_every,
        config.folder / "stage1", folder, teacher,
    )  # fmt: skip
    _keep(task, recipe, name, size)


def _keep(task: Task, recipe: Recipe, name: str, size: int) -> None:
    began = time.time()
    task.folder.mkdir(parents=True, exist_ok=True)
    train, test = (task.pool.rows(split) for split in ("train", "test"))
    if recipe.linear:
        every, loss = regress(recipe, task)
        of_test, of_train = every[test], every[train]
    else:
        network, loss = train_recipe(recipe, task)
        of_test = logits_of(network, task.pool, test)
        of_train = logits_of(network, task.pool, train) if name in TEACHERS else of_test[:0]
    np.savez(task.folder / "test.npz", logits=of_test.astype(np.float32))
    if name in TEACHERS:
        np.savez(task.folder / "train.npz", logits=of_train.astype(np.float16))
    write_result(task.folder, {"recipe": name, "size": size, "seed": task.seed}, len(task.labeled), loss, began)


class Run(TypedDict):
    """Which recipe, on how many labeled patients (0: all), drawn by which seed."""

    recipe: str
    size: int
    seed: int


def write_result(folder: Path, run: Run, ecgs: int, loss: dict[str, list[float]], began: float) -> None:
    best = int(np.argmax(loss["watched"]))
    result = {
        **run,
        "labeled_ecgs": ecgs,
        "validation": loss["watched"][best],
        "stopped_at": f"{best + 1} of {len(loss['watched'])} looks",
        "seconds": round(time.time() - began),
        "loss": loss,
    }
    (folder / "result.json").write_text(json.dumps(result) + "\n")
    print(f"{run['recipe']:22s} {run['size']:6d} seed {run['seed']}: validation {result['validation']:.4f}", flush=True)


def _oracle(config: CurveConfig, run: Config, pool: Pool) -> None:
    folder = run_folder(config, ORACLE, 0, 0)
    if (folder / "result.json").exists():
        return
    began = time.time()
    folder.mkdir(parents=True, exist_ok=True)
    network, loss, ecgs = train_oracle(config.oracle, run, pool, config.folder / ORACLE, config.watch_every)
    np.savez(folder / "test.npz", logits=logits_of(network, pool, pool.rows("test")).astype(np.float32))
    write_result(folder, {"recipe": ORACLE, "size": 0, "seed": 0}, ecgs, loss, began)


def write_curve(config: CurveConfig, pool: Pool) -> None:
    """curve.json from all runs that are there; intervals from resampled patients and seeds."""
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    runs = []
    for path in sorted(config.folder.glob("runs/*/result.json")):
        result = json.loads(path.read_text())
        runs.append(CurveRun(**{key: value for key, value in result.items() if key != "loss"}))
        with np.load(path.parent / "test.npz", allow_pickle=False) as stored:
            found.setdefault((result["recipe"], result["size"]), []).append(stored["logits"].astype(np.float64))
    patients = len(np.unique(pool.ecgs["patient"].to_numpy(str)[pool.rows("train")]))
    made = figures(found, pool, config.tenth, config.best, patients)
    models = {name: recipe.what for name, recipe in RECIPES.items()} | {ORACLE: ORACLE_IS}
    note = (
        f"Simulated patients. Every network had {config.steps:,} steps of {load_config(config.run).batch} ECGs, "
        "pretraining included, unless stated otherwise, with early stopping on validation patients. Gains and gaps are "
        "measured against the better of signal-only's two budgets. Intervals resample patients and seeds."
    )
    about = CurveAbout(
        best=config.best,
        tenth=config.tenth,
        conclusions=made.conclusions,
        models=models,
        seeds=len(config.seeds),
        runs=runs,
        note=note,
    )
    parts = {"label_curve": made.points, "label_curve_groups": made.groups, "label_curve_about": about}
    (config.folder / "curve.json").write_bytes(msgspec.json.format(msgspec.json.encode(parts), indent=1) + b"\n")
    for name in sorted({key[0] for key in found}):
        print(name, {size: round(float(np.mean([_test(pool, x) for x in runs])), 4)
                     for (n, size), runs in sorted(found.items()) if n == name})  # fmt: skip


def _test(pool: Pool, logits: np.ndarray) -> float:
    return macro_auroc(logits, pool.targets[HEAD][pool.rows("test")])
