"""The label-efficiency curve: every recipe at its numbers of labeled patients, over seeds that redraw those patients.

    python -m training curve --config training/configs/curve.yaml [--only RECIPE] [--part 1/2]

OUT/runs/NAME_SIZE_SEED/   weights, record and test logits, one folder a run; what is there is not run again
OUT/stage1/                stage 1, which all numbers of labels share
OUT/curve.json             the curve with intervals, in all and by group of diagnoses
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import yaml

from ecgkt.results.curve_metrics import CurveAbout, CurveRun
from training.config import Config, load_config, part_of
from training.data.pool import Pool
from training.label_curve.figures import figures
from training.label_curve.oracle import train_oracle
from training.recipes import RECIPES, TEACHERS, known
from training.train import files
from training.train.finetune import macro_auroc, train
from training.train.outputs import outputs
from training.train.run import RECORD, StageError, load_sets, pool_of
from training.train.task import DIAGNOSES, Labeled, Task

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
    encoder: dict[str, Any] | None = None
    stage1_steps: int = 0

    @property
    def folder(self) -> Path:
        return Path(self.out)

    def runs(self) -> list[tuple[str, int, int]]:
        """(recipe, labeled patients, seed) in the order of their running: teachers before their pupils, those of all
        seeds before any of these, so that processes side by side do not wait for each other. A tenth of the labels
        comes first, then all of them."""
        wanted = [(name, self.tenth, seed) for seed in self.seeds for name in [*self.everywhere, *self.at_tenth]]
        wanted += [(n, size, seed) for seed in self.seeds for size in self.sizes for n in self.everywhere]
        return sorted(dict.fromkeys(wanted), key=self._place)

    def _place(self, run: tuple[str, int, int]) -> tuple[bool, bool, bool, int]:
        name, size, seed = run
        return size != self.tenth, size != 0, name not in TEACHERS, seed


def load_curve_config(path: str | Path) -> CurveConfig:
    """Raises ValueError for unknown or missing keys and unknown recipes."""
    try:
        config = CurveConfig(**yaml.safe_load(Path(path).read_text()))
    except TypeError as error:
        raise ValueError(f"{path}: {error}.") from error
    for name in (*config.everywhere, *config.at_tenth, config.best):
        try:
            known(name)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return config


def curve(config: CurveConfig, only: str | None = None, part: str = "1/1") -> None:
    """Make all runs that are missing, then curve.json. part: "1/2" and "2/2" share the runs between two processes,
    neither of which writes the curve; each begins elsewhere and leaves out what another one is at."""
    number, parts = part_of(part)
    oracle = (ORACLE,) if config.oracle else ()
    if only not in (None, *oracle, *config.everywhere, *config.at_tenth):
        raise ValueError(f"This curve has no recipe {only!r}.")
    task = curve_task(config, run_of(config))
    runs = [(with_labels(config, task, size, seed), name) for name, size, seed in config.runs() if only in (None, name)]
    left_out = []
    for labeled, name in runs[number - 1 :] + runs[: number - 1]:
        if files.is_locked(labeled.folder_of(name)):
            left_out.append((labeled, name))
        else:
            train(labeled, name)
    for labeled, name in left_out:
        train(labeled, name)
    if oracle and only in (None, ORACLE) and number == 1:
        train_oracle(config.oracle, task, config.folder / "runs" / f"{ORACLE}_0_0", config.folder / ORACLE)
    if parts == 1 and task.devices.is_first:
        write_curve(config, task)


def run_of(config: CurveConfig) -> Config:
    """The run whose cohort, rates and, unless the curve has its own, encoder are the curve's."""
    run = load_config(config.run)
    return replace(run, encoder=config.encoder) if config.encoder else run


