"""Records -> rows, on as many processes as asked for. Rows come back in any order, all of them to one process.

Only the process that holds the output writes, so that a worker that outlives it by a moment can spoil nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ecgkt.batch.records import load, shown_name
from ecgkt.batch.rows import FAULT, Row, Wanted, refused, row
from ecgkt.batch.stopping import STEP, handled
from ecgkt.ecg import ECGError
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.processors import end_with_parent

if TYPE_CHECKING:
    from ecgkt.model.model import Model

CHUNK = 32  # records that are read, and go through the network, together: 10 MB of tracings, lost at most if killed
AHEAD = 2  # chunks handed out for each worker: one in work, one waiting
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # one each: the processes share the cores


def rows_of(model: Model, root: Path, names: Sequence[str], wanted: Wanted) -> list[Row]:
    """The rows of some records, in their order: the same as one by one, but the network sees them together."""
    loaded = [_load(root / name, root) for name in names]
    with suppress(Exception):  # if one fails: each is asked by itself below, where what was computed is used again
        model.predict_many([ecg for _, ecg in loaded if isinstance(ecg, AnalyzedECG)])
    shown = map(shown_name, names)
    return [_row(model, name, sha256, ecg, wanted) for name, (sha256, ecg) in zip(shown, loaded, strict=True)]


def _load(path: Path, root: Path) -> tuple[str | None, AnalyzedECG | str]:
    """SHA-256 of the content, and the ECG, or why there is none. The bytes are let go."""
    content = load(path, root)
    try:
        return content.sha256, AnalyzedECG(content.ecg())
    except ECGError as error:
        return content.sha256, str(error)


def _row(model: Model, name: str, sha256: str | None, ecg: AnalyzedECG | str, wanted: Wanted) -> Row:
    if isinstance(ecg, str):
        return refused(name, sha256, ecg)
    try:
        return row(name, sha256, ecg, model.predict(ecg), model, wanted)
    except Exception as error:  # a fault of ours: ten thousand others should not wait for it to be mended
        return refused(name, sha256, FAULT.format(type(error).__name__))


def all_rows(
    model: Model,
    bundle: str | None,
    root: Path,
    names: Sequence[str],
    wanted: Wanted,
    workers: int,
    stopped: Callable[[], bool],
) -> Iterator[list[Row]]:
    """The rows of all records, a chunk at a time. bundle: the folder that `model` is from, for workers to load.

    Once `stopped` says so nothing more is begun; what is in work is finished. Raises BrokenProcessPool where a worker
    was killed, unless all were told to end.
    """
    chunks = (names[first : first + CHUNK] for first in range(0, len(names), CHUNK))
    if workers == 1 or len(names) <= CHUNK:
        for chunk in chunks:
            if stopped():
                return
            yield rows_of(model, root, chunk, wanted)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (bundle, root, wanted))
    try:
        # A terminal sends Ctrl-C to all: what is started meanwhile ignores it, and its parent decides.
        with _one_thread_each(), handled(signal.SIGINT, signal.SIG_IGN):
            waiting: set[Future[list[Row]]] = {pool.submit(_chunk, each) for each in islice(chunks, AHEAD * workers)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            if stopped():
                waiting -= {future for future in waiting if future.cancel()}
            else:
                waiting |= {pool.submit(_chunk, each) for each in islice(chunks, len(done))}
            for future in done:
                yield future.result()
    except BrokenProcessPool:
        # A service manager tells all processes to end, of which this one may hear last.
        time.sleep(STEP)
        if not stopped():
            raise
    finally:
        pool.shutdown(cancel_futures=True)


_worker: tuple[Model, Path, Wanted] | None = None


def _begin(bundle: str | None, root: Path, wanted: Wanted) -> None:
    """What a worker does first: see to it that it ends with its parent, whatever ends that, and load the model."""
    global _worker
    end_with_parent()
    from ecgkt.model.model import load as load_model

    _worker = (load_model(bundle), root, wanted)


def _chunk(names: Sequence[str]) -> list[Row]:
    assert _worker is not None
    model, root, wanted = _worker
    return rows_of(model, root, names, wanted)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """In the environment of the processes that are started meanwhile; libraries read it when they are imported."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
