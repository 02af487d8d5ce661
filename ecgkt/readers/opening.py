"""Files opened so that what is asked of a name is true of what is read.

Whoever can write to a folder can make of a file, between a question about its path and opening it, a link to somewhere
else or a pipe that keeps its reader waiting, and can go on writing while it is read. So what is asked is asked of what
was opened.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from ecgkt.ecg import ECGError
from ecgkt.readers.format import MAX_FILE_BYTES

# Not there on every system: a pipe is not waited for, no child keeps the file, and Windows translates no line ends.
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

STEPWISE = os.open in os.supports_dir_fd  # not on Windows, where links need rights of their own
WAY = getattr(os, "O_PATH", 0)  # folders on the way need not be readable, on Linux


def open_file(path: Path, within: Path | None = None) -> BinaryIO:
    """A regular file, to be read. within: a folder, as `Path.resolve` gives it, that the file must lie in, links
    followed; it is the one that was meant then, whatever became of its name.

    Raises OSError for what cannot be opened or is no file, ECGError for a link out of `within`.
    """
    descriptor = os.open(path, READ) if within is None else _open_within(path, within)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a file", str(path))
    return os.fdopen(descriptor, "rb")


def content_of(path: Path, within: Path | None = None) -> bytes:
    """All of a file of at most `MAX_FILE_BYTES`. Raises ECGError and OSError."""
    with open_file(path, within) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, MAX_FILE_BYTES) + 1)
    if max(size, len(content)) > MAX_FILE_BYTES:
        raise ECGError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.")
    if len(content) > size:
        raise ECGError("The file is being written to.")
    return content


def _open_within(path: Path, within: Path) -> int:
    """Links are followed once, to where the file is said to lie; on the way there none is any more."""
    real = path.resolve()
    if not real.is_relative_to(within):
        raise ECGError("This recording is a link that leads out of its folder.")
    if not STEPWISE:
        return os.open(real, READ)
    start = Path(real.anchor) if WAY else within
    *folders, name = real.relative_to(start).parts
    place = os.open(start, WAY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, WAY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = below
        return os.open(name, READ | os.O_NOFOLLOW, dir_fd=place)
    finally:
        os.close(place)
