"""The logs of a run as event files, which TensorBoard shows: RUN/tensorboard, a folder a network.

    python -m training tensorboard --run runs/default --follow 30
    tensorboard --logdir runs/default/tensorboard

What a resumed training takes back is taken back here too: TensorBoard drops what lies behind the begin of a session.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from training.train.log import NAME, Entry, read_log

FOLDER = "tensorboard"


def write_events(run: Path, follow: float | None = None) -> None:
    """Raises ValueError where there is no log; with `follow` goes on, looking every so many seconds."""
    shown: dict[Path, _Events] = {}
    while True:
        logs = sorted(run.rglob(NAME))
        if not logs and follow is None:
            raise ValueError(f"{run} holds no {NAME}: nothing has been trained there, or before there were logs.")
        for log in logs:
            folder = run / FOLDER / log.parent.relative_to(run)
            if log not in shown and not _is_newer(folder, log):
                shown[log] = _Events(folder)
            if log in shown:
                shown[log].take(read_log(log))
        if not follow:
            print(f"tensorboard --logdir {run / FOLDER}")
            return
        time.sleep(follow)


def _is_newer(folder: Path, log: Path) -> bool:
    """Was an earlier call there after the last entry?"""
    return any(file.stat().st_mtime_ns >= log.stat().st_mtime_ns for file in folder.glob("events.*"))


class _Events:
    """The events of one log: as much as was written so far."""

    def __init__(self, folder: Path) -> None:
        self.writer = EventFileWriter(str(folder))
        self.entries: list[Entry] = []

    def take(self, entries: list[Entry]) -> None:
        """Write what is new in the log."""
        pairs = zip(entries, self.entries, strict=False)
        same = next((n for n, (new, old) in enumerate(pairs) if new != old), min(len(entries), len(self.entries)))
        changed = [*entries[same : same + 1], *self.entries[same : same + 1]]
        if changed and (same < len(self.entries) or not same):  # taken back, or the first in this file
            step = min(entry.step for entry in changed)
            self.writer.add_event(Event(step=step, session_log=SessionLog(status=SessionLog.START)))
        for entry in entries[same:]:
            values = [Summary.Value(tag=tag, simple_value=value) for tag, value in _scalars(entry)]
            self.writer.add_event(Event(step=entry.step, wall_time=entry.at.timestamp(), summary=Summary(value=values)))
        self.writer.flush()
        self.entries = entries


def _scalars(entry: Entry) -> Iterator[tuple[str, float]]:
    for term, value in entry.loss.items():
        yield f"loss/{term}", float("nan") if value is None else value
    said = {
        "validation/macro AUROC of diagnoses": entry.watched,
        "learning rate": entry.lr,
        "speed/ECG a second": entry.ecgs_per_s,
        "speed/data, s": entry.data_s,
        "speed/model, s": entry.model_s,
        "GPU/memory, GB": entry.gpu.memory_gb if entry.gpu else None,
        "GPU/busy": entry.gpu.busy if entry.gpu else None,
    }
    yield from ((tag, value) for tag, value in said.items() if value is not None)
