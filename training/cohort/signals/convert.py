"""Recordings, WFDB in folders or in PhysioNet's zip or files of any format -> signals.i16, in one resumable pass.

Every worker imports this module, so it does without pandas and DuckDB.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ecgkt.ecg import ECG, LEADS, ECGError, FloatArray
from ecgkt.model.preprocessing import MODEL_SAMPLES, MODEL_SECONDS, model_view
from ecgkt.processors import end_with_parent
from training.cohort.signals.batched_preprocessing import model_views, step_of
from training.cohort.signals.wfdb16 import LARGEST, MISSING, Layout, read_header, samples_of

SHAPE = (len(LEADS), MODEL_SAMPLES)
ECG_BYTES = SHAPE[0] * SHAPE[1] * 2
CHUNK = 128  # records between two notes of progress
BATCH = 32  # records in one matrix product: enough for BLAS, little enough for the processor's cache


class Limits(NamedTuple):
    """`signals` in cohort.yaml: what excludes a record."""

    max_gap_seconds: float
    flat_millivolts: float
    max_millivolts: float

    @classmethod
    def of(cls, config: dict[str, Any]) -> Limits:
        """Raises ValueError for an amplitude that int16 microvolts cannot hold."""
        limits = cls(*(float(config["signals"][name]) for name in cls._fields))
        if limits.max_millivolts * 1000 > np.iinfo(np.int16).max:
            raise ValueError("signals.max_millivolts can be 32 at most: signals are kept as int16 microvolts.")
        return limits


class Records(Protocol):
    """Recordings by number, whatever they lie in; `names` are their paths."""

    @property
    def names(self) -> list[str]: ...

    def __len__(self) -> int: ...

    def part(self, first: int, last: int) -> Records: ...

    def stamp(self) -> list[object]: ...

    def views(self, limits: Limits) -> list[FloatArray | ECGError]:
        """The view (uV) of the first 10 s of each, or the reason why it is left out."""
        ...


class WfdbRecords(Records, Protocol):
    """WFDB records of format 16; `names` are their paths without extension."""

    def read(self, record: int) -> tuple[bytes, bytes]:
        """The bytes of .hea and .dat. Raises ECGError."""
        ...


@dataclass(frozen=True)
class RecordFiles:
    """WFDB records as files below `folder`; see `archive.ZippedRecords` for the same in a zip."""

    folder: str
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def part(self, first: int, last: int) -> RecordFiles:
        return RecordFiles(self.folder, self.names[first:last])

    def stamp(self) -> list[object]:
        """Changes when a record has changed."""
        stamps: list[object] = []
        for name in self.names:
            try:
                stat = os.stat(os.path.join(self.folder, f"{name}.dat"))
                stamps.append([stat.st_size, stat.st_mtime_ns])
            except OSError:
                stamps.append(None)
        return stamps

    def read(self, record: int) -> tuple[bytes, bytes]:
        """The bytes of .hea and .dat. Raises ECGError."""
        found = []
        for suffix, kind in ((".hea", "header"), (".dat", "signal")):
            try:
                with open(os.path.join(self.folder, self.names[record] + suffix), "rb") as file:
                    if os.fstat(file.fileno()).st_size > LARGEST:
                        raise ECGError(f"{kind} file too large")
                    found.append(file.read())
            except OSError:
                raise ECGError(f"no {kind} file") from None
        return found[0], found[1]

    def views(self, limits: Limits) -> list[FloatArray | ECGError]:
        return wfdb_views(self, limits)


def longest_gap(signal: npt.NDArray[np.floating]) -> int:
    """Length (samples) of the longest stretch without a sample in any lead."""
    missing = np.pad(~np.isfinite(signal), ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(missing.ravel())
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return int((ends - starts).max(initial=0))


def view_of(ecg: ECG, limits: Limits) -> FloatArray:
    """The view (uV) of 10 s, with missing samples or of an unusual rate. Raises ECGError with a reason."""
    if not np.isfinite(ecg.signal).any(axis=1).all():
        raise ECGError("a lead without signal")
    if longest_gap(ecg.signal) > limits.max_gap_seconds * ecg.rate:
        raise ECGError(f"more than {limits.max_gap_seconds:g} s of samples missing")
    if (np.nanmax(ecg.signal, axis=1) - np.nanmin(ecg.signal, axis=1) < limits.flat_millivolts).any():
        raise ECGError("a lead without signal")
    return model_view(ecg)[:, :MODEL_SAMPLES] * 1000


def _extremes(raw: npt.NDArray[np.int16], largest: bool) -> npt.NDArray[np.int64]:
    """[N, channels]: smallest or largest sample. Rows of a hundred samples first, which is what makes it fast."""
    count, samples, channels = raw.shape
    find = np.max if largest else np.min
    folded = find(raw.reshape(count, samples // 100, 100 * channels), axis=1)
    return find(folded.reshape(count, 100, channels), axis=1).astype(np.int64)


def _many(layout: Layout, raw: npt.NDArray[np.int16], limits: Limits) -> list[FloatArray | ECGError]:
    """The views (uV) of records [N, 10 s, channels] with one layout, or the reasons against them."""
    order, gains = list(layout.order), np.abs(layout.gains)
    if not step_of(layout.rate):
        return [_attempt(layout, record, limits) for record in raw]
    low, high = _extremes(raw, False)[:, order], _extremes(raw, True)[:, order]
    gaps = np.any(low == MISSING, axis=1)
    flat = np.any((high - low) / gains < limits.flat_millivolts, axis=1)
    scale = (1000 / np.array(layout.gains, dtype=np.float32))[:, None]
    views = model_views(raw, layout.rate)[:, order] * scale
    return [
        _attempt(layout, raw[i], limits) if gaps[i] else ECGError("a lead without signal") if flat[i] else view
        for i, view in enumerate(views)
    ]


def _attempt(layout: Layout, raw: npt.NDArray[np.int16], limits: Limits) -> FloatArray | ECGError:
    try:
        return view_of(layout.ecg(raw), limits)
    except ECGError as error:
        return error


def wfdb_views(records: WfdbRecords, limits: Limits) -> list[FloatArray | ECGError]:
    """`Records.views` of WFDB records, many at a time."""
    found: dict[int, FloatArray | ECGError] = {}
    alike: dict[Layout, dict[int, npt.NDArray[np.int16]]] = {}
    for i, name in enumerate(records.names):
        try:
            header, content = records.read(i)
            layout = read_header(header, name.rsplit("/", 1)[-1])
            raw = samples_of(layout, content)[: round(MODEL_SECONDS * layout.rate)]
            if len(raw) < MODEL_SECONDS * layout.rate:
                raise ECGError("shorter than 10 s")
            alike.setdefault(layout, {})[i] = raw
        except ECGError as error:
            found[i] = error
    for layout, group in alike.items():
        numbers = list(group)
        for batch in (numbers[i : i + BATCH] for i in range(0, len(numbers), BATCH)):
            found.update(zip(batch, _many(layout, np.stack([group[i] for i in batch]), limits), strict=True))
    return [found[i] for i in range(len(records))]


def convert(records: Records, limits: Limits) -> tuple[bytes, list[str]]:
    """The first 10 s of the usable records as int16 [12, 1000] uV as the model sees them, one after another; and for
    each record "" or the reason why it is left out."""
    data, reasons = [], []
    for view in records.views(limits):
        if not isinstance(view, ECGError) and np.abs(view).max() > limits.max_millivolts * 1000:
            view = ECGError(f"amplitude beyond {limits.max_millivolts:g} mV")
        if isinstance(view, ECGError):
            reasons.append(str(view))
        else:
            data.append(np.rint(view).astype("<i2").tobytes())
            reasons.append("")
    return b"".join(data), reasons


@contextmanager
def _converted(chunks: Iterable[Records], limits: Limits, workers: int) -> Iterator[Iterator[tuple[bytes, list[str]]]]:
    if workers <= 1:
        yield starmap(convert, ((chunk, limits) for chunk in chunks))
        return
    # Each worker fills a core by itself; set before they start, because BLAS reads it when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool.map(partial(convert, limits=limits), chunks)
    except BrokenProcessPool:
        raise ValueError(
            "A worker process was ended (out of memory?). Started again, it goes on where it was."
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def convert_all(records: Records, out: Path, limits: Limits, workers: int) -> list[str]:
    """Write OUT/signals.i16 with every usable record in order; per record "" or the reason why it was left out.

    Progress is kept in OUT/signals.progress: killed at any moment and started again with the same, unchanged records,
    it goes on after the last chunk that was noted, and the bytes are those of an uninterrupted run. Raises ValueError
    when a worker was killed.
    """
    key = hashlib.sha256(json.dumps([records.names, records.stamp(), limits, CHUNK, SHAPE]).encode()).hexdigest()
    noted, progress = out / "signals.i16", out / "signals.progress"
    reasons: list[str] = []
    lines = progress.read_text().splitlines(keepends=True) if progress.is_file() else []
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    if whole and whole[0] == key and noted.is_file():
        for entry in whole[1:]:
            reasons += entry
        if noted.stat().st_size < reasons.count("") * ECG_BYTES:
            reasons = []
    if not reasons:
        progress.write_text(json.dumps(key) + "\n")
        noted.write_bytes(b"")
    elif not lines[-1].endswith("\n"):
        progress.write_text("".join(lines[:-1]))
    with noted.open("r+b") as signals, progress.open("a") as notes:
        signals.truncate(reasons.count("") * ECG_BYTES)
        signals.seek(0, 2)
        chunks = [records.part(i, i + CHUNK) for i in range(len(reasons), len(records), CHUNK)]
        with (
            tqdm(total=len(records), initial=len(reasons), unit="ECG", desc="signals") as bar,
            _converted(chunks, limits, workers if len(chunks) > 8 else 1) as done,
        ):
            for data, why in done:
                signals.write(data)
                signals.flush()
                # Noted after the bytes are out, so a note never promises bytes that are not there.
                notes.write(json.dumps(why) + "\n")
                notes.flush()
                reasons += why
                bar.update(len(why))
    return reasons
