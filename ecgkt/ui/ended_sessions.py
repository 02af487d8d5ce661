"""Frees what a closed tab leaves behind, by the clock.

Streamlit keeps the session of a closed tab for a reconnect (`server.disconnectedSessionTTL`), and what it kept past its
time it drops only when another session comes or goes: on a quiet server, never. So the server looks here every few
seconds and closes, as Streamlit itself would, each session that has been without its browser for `PATIENCE`.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 20.0  # s without a browser; a reload or a blink of the network is over by then
EVERY = 5.0  # s between two looks; the two together stay below 30 s


class EndedSessions:
    """The sessions of a Streamlit `Runtime` that have lost their browser, and since when they have."""

    def __init__(self, runtime: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock = runtime, clock
        self._since: dict[str, tuple[float, Any]] = {}  # by id: first seen without a browser, and the session

    def sweep(self) -> int:
        """Close what has waited long enough; the number of sessions closed. On the server's event loop only."""
        manager, now = self._runtime._session_mgr, self._clock()
        active = {info.session.id for info in manager.list_active_sessions()}
        waiting = {info.session.id: info.session for info in manager.list_sessions() if info.session.id not in active}
        for key, session in waiting.items():
            self._since.setdefault(key, (now, session))
        closed = 0
        for key, (since, session) in list(self._since.items()):
            if key in active:  # it came back
                del self._since[key]
            elif key not in waiting or now - since >= PATIENCE:  # Streamlit dropped it by itself, or its time is over
                del self._since[key]
                self._runtime.close_session(key)
                session.shutdown()
                session.session_state.clear()  # whoever still holds the session holds no ECG by it
                closed += 1
        self._forget_late_files(active | self._since.keys())
        self._runtime.media_file_mgr.remove_orphaned_files()  # what was made for a download; see `made_files`
        if closed:
            gc.collect()
            _give_back()
        return closed

    def _forget_late_files(self, known: set[str]) -> None:
        """An upload that was under way when its session was closed arrives for nobody."""
        uploads = self._runtime.uploaded_file_mgr
        for key in set(uploads.file_storage) - known:
            uploads.remove_session_files(key)


async def watch(runtime: Any) -> None:
    """Sweep for as long as the server runs."""
    ended = EndedSessions(runtime)
    while True:
        await asyncio.sleep(EVERY)
        ended.sweep()


def _give_back() -> None:
    """glibc keeps freed memory for the process unless told otherwise; other systems need no telling."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
