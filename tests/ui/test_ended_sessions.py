"""A closed tab's session is gone within 30 s on a quiet server: by Streamlit's manager and a clock of ours."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ecgkt.ui import ended_sessions
from ecgkt.ui.ended_sessions import EVERY, PATIENCE, EndedSessions
from ecgkt.ui.sources import upload_limits

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


class Big:
    """Stands for an ECG in a session's state."""


def served(do: Any, tmp_path: Path) -> None:
    """Run `do(runtime)` on the event loop of a Streamlit server without its web part."""
    script = tmp_path / "app.py"
    script.write_text("")
    files = MemoryUploadedFileManager("/upload")
    upload_limits.bound(files)

    async def run() -> None:
        runtime = Runtime(
            RuntimeConfig(
                str(script),
                media_file_storage=MemoryMediaFileStorage("/media"),
                uploaded_file_manager=files,
                session_storage=MemorySessionStorage(ttl_seconds=30),
            )
        )
        await runtime.start()
        try:
            await do(runtime)
        finally:
            runtime.stop()
            await runtime.stopped
            Runtime._instance = None

    asyncio.run(run())


def joined(runtime: Any) -> str:
    client: Any = SimpleNamespace(write_forward_msg=lambda msg: None)
    return runtime.connect_session(client=client, user_info={})


def test_a_closed_tab_leaves_nothing_within_thirty_seconds(tmp_path: Path) -> None:
    assert PATIENCE + EVERY <= 30
    now = [0.0]

    async def do(runtime: Any) -> None:
        ended = EndedSessions(runtime, clock=lambda: now[0])
        key, other = joined(runtime), joined(runtime)
        session = runtime._session_mgr.get_session_info(key).session
        session.session_state["ecg"] = big = Big()
        gone = weakref.ref(big)
        for each in (key, other):
            runtime.uploaded_file_mgr.add_file(each, UploadedFileRec("a", "name", "", b"x" * 1000))
        del session, big
        runtime.disconnect_session(key)
        ended.sweep()
        assert gone() is not None, "a reload needs it for a moment"
        now[0] = PATIENCE + EVERY
        assert ended.sweep() == 1
        assert gone() is None
        assert list(runtime.uploaded_file_mgr.file_storage) == [other]
        assert runtime.is_active_session(other)

    served(do, tmp_path)


def test_a_session_that_comes_back_is_kept(tmp_path: Path) -> None:
    now = [0.0]

    async def do(runtime: Any) -> None:
        ended = EndedSessions(runtime, clock=lambda: now[0])
        key = joined(runtime)
        runtime.disconnect_session(key)
        ended.sweep()
        client: Any = SimpleNamespace(write_forward_msg=lambda msg: None)
        assert runtime.connect_session(client=client, user_info={}, existing_session_id=key) == key
        now[0] = 1000
        assert ended.sweep() == 0
        runtime.disconnect_session(key)  # the clock begins anew
        assert ended.sweep() == 0
        now[0] += PATIENCE
        assert ended.sweep() == 1

    served(do, tmp_path)


def test_a_file_that_arrives_after_its_tab_was_closed_is_dropped(tmp_path: Path) -> None:
    async def do(runtime: Any) -> None:
        ended = EndedSessions(runtime)
        key = joined(runtime)
        runtime.close_session(key)
        runtime.uploaded_file_mgr.add_file(key, UploadedFileRec("a", "name", "", b"x"))
        ended.sweep()
        assert not runtime.uploaded_file_mgr.file_storage

    served(do, tmp_path)


def test_streamlits_storage_overflowing_drops_no_files_unseen(tmp_path: Path) -> None:
    """It keeps 128 closed sessions; those it drops for the next are closed too."""

    async def do(runtime: Any) -> None:
        ended = EndedSessions(runtime, clock=lambda: 0.0)
        for _ in range(3):
            for key in [joined(runtime) for _ in range(60)]:
                runtime.uploaded_file_mgr.add_file(key, UploadedFileRec("a", "name", "", b"x"))
                runtime.disconnect_session(key)
            ended.sweep()
        gc.collect()
        ended.sweep()
        assert len(runtime.uploaded_file_mgr.file_storage) <= 128

    served(do, tmp_path)


def test_the_server_looks_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_sessions, "EVERY", 0.01)
    monkeypatch.setattr(ended_sessions, "PATIENCE", 0.02)

    async def do(runtime: Any) -> None:
        watching = asyncio.create_task(ended_sessions.watch(runtime))
        key = joined(runtime)
        runtime.handle_backmsg(key, BackMsg(rerun_script={}))
        runtime.disconnect_session(key)
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not runtime._session_mgr.list_sessions():
                break
        assert not runtime._session_mgr.list_sessions()
        assert not watching.done()
        watching.cancel()

    served(do, tmp_path)
