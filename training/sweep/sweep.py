"""A search for better settings of a run: every trial trains one network of the config's recipe (and its teachers).

    python -m training sweep --config training/configs/default.yaml --sweep SWEEP.yaml

Judged by the best look at the validation patients (macro AUROC of diagnoses); the test patients are never asked.
Stopped or killed, it goes on by the same command; several processes started side by side share the trials. Writes
OUT/sweeps/NAME/trials.csv and, as a config that can be run, best.yaml.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from optuna.exceptions import TrialPruned
from optuna.trial import FrozenTrial, Trial, TrialState

from training.config import Config, config_of, read_settings
from training.sweep.settings import Sweep, changed, config_for, load_sweep, shaped_by
from training.sweep.study import Study, plain, suggested
from training.train import checkpoint, files
from training.train.finetune import train
from training.train.run import MARKER, RECORD, hash_of, pool_of, refuse_other
from training.train.task import Task, run_task

TABLE, BEST = "trials.csv", "best.yaml"
WHY = "why"


def sweep(config_path: Path, sweep_path: Path) -> Path:
    """Make the trials that are missing; the sweep's folder. Raises ValueError, StageError."""
    run = read_settings(config_path)
    config = config_of(run, config_path)
    searched = load_sweep(sweep_path, run)
    base = run_task(config)
    if base.devices.processes > 1:
        raise ValueError("A sweep is not run under torchrun: start it several times, and they share its trials.")
    folder = config.folder / "sweeps" / searched.name
    _claim(folder, shaped_by(searched, run, {p.info["name"]: p.info["fingerprint"] for p in base.sets}))
    study = Study(searched, folder)
    while (held := study.next()) is not None:
        trial, lock = held
        try:
            _make(study, trial, run, base)
        finally:
            lock.release()
        _write(study, run, config)
    _write(study, run, config)
    return folder


def _claim(folder: Path, shaped: dict[str, Any]) -> None:
    with files.lock(folder):
        try:
            refuse_other(folder, shaped)
        except FileNotFoundError:
            files.write_json(folder / MARKER, {"hash": hash_of(shaped), "shaped_by": shaped})


def _make(study: Study, trial: Trial, run: Mapping[str, Any], base: Task) -> None:
    """Train what a trial asks for, from its checkpoint where there is one, and tell the study what came out."""
    values = suggested(trial, study.sweep, changed(run, study.sweep.settings))
    said = (f"{key} {f'{value:.4g}' if isinstance(value, float) else value}" for key, value in values.items())
    print(f"trial {trial.number}: {', '.join(said)}", flush=True)
    folder = study.folder_of(trial.number)
    try:
        config = config_for(study.sweep, run, values)
    except ValueError as error:  # these values do not go together; others may
        trial.set_user_attr(WHY, str(error))
        study.study.tell(trial, state=TrialState.FAIL)
        return
    try:
        made = train(_task(base, config, folder, study.sweep.watch_every, _pruned(trial)), config.transfer)
    except TrialPruned:
        for log in folder.rglob("member_*"):
            checkpoint.remove(log)
        study.study.tell(trial, state=TrialState.PRUNED)
        return
    value = files.read_json(made / RECORD)["figures"]["validation"]
    if math.isfinite(value):
        study.study.tell(trial, value)
    else:
        trial.set_user_attr(WHY, "training diverged")
        study.study.tell(trial, state=TrialState.FAIL)


def _pruned(trial: Trial) -> Callable[[int, float], None]:
    """Tells the study of every look, and ends the trial where it is below the median of the others."""
    reported = set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def told(step: int, score: float) -> None:
        if step not in reported:  # a trial that goes on looks again at what it looked at after its checkpoint
            trial.report(score, step)
        if trial.should_prune():
            raise TrialPruned

    return told


def _task(base: Task, config: Config, folder: Path, watch_every: int, told: Callable[[int, float], None]) -> Task:
    """One network with a trial's config on the run's data."""
    alike = (config.encoder["kind"] == "beat") == (base.config.encoder["kind"] == "beat")
    return replace(
        base, config=config, pool=base.pool if alike else pool_of(config, base.sets), folder=folder, members=1,
        steps=config.steps, stage_1_share=config.pretrain_steps / config.steps, watch_every=watch_every, told=told,
    )  # fmt: skip


def _write(study: Study, run: Mapping[str, Any], config: Config) -> None:
    """trials.csv, and best.yaml once a trial is complete."""
    trials = study.study.get_trials(deepcopy=False)
    files.write(study.folder / TABLE, _table(study.sweep, trials).encode())
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not complete:
        return
    best = max(complete, key=lambda trial: trial.value or 0.0)
    found = changed(run, {**study.sweep.settings, **plain(best.params, study.sweep)})
    found |= {"name": f"{config.name}_{study.sweep.name}", "out": f"{config.out}_{study.sweep.name}"}
    head = (
        f"# Trial {best.number} of the sweep {study.sweep.name}: macro AUROC of diagnoses {best.value:.4f} on\n"
        f"# validation patients, the best of {len(complete)} complete trials, so too high by what choosing it adds.\n"
    )
    files.write(study.folder / BEST, (head + yaml.safe_dump(found, sort_keys=False)).encode())


def _table(sweep: Sweep, trials: list[FrozenTrial]) -> str:
    """A row a trial, as they were begun; validation: of the best look, of a pruned one of its last; seconds: from its
    begin to its end, with all that lay between where it was stopped and gone on with."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("trial", "state", "validation", "looks", *sweep.search, "seconds", WHY))
    for trial in trials:
        looks = trial.intermediate_values
        value = trial.value if trial.state == TrialState.COMPLETE else looks[max(looks)] if looks else None
        duration = trial.duration
        writer.writerow(
            (trial.number, trial.state.name.lower(), "" if value is None else f"{value:.6f}", len(looks),
             *(trial.params.get(key, "") for key in sweep.search),
             "" if duration is None else round(duration.total_seconds()), trial.user_attrs.get(WHY, ""))
        )  # fmt: skip
    return file.getvalue()
