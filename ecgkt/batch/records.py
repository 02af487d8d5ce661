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


@dataclass(frozen=True)
class Content:
    """One record's files as they were read. sha256: of their bytes, one after another, the main file first (of a record
    of one file: what `sha256sum` gives), None where not even that can be read. reason: why they cannot be, or ""."""

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
    """A file's name as text: itself, but for bytes that are no UTF-8 (an old cart's umlauts), which are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _has_main(file: Path) -> bool:
    names = (name for form in FORMATS for name in form.main_names(file.name))
    return any(quiet((file.parent / name).is_file) for name in names)


def load(path: Path, root: Path) -> Content:
    """The files of a record, read once for both its hash and its ECG. Never raises for what a file holds. root: no link
    out of this folder is followed."""
    try:
        files = record_files(path, root)
    except ECGError as error:
        return Content(_sha256_of(path), {}, str(error))
    digest = hashlib.sha256()
    for content in files.values():
        digest.update(content)
    return Content(digest.hexdigest(), files)


def companions(path: Path) -> tuple[str, ...]:
    """Names of the files that the main file `path` needs beside it, as far as that can be told from it."""
    content = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else b""
    form = next((form for form in FORMATS if form.claims(content)), None)
    try:
        return form.companions(path.name, content) if form else ()
    except ECGError:
        return ()


def _sha256_of(path: Path) -> str | None:
    """Of the main file alone, in pieces, since it may be too large to be an ECG."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
