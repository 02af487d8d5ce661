"""A folder of ECGs to a table: goes on where an earlier run of the same command was ended, tells how far it is."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from filelock import FileLock, Timeout

import ecgkt
from ecgkt.batch.progress import Progress
from ecgkt.batch.records import record_names, shown_name
from ecgkt.batch.rows import Row, Wanted, columns
from ecgkt.batch.stopping import Stop
from ecgkt.batch.table import Table, parts_folder
from ecgkt.batch.workers import all_rows
from ecgkt.prediction import HEADS

if TYPE_CHECKING:
    from ecgkt.model.model import Model

PART_ROWS = 256  # rows of a part
PART_SECONDS = 30.0  # after which what there is becomes a part: the most that a kill can cost
FORMAT, VERSION = "ecgkt batch", 1


class CannotBegin(Exception):
    """Why the run cannot begin; one sentence."""


@dataclass(frozen=True)
class Outcome:
    """finished: is the table complete? refused: by reason."""

    finished: bool
    read: int
    abstained: int
    refused: Counter[str]


def explain_folder(
    model: Model,
    bundle: str | None,
    root: Path,
    out: Path,
    wanted: Wanted,
    workers: int,
    progress: TextIO,
) -> Outcome:
    """A row of `out` for every record below `root`. bundle: the folder that `model` is from, None for the default.

    Raises CannotBegin, OtherRun; OSError and duckdb.Error where the disk is full or gone, BrokenProcessPool where a
    worker was killed: what is done by then is kept, and calling it again goes on.
    """
    named, root = root, root.resolve()  # and no other, should a link take its name
    parts = parts_folder(out)
    if out.exists() and not parts.exists():
        raise CannotBegin(f"{out} is there already: remove it, or name another file.")
    names = list(record_names(root))
    if not names:
        raise CannotBegin(f"There is no ECG in {named}.")
    parts.mkdir(exist_ok=True)
    try:
        with FileLock(parts / "lock", timeout=0):
            run = {
                "root": str(root),
                "model": model.sha256,
                "ecgkt": ecgkt.__version__,
                "measurements": wanted.measurements,
                "relevance": list(wanted.relevance),
            }
            table = Table(out, columns(model, wanted), metadata(model, wanted), run)
            done = table.done()
            left = [name for name in names if shown_name(name) not in done]
            finished = _fill(table, model, bundle, root, left, len(names), wanted, workers, progress)
            outcome = Outcome(finished, *table.counts())
            if finished:
                table.merge()
    except Timeout:
        raise CannotBegin(f"Another process is writing {out}.") from None
    if finished:
        table.remove_parts()
    return outcome


def _fill(
    table: Table,
    model: Model,
    bundle: str | None,
    root: Path,
    names: list[str],
    total: int,
    wanted: Wanted,
    workers: int,
    progress: TextIO,
) -> bool:
    """The rows of `names`; False if asked to stop before the last."""
    waiting: list[Row] = []
    written = time.monotonic()
    shown = Progress(progress, total, total - len(names))
    with Stop() as stop:
        try:
            for rows in all_rows(model, bundle, root, names, wanted, workers, lambda: stop.asked):
                waiting += rows
                shown.add(len(rows), sum(row["status"] == "refused" for row in rows))
                if len(waiting) >= PART_ROWS or time.monotonic() - written > PART_SECONDS:
                    table.write(waiting)
                    waiting, written = [], time.monotonic()
        finally:
            if waiting:
                table.write(waiting)
    shown.end()
    return shown.done == total


def metadata(model: Model, wanted: Wanted) -> dict[str, Any]:
    """What a table says of itself: by which model, what each column is, what is known of each label."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "notice": ecgkt.NOTICE,
        "ecgkt": ecgkt.__version__,
        "model": {"name": model.name, "sha256": model.sha256, "created": model.card.created},
        "columns": [asdict(each) for each in columns(model, wanted)],
        "labels": [
            {
                "code": label.code,
                "head": head,
                "name": label.name,
                "threshold": label.threshold,
                "threshold_source": label.threshold_source,
                "prevalence": label.prevalence,
                "auroc": list(label.auroc) if label.auroc else None,
                "measured_on": label.measured_on or None,
                "learned_from": label.learned_from,
            }
            for head in HEADS
            for label in model.labels[head]
        ],
    }
