"""Reports made for a download button stay until the browser has fetched them, and not much longer.

Streamlit ties no such file to the session that asked for it: the second page run that ends anywhere on the server drops
it, often before the browser comes for it, and where nobody else runs a page it stays for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from streamlit.runtime.media_file_storage import MediaFileKind

PATIENCE = 10.0  # s from when Streamlit would drop a file; a browser asks for it at once


def keep(files: Any, clock: Callable[[], float] = time.monotonic) -> None:
    """Have a `MediaFileManager` wait for `PATIENCE` before it deletes what was made for a download.

    It marks such a file at the first look of `remove_orphaned_files` and deletes it at the second, so a file
    is gone within `PATIENCE` and three looks, which `ended_sessions` takes by the clock.
    """
    delete = files._delete_file
    asked: dict[str, tuple[float, Any]] = {}  # by id: since when it is to be deleted, and the file; ids come again

    def later(file_id: str) -> None:
        file, now = files._file_metadata[file_id], clock()
        if file.kind == MediaFileKind.DOWNLOADABLE:
            since, known = asked.get(file_id, (now, None))
            if known is not file:
                asked[file_id] = (now, file)
                return
            if now - since < PATIENCE:
                return
            del asked[file_id]
        delete(file_id)

    files._delete_file = later
