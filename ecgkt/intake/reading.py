"""Every record of an upload, read one after another, as long as there is time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping

from ecgkt.ecg import ECG, ECGError
from ecgkt.intake.outcome import Outcome
from ecgkt.readers import Record, TableLayout, read_record, records

SECONDS = 2.0  # of processor time, for all that was uploaded at once
LAST_START = 1.2  # s, after which no further record is begun
READY = b"r"  # said once by the reading process, when an upload may come
TOO_MUCH = "This file took more time or memory than any ECG needs and was not read."
NOT_BEGUN = "This file was not read, since those before it took all the time that one upload has; upload it by itself."
MOST_SAMPLES = 64 * 1024 * 1024  # bytes of the tracings of one upload: 280 of 10 s at 500 Hz, 11 of the longest
FULL = "This file was not read, since the tracings before it fill what one upload may hold; upload it by itself."


def listed(files: Mapping[str, bytes]) -> tuple[list[Record], list[Outcome]]:
    """The records among uploaded files, and what there is to say of each before it is read."""
    try:
        found = records(files)
    except MemoryError:
        found = [Record(dict(files), None)]
    outcomes = []
    hashes: dict[int, bytes] = {}  # by the place in memory of a file, which many records may share
    for each in found:
        names = tuple(name for name in each.files if name in files)
        outcomes.append(Outcome(each.format_name, each.is_table, _digest(each, hashes), files=names))
    return found, outcomes


def read_each(found: list[Record], layout: TableLayout | None, begun: float) -> Iterator[ECG | str]:
    """The ECG of each record, or why there is none in one sentence. begun: processor time (s) at the upload's start."""
    held = 0
    for record in found:
        if held > MOST_SAMPLES:
            yield FULL
            continue
        if time.process_time() - begun > LAST_START:
            yield NOT_BEGUN
            continue
        try:
            ecg = read_record(record, layout)
            held += ecg.signal.nbytes
            yield ecg
        except ECGError as error:
            yield str(error)
        except MemoryError:
            yield TOO_MUCH


def _digest(record: Record, hashes: dict[int, bytes]) -> str:
    """SHA-256 over the SHA-256 of each file."""
    found = hashlib.sha256()
    for name in sorted(record.files):
        content = record.files[name]
        if id(content) not in hashes:
            hashes[id(content)] = hashlib.sha256(content).digest()
        found.update(hashes[id(content)])
    return found.hexdigest()
