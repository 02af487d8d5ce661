"""The records below a folder, and the content of one: what a batch goes through and what it knows an ECG by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecgkt.datasets.files import COMPANIONS, EXTENSIONS, is_regular, quiet, walk
from ecgkt.ecg import ECG, ECGError
from ecgkt.readers import FORMATS, MAX_FILE_BYTES, read, record_files
from ecgkt.readers.opening import content_of, open_file


@dataclass(frozen=True)
class Content:
    """One record's files as they were read.

    sha256: of their bytes, one after another, the main file first (of a record of one file: what `sha256sum` gives; of
    one that is too large, of its first 16 MB and a byte), None where not even that can be read. reason: why they cannot
    be, or "".
    """

    sha256: str | None
    files: Mapping[str, bytes]
    reason: str = ""

    def ecg(self) -> ECG:
        """Raises ECGError for what cannot be read."""
        if self.reason:
            raise ECGError(self.reason)
        return read(self.files)


def record_names(root: Path) -> Iterator[str]:
    """The main file of every record below `root`, relative to it, "/" between folders, in a fixed order.

    By extension alone, so that what cannot be read is counted and not passed over; a signal file whose header is
    nowhere near stands for itself.
    """
    inside = root.resolve()
    for file in walk(root, None):
        suffix = file.suffix.lower()
        listed = suffix in EXTENSIONS or (suffix in COMPANIONS and not _has_main(file))
        if listed and is_regular(file, inside):
            yield file.relative_to(root).as_posix()


def shown_name(name: str) -> str:
    """A file's name as text: itself, but for bytes that are no UTF-8 (an old cart's umlauts), which are spelled out,
    and for backslashes, which are doubled: no two files have one name."""
    return os.fsencode(name).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def _has_main(file: Path) -> bool:
    names = (name for form in FORMATS for name in form.main_names(file.name))
    return any(quiet((file.parent / name).is_file) for name in names)


def load(path: Path, root: Path) -> Content:
    """The files of a record, read once for both its hash and its ECG. Never raises for what a file holds. root: as
    `Path.resolve` gives it; no link out of it is followed."""
    try:
        files = record_files(path, root)
    except ECGError as error:
        return Content(_sha256_of(path, root), {}, str(error))
    digest = hashlib.sha256()
    for content in files.values():
        digest.update(content)
    return Content(digest.hexdigest(), files)


def companions(path: Path, root: Path) -> tuple[str, ...]:
    """Names of the files that the main file `path` needs beside it, as far as that can be told from it. Raises
    OSError."""
    try:
        content = content_of(path, root)
        form = next((form for form in FORMATS if form.claims(content)), None)
        return form.companions(path.name, content) if form else ()
    except ECGError:
        return ()


def _sha256_of(path: Path, root: Path) -> str | None:
    """Of the main file alone; of one that is too large to be an ECG, of its first bytes: it may have no end."""
    try:
        with open_file(path, root) as file:
            return hashlib.sha256(file.read(MAX_FILE_BYTES + 1)).hexdigest()
    except (OSError, ECGError):
        return None
