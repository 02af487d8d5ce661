"""How much may be uploaded, and letting go of a file's bytes and name as soon as it has been read.

Streamlit bounds one file (`server.maxUploadSize`), not how many there are. A file too many is kept as an empty one of
a type of its own, so that the page can say which limit it met; its bytes are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

FILES = 60  # chosen at one time in one session
SESSION_BYTES = 60 * 2**20  # not read yet, of one session
SERVER_BYTES = 400 * 2**20  # not read yet, of all sessions
SENTENCES = {
    "ecgkt/over-session": f"At most {FILES} files and {SESSION_BYTES // 2**20} MB can be uploaded in one session. "
    "What exceeds that was not kept; remove some files first.",
    "ecgkt/over-server": "Too many files are being uploaded to this server at the moment. Not all of yours were kept; "
    "remove them and try again in a minute.",
}
OVER_SESSION, OVER_SERVER = SENTENCES
OURS = "ecgkt/"  # of types that only this module gives, to files without content
TRACINGS = 64 * 2**20  # bytes of samples that were read and stay open, of one session: 280 of 10 s at 500 Hz
FULL = "It was not opened, since the tracings before it fill what one session may hold; remove some files first."
READ = "ecgkt/read"  # type of a file that was read, of which nothing is left


def bound(manager: Any) -> None:
    """Let the server's `MemoryUploadedFileManager` keep what the limits admit."""
    add = manager.add_file

    def add_bounded(session_id: str, file: UploadedFileRec) -> None:
        if file.data and file.type.startswith(OURS):  # the browser says the type, and these are not counted
            file = file._replace(type="")
        stored = {key: dict(files) for key, files in list(manager.file_storage.items())}
        for files in stored.values():
            files.pop(file.file_id, None)  # it takes this one's place
        over = _over(
            stored.get(session_id, {}).values(), [f for files in stored.values() for f in files.values()], file
        )
        add(session_id, file._replace(name="", type=over, data=b"") if over else file)

    manager.add_file = add_bounded


def _over(own: Iterable[UploadedFileRec], everybody: Iterable[UploadedFileRec], new: UploadedFileRec) -> str:
    """The limit that `new` would exceed; empty where it exceeds none."""
    own = [file for file in own if file.type not in SENTENCES]
    if len(own) >= FILES or _size(own) + len(new.data) > SESSION_BYTES:
        return OVER_SESSION
    return OVER_SERVER if _size(everybody) + len(new.data) > SERVER_BYTES else ""


def _size(files: Iterable[UploadedFileRec]) -> int:
    return sum(len(file.data) for file in files)


def refusals(files: Iterable[UploadedFile]) -> list[str]:
    """A sentence for each limit that some of `files` met."""
    types = {file.type for file in files}
    return [sentence for kind, sentence in SENTENCES.items() if kind in types]


def let_go(ids: Set[str]) -> None:
    """Keep of the files with these ids only that they were chosen: no byte and no name, on the server or in the
    session's own copies."""
    context = get_script_run_ctx()
    if context is None:
        return
    for value in st.session_state.values():
        for file in value if isinstance(value, list) else ():
            if isinstance(file, UploadedFile) and file.file_id in ids and (file.name or file.size):
                left = UploadedFileRec(file.file_id, "", READ, b"")
                context.uploaded_file_mgr.add_file(context.session_id, left)  # type: ignore[attr-defined]
                file.truncate(0)
                file.name, file.type, file.size = "", READ, 0
