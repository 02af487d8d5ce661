"""Which files below a folder are ECGs that can be opened without a question: every format read here but bare tables
of numbers, which do not say their rate, and zips.

Extensions say most; where another kind of file may have the same one, its first bytes decide. No signal is decoded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ecgkt.ecg import ECGError
from ecgkt.readers import FORMATS, MAX_FILE_BYTES
from ecgkt.readers.opening import open_file

COMPANIONS = frozenset({".dat", ".mat"})  # belong to a WFDB header, which is listed in their place
SURE = frozenset({".hea", ".dcm"})  # not looked into, since a folder may hold many thousands
OPEN_FORMATS = tuple(form for form in FORMATS if form.read_as is None)
EXTENSIONS = frozenset(f".{extension}" for form in OPEN_FORMATS for extension in form.extensions) - COMPANIONS
HEAD = 1024  # bytes that tell a binary format
XML_HEAD = 64 * 1024  # an XML file may open with a page of comments
MOST_ENTRIES = 1_000_000  # files that are passed on the way
MOST_FOLDERS = 100_000
MOST_OPENED = 20_000  # files whose first bytes are read


@dataclass
class LeftOut:
    """What of a folder is not shown because it cannot be opened: how many folders, files, lines of its tables. is_cut:
    does it hold more than is listed?"""

    folders: int = 0
    files: int = 0
    lines: int = 0
    is_cut: bool = False

    def line(self) -> None:
        self.lines += 1

    def sentences(self) -> tuple[str, ...]:
        """For the one who opened it; none where nothing was left out. No name is told."""
        said = []
        for count, one, several, why in (
            (self.folders, "folder", "folders", "cannot be opened"),
            (self.files, "file", "files", "cannot be opened"),
            (self.lines, "line of its table", "lines of its tables", "cannot be read"),
        ):
            if count:
                what = f"{count:,} {one if count == 1 else several} {why}"
                said.append(f"{what} and {'is' if count == 1 else 'are'} left out.")
        if self.is_cut:
            said.append("The folder holds more than is listed here.")
        return tuple(said)


def ecg_files(
    root: Path,
    most: int,
    extensions: frozenset[str] = EXTENSIONS,
    skip: Path | None = None,
    left_out: LeftOut | None = None,
) -> list[Path]:
    """The first `most` ECG files anywhere below `root`, sorted, each standing for a record.

    Hidden files and folders, the folder `skip`, and links that lead out of `root` are left out; folders that are links
    are never followed. What cannot be opened is left out, too, and counted in `left_out`.
    """
    left_out = left_out or LeftOut()
    found: list[Path] = []
    opened = 0
    inside = root.resolve()
    for number, file in enumerate(walk(root, skip, left_out, MOST_FOLDERS)):
        if len(found) == most or opened == MOST_OPENED or number == MOST_ENTRIES:
            left_out.is_cut = True
            break
        suffix = file.suffix.lower()
        if suffix not in extensions or not is_regular(file, inside):
            continue
        if suffix not in SURE:
            opened += 1
            try:
                if not _claimed(file, suffix, inside):
                    continue
            except (OSError, ECGError):
                left_out.files += 1
                continue
        found.append(file)
    return sorted(found)


def walk(
    root: Path, skip: Path | None, left_out: LeftOut | None = None, most_folders: int | None = None
) -> Iterator[Path]:
    """Files below `root`, folder by folder, each sorted; nothing of a folder that cannot be opened."""

    def closed(error: OSError) -> None:
        if left_out is not None:
            left_out.folders += 1

    for number, (place, folders, files) in enumerate(os.walk(root, onerror=closed)):
        if number == most_folders:
            if left_out is not None:
                left_out.is_cut = True
            return
        folder = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and folder / name != skip)
        yield from (folder / name for name in sorted(files) if not name.startswith("."))


def is_regular(file: Path, inside: Path) -> bool:
    """A file, not a pipe or a device, and if it is a link one that stays inside."""
    return quiet(lambda: file.is_file() and (not file.is_symlink() or file.resolve().is_relative_to(inside)))


def quiet(question: Callable[[], bool]) -> bool:
    """The answer to a question about a path; no where the path itself is at fault (a link to itself, a folder without
    permission, a name too long or with a null character)."""
    try:
        return question()
    except (OSError, RuntimeError, ValueError):
        return False


def leads_out(file: Path, root: Path) -> bool:
    """Does the file lie outside of `root`, links followed?"""
    return not file.resolve().is_relative_to(root.resolve())


def _claimed(file: Path, suffix: str, root: Path) -> bool:
    """Do the first bytes belong to a format of that extension, and would the file be read? Raises OSError, and ECGError
    for a link out of `root`."""
    with open_file(file, root) as opened:
        if os.fstat(opened.fileno()).st_size > MAX_FILE_BYTES:
            return False
        head = opened.read(XML_HEAD if suffix == ".xml" else HEAD)
    return any(form.claims(head) for form in OPEN_FORMATS if suffix.removeprefix(".") in form.extensions)