def curve_task(config: CurveConfig, run: Config) -> Task:
    """What every recipe of the curve is put to, but for the labels: the one set that it is trained and tested on."""
    for source, prepared in zip(*load_sets(run), strict=True):
        if source.name == config.source:
            return Task(
                run, (source,), (prepared,), pool_of(run, [prepared]), (DIAGNOSES,), config.steps, config.stage1_share,
                seed=0, members=1, folder=config.folder / "runs", watch_every=config.watch_every,
                stage_1_folder=config.folder / "stage1", stage_1_own=config.stage1_steps,
            )  # fmt: skip
    raise StageError(f"The run has no source {config.source!r}.")


def with_labels(config: CurveConfig, task: Task, patients: int, seed: int) -> Task:
    """The task with the diagnoses of so many patients, drawn by the seed, which is that of weights and batches too."""
    labeled = Labeled(labeled_rows(task.pool, patients, seed), patients, seed, config.labeled_share)
    return replace(task, labeled=labeled, seed=seed, suffix=f"_{patients}_{seed}")


def labeled_rows(pool: Pool, patients: int, seed: int) -> npt.NDArray[np.int64]:
    """Training rows of `patients` patients drawn by `seed`; of all for 0. Raises ValueError where there are too few."""
    rows = pool.rows("train")
    names = pool.ecgs["patient"].to_numpy(str)[rows]
    everyone = np.unique(names)
    if patients == 0:
        return rows
    if patients > len(everyone):
        raise ValueError(f"{patients} labeled patients were asked for, there are {len(everyone)}.")
    return rows[np.isin(names, np.random.default_rng([seed, 5]).choice(everyone, patients, replace=False))]


def write_curve(config: CurveConfig, task: Task) -> None:
    """curve.json from all runs that are there; intervals from resampled patients and seeds."""
    pool = task.pool
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    runs = []
    for path in sorted(config.folder.glob(f"runs/*/{RECORD}")):
        record = files.read_json(path)
        name, size, seed = path.parent.name.rsplit("_", 2)
        made = record["figures"]
        runs.append(
            CurveRun(
                recipe=name, size=int(size), seed=int(seed), validation=made["validation"],
                labeled_ecgs=made["labeled_ecgs"], stopped_at=made["stopped_at"], seconds=record["seconds_this_run"],
            )
        )  # fmt: skip
        logits = outputs(path.parent, task.pool, "test", task.devices.device).logits[DIAGNOSES]
        found.setdefault((name, int(size)), []).append(logits)
    patients = len(np.unique(pool.ecgs["patient"].to_numpy(str)[pool.rows("train")]))
    drawn = figures(found, pool, config.tenth, config.best, patients)
    run_names = {name for name, _ in found}
    models = {name: recipe.what for name, recipe in RECIPES.items() if name in run_names} | {ORACLE: ORACLE_IS}
    run = load_config(config.run)
    own = f"and {config.stage1_steps:,} of {run.stage_1_batch} ECGs for pretraining"
    stage_1 = own if config.stage1_steps else "pretraining included"
    note = (
        f"Simulated patients. Every network had {config.steps:,} steps of {run.batch} ECGs, {stage_1}, "
        "unless stated otherwise, with early stopping on validation patients. Gains and gaps are "
        "measured against the better of signal-only's two budgets. Intervals resample patients and seeds."
    )
    about = CurveAbout(
        best=config.best,
        tenth=config.tenth,
        conclusions=drawn.conclusions,
        models=models,
        seeds=len(config.seeds),
        runs=runs,
        note=note,
    )
    parts = {"label_curve": drawn.points, "label_curve_groups": drawn.groups, "label_curve_about": about}
    parts["tail"] = drawn.tail
    files.write(config.folder / "curve.json", msgspec.json.format(msgspec.json.encode(parts), indent=1) + b"\n")
    for name in sorted({key[0] for key in found}):
        print(name, {size: round(float(np.mean([_test(pool, x) for x in runs])), 4)
                     for (n, size), runs in sorted(found.items()) if n == name})  # fmt: skip


def _test(pool: Pool, logits: np.ndarray) -> float:
    return macro_auroc(logits, pool.targets[DIAGNOSES][pool.rows("test")])
