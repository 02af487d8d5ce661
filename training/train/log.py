"""How a training goes, written while it goes: log.jsonl beside its checkpoints, a JSON object every 20 steps and at
every look at the validation patients.

A training that goes on from a checkpoint cuts its log back to that checkpoint's step, so no step stands there twice and
none is missing; only times are then not those of a training that was left alone. What a kill left of a last line is
dropped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import field

from ecgkt.json_records import Record
from training.data.clock import Clock
from training.train import files

NAME = "log.jsonl"


class Gpu(Record, frozen=True):
    """memory_gb: the most that tensors have taken so far; busy: share of the time, where the driver can be asked."""

    memory_gb: float
    busy: float | None = None


class Entry(Record, frozen=True):
    """A line: what is known after `step` of `steps` steps, of which the training may end early.

    loss: term -> mean over the steps since the last entry that has any, all processes together; None for what is no
    number. watched: macro AUROC of diagnoses on validation patients, by the averaged weights. lr: learning rate of the
    heads. ecgs_per_s: all processes together, without looks and checkpoints. seconds: by the clock, since the last
    entry or since the process began; of that data_s for making batches and model_s for the rest of the steps. On a GPU
    these two are the host's, which waits for the GPU at every entry only.
    """

    step: int
    steps: int
    at: datetime
    loss: dict[str, float | None] = field(default_factory=dict)
    watched: float | None = None
    lr: float | None = None
    ecgs_per_s: float | None = None
    seconds: float = 0.0
    data_s: float = 0.0
    model_s: float = 0.0
    gpu: Gpu | None = None


class Log:
    """The log of one training, begun at `step`. batch: ECGs a step; data: the clock of batches being made; written: is
    this the process that writes?"""

    def __init__(self, folder: Path, step: int, batch: int, data: Clock, written: bool = True) -> None:
        self.path = folder / NAME
        self.batch, self.data, self.written = batch, data, written
        if written:
            _cut_back(self.path, step)
        self._restart(step)

    def _restart(self, step: int) -> None:
        self.step, self.began, self.data_before, self.elsewhere = step, time.perf_counter(), self.data.seconds, 0.0

    @contextmanager
    def apart(self) -> Iterator[None]:
        """For a look or a checkpoint, whose time is neither data's nor the model's."""
        began, before = time.perf_counter(), self.data.seconds
        try:
            yield
        finally:
            self.elsewhere += time.perf_counter() - began
            self.data_before += self.data.seconds - before

    def write(
        self, step: int, steps: int, lr: float, loss: Mapping[str, float], watched: float | None, gpu: Gpu | None
    ) -> None:
        """Raises OSError (a full disk)."""
        seconds = time.perf_counter() - self.began
        trained, data = seconds - self.elsewhere, self.data.seconds - self.data_before
        entry = Entry(
            step=step,
            steps=steps,
            at=datetime.now(UTC).replace(microsecond=0),
            loss=dict(loss),
            watched=watched,
            lr=lr,
            ecgs_per_s=round((step - self.step) * self.batch / trained, 1) if trained else None,
            seconds=round(seconds, 3),
            data_s=round(data, 3),
            model_s=round(trained - data, 3),
            gpu=gpu,
        )
        self._restart(step)
        if self.written:
            with self.path.open("ab") as file:
                file.write(msgspec.json.encode(entry) + b"\n")

    def settle(self) -> None:
        """Put it on the disk: before a checkpoint, or a loss of power could leave a log that is behind that."""
        if self.written and self.path.exists():
            with self.path.open("rb") as file:
                os.fsync(file.fileno())


def read_log(path: Path) -> list[Entry]:
    """The entries of a log, up to the first line that is none: of a training that runs the last may be half there.
    [] where there is no log."""
    entries: list[Entry] = []
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return entries
    for line in lines:
        try:
            entries.append(msgspec.json.decode(line, type=Entry))
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
    return entries


def _cut_back(path: Path, step: int) -> None:
    """Leave what was written up to `step`."""
    if path.exists():
        kept = [entry for entry in read_log(path) if entry.step <= step]
        files.write(path, b"".join(msgspec.json.encode(entry) + b"\n" for entry in kept))
