"""MIMIC-IV-ECG in the zip that PhysioNet gives out, read in place: unpacked, its 800,000 records take 90 GB.

The central directory is read once, by the parent process; a worker is told where in the file its records lie. Python's
zipfile would keep an object of about 1 kB for each of the 1.6 million entries, in every process. Nothing is ever
written to a path that stands in the zip. Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from isal import isal_zlib  # inflates more than twice as fast as zlib

from ecgkt.ecg import ECGError, FloatArray
from training.cohort.signals.convert import Limits, wfdb_views
from training.cohort.signals.wfdb16 import LARGEST

_END, _END64, _LOCATOR = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_CENTRAL, _LOCAL = struct.Struct("<4s4H4L5H2L"), struct.Struct("<4s5H3L2H")
_IN_EXTRA = 0xFFFFFFFF  # the 32-bit field is too small, the number stands in the zip64 extra field
_ENCRYPTED = 1
_STORED, _DEFLATED = 0, 8


class Entry(NamedTuple):
    """Where a file lies in the zip: offset of its local header, bytes packed and unpacked, method, CRC-32."""

    offset: int
    packed: int
    size: int
    method: int
    crc: int


ABSENT = Entry(-1, 0, 0, 0, 0)


def entries(file: Path) -> Iterator[tuple[str, Entry]]:
    """Name and place of all files in a zip. Raises ValueError for a file that is no whole zip."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            at, end = _directory(content)
            while at < end:
                fields = _CENTRAL.unpack_from(content, at)
                mark, _, _, flags, method, _, crc, packed, size, name, extra, comment, *_, offset = fields
                if mark != b"PK\1\2":
                    raise ValueError
                at += _CENTRAL.size
                label = content[at : at + name].decode("utf-8", "replace")
                at += name
                if _IN_EXTRA in (size, packed, offset):
                    size, packed, offset = _zip64(content[at : at + extra], size, packed, offset)
                at += extra + comment
                yield label, Entry(offset, packed, size, -1 if flags & _ENCRYPTED else method, crc)
        except (ValueError, struct.error):
            raise ValueError(f"{file.name} is not a complete zip file; was the download cut off?") from None


def _directory(content: mmap.mmap) -> tuple[int, int]:
    """Start and end of the central directory."""
    end = content.rfind(b"PK\5\6", max(0, len(content) - _END.size - 0xFFFF))
    if end < 0:
        raise ValueError
    *_, size, offset, _ = _END.unpack_from(content, end)
    if end >= _LOCATOR.size:
        mark, _, place, _ = _LOCATOR.unpack_from(content, end - _LOCATOR.size)
        if mark == b"PK\6\7":
            mark, *_, size, offset = _END64.unpack_from(content, place)
            if mark != b"PK\6\6":
                raise ValueError
    return offset, offset + size


def _zip64(extra: bytes, *numbers: int) -> list[int]:
    """`numbers` with those that did not fit replaced from the zip64 extra field, which holds them in this order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            large = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            return [next(large, -1) if number == _IN_EXTRA else number for number in numbers]
        at += 4 + length
    raise ValueError


@cache
def _opened(file: str) -> int:
    """One descriptor for each process: reads are by position, so nothing is shared through a fork or a pickle."""
    return os.open(file, os.O_RDONLY)


def _packed(file: str, entry: Entry) -> bytes:
    local = os.pread(_opened(file), _LOCAL.size, entry.offset)
    if len(local) < _LOCAL.size or local[:4] != b"PK\3\4":
        raise ECGError("damaged in the zip")
    *_, name, extra = _LOCAL.unpack(local)
    return os.pread(_opened(file), entry.packed, entry.offset + _LOCAL.size + name + extra)


def read(file: str, entry: Entry, largest: int = LARGEST) -> bytes:
    """The bytes of one entry, checked by length and CRC. Raises ECGError for one that is damaged or too large."""
    if entry.size > largest or entry.packed > largest or entry.method not in (_STORED, _DEFLATED):
        raise ECGError("damaged in the zip")
    content = _packed(file, entry)
    if entry.method == _DEFLATED:
        try:
            # At most one byte more than it should be, so that a bomb is noticed before it is unpacked.
            content = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS).decompress(content, entry.size + 1)
        except isal_zlib.error:  # type: ignore[misc]
            raise ECGError("damaged in the zip") from None
    if len(content) != entry.size or isal_zlib.crc32(content) != entry.crc:
        raise ECGError("damaged in the zip")
    return content


@dataclass(frozen=True)
class ZippedRecords:
    """WFDB records in a zip. names: of each record; places: [N, 2 (.hea, .dat), 5] int64, `Entry` by `Entry`."""

    file: str
    names: list[str]
    places: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def part(self, first: int, last: int) -> ZippedRecords:
        return ZippedRecords(self.file, self.names[first:last], self.places[first:last])

    def stamp(self) -> list[object]:
        """Changes when a record may have changed."""
        stat = os.stat(self.file)
        return [stat.st_size, stat.st_mtime_ns]

    def read(self, record: int) -> tuple[bytes, bytes]:
        """The bytes of .hea and .dat. Raises ECGError."""
        header, signal = (Entry(*map(int, place)) for place in self.places[record])
        if header == ABSENT or signal == ABSENT:
            raise ECGError("no header file" if header == ABSENT else "no signal file")
        return read(self.file, header), read(self.file, signal)

    def views(self, limits: Limits) -> list[FloatArray | ECGError]:
        return wfdb_views(self, limits)


def zipped_records(file: Path, folder: str, paths: Sequence[str]) -> ZippedRecords:
    """The records `paths` (without extension) below `folder` ("name/" or "") of a zip."""
    number = {path: i for i, path in enumerate(paths)}
    places = np.empty((len(paths), 2, len(ABSENT)), dtype=np.int64)
    places[:] = ABSENT
    for name, entry in entries(file):
        kind = {".hea": 0, ".dat": 1}.get(name[-4:])
        if kind is not None and name.startswith(folder) and (record := number.get(name[len(folder) : -4])) is not None:
            places[record, kind] = entry
    # A path that is listed twice has been found once.
    return ZippedRecords(str(file), list(paths), places[[number[path] for path in paths]])


def extract(file: Path, entry: Entry, to: Path) -> Path:
    """Unpack one entry into the file `to`. Raises ValueError if it is damaged."""
    part = to.with_name(to.name + ".part")
    try:
        part.write_bytes(read(str(file), entry, largest=2**31))
    except ECGError:
        raise ValueError(f"{file.name} is damaged where {to.name} should be.") from None
    return part.replace(to)
