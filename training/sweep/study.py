"""A study of Optuna on disk: a journal that processes share, and trials that outlive the process that began them.

A trial is held by a lock on its folder, which the system gives up when its process ends. So a trial that Optuna calls
running and nobody holds was cut off; whoever asks next goes on with it, from its checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock, Timeout
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import Trial, TrialState

from training.sweep.settings import Sweep, value_at
from training.train import files

JOURNAL, TRIALS = "journal.jsonl", "trials"
Held = tuple[Trial, FileLock]


class _Lock(JournalFileOpenLock):
    """Optuna's own locks stay behind when a process is killed; this one does not."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._lock = FileLock(path)

    def acquire(self) -> bool:
        self._lock.acquire()
        return True

    def release(self) -> None:
        self._lock.release()


class Study:
    """The study of a sweep in `folder`; begun or gone on with."""

    def __init__(self, sweep: Sweep, folder: Path) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.sweep, self.folder = sweep, folder
        folder.mkdir(parents=True, exist_ok=True)
        journal, lock = folder / JOURNAL, folder / f"{JOURNAL}.lock"
        with FileLock(lock):
            _drop_half_line(journal)
            storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=_Lock(lock)))
        after = sweep.prune_after
        with files.lock(folder):
            self.study = optuna.create_study(
                storage=storage, study_name=sweep.name, direction="maximize", load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(after.trials, after.steps),
            )  # fmt: skip

    def folder_of(self, number: int) -> Path:
        return self.folder / TRIALS / f"{number:04d}"

    def next(self) -> Held | None:
        """A trial to be done and the lock that holds it: one that was cut off, or else a new one; None where there are
        enough."""
        with files.lock(self.folder):
            trials = self.study.get_trials(deepcopy=False)
            for trial in (trial for trial in trials if trial.state == TrialState.RUNNING):
                lock = files.lock(self.folder_of(trial.number))
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    continue  # another process is at it
                if self.study.get_trials(deepcopy=False)[trial.number].state == TrialState.RUNNING:
                    return self._trial(trial.number, trial._trial_id), lock
                lock.release()  # that process has ended it meanwhile
            if len(trials) >= self.sweep.trials:
                return None
            self._sampler(len(trials))
            made = self.study.ask()
            lock = files.lock(self.folder_of(made.number))
            lock.acquire()
            return made, lock

    def _trial(self, number: int, identifier: int) -> Trial:
        self._sampler(number)
        return Trial(self.study, identifier)

    def _sampler(self, number: int) -> None:
        """A sampler for one trial: with one for all, a process that goes on would draw the first trials again."""
        seed = np.random.SeedSequence([self.sweep.seed, number]).generate_state(1)[0]  # neighbors draw alike otherwise
        self.study.sampler = optuna.samplers.TPESampler(seed=int(seed))


def suggested(trial: Trial, sweep: Sweep, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Key -> value of this trial; settings: of the run, which say what is whole. What was drawn before stays."""
    values: dict[str, Any] = {}
    for key, dimension in sweep.search.items():
        low, high = dimension.low, dimension.high
        if dimension.choices is not None:
            # As JSON: Optuna's choices are numbers and words.
            values[key] = trial.suggest_categorical(key, [json.dumps(each) for each in dimension.choices])
        elif dimension.is_whole(value_at(settings, key)):
            values[key] = trial.suggest_int(key, int(low or 0), int(high or 0), log=dimension.log)
        else:
            values[key] = trial.suggest_float(key, float(low or 0), float(high or 0), log=dimension.log)
    return plain(values, sweep)


def plain(values: Mapping[str, Any], sweep: Sweep) -> dict[str, Any]:
    """The values of a trial as a config has them."""
    return {key: value if sweep.search[key].choices is None else json.loads(value) for key, value in values.items()}


def _drop_half_line(journal: Path) -> None:
    """What a full disk left of a last line, after which Optuna could write but never read again."""
    if journal.exists():
        content = journal.read_bytes()
        if not content.endswith(b"\n"):
            files.write(journal, content[: content.rfind(b"\n") + 1])
