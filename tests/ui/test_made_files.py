"""A report made for a download outlives other people's page runs until it is fetched, and nobody's visit ends it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from benchmarks.browser_session import Server, Tab
from ecgkt.ui import ended_sessions, made_files
from ecgkt.ui.made_files import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def made(files: MediaFileManager, content: bytes = b"report") -> str:
    """The address of a file as a pressed download button makes it."""
    number = files.add_deferred(lambda: content, "application/pdf", "1.(0).2", "report.pdf")
    return files.execute_deferred(number).rsplit("/", 1)[-1].split(".", maxsplit=1)[0]


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def files(now: list[float]) -> MediaFileManager:
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    made_files.keep(manager, clock=lambda: now[0])
    return manager


def test_a_made_file_outlives_page_runs_and_is_gone_soon_after(files: MediaFileManager, now: list[float]) -> None:
    number = made(files)
    for _ in range(50):  # page runs that end elsewhere
        files.remove_orphaned_files()
    assert files.read_file(number)
    now[0] = PATIENCE
    files.remove_orphaned_files()
    assert files.read_file(number) is None
    assert PATIENCE + 3 * ended_sessions.EVERY <= 30


def test_the_same_report_made_again_is_kept_anew(files: MediaFileManager, now: list[float]) -> None:
    number = made(files)
    for _ in range(2):
        files.remove_orphaned_files()
    now[0] = PATIENCE - 1
    assert made(files) == number
    for now[0] in (PATIENCE - 1, PATIENCE, PATIENCE + 1):
        files.remove_orphaned_files()
    assert files.read_file(number)


def test_what_is_no_download_goes_at_once(files: MediaFileManager) -> None:
    files.add(b"picture", "image/png", "1.(0).2")
    (number,) = files._file_metadata
    files.clear_session_refs()
    files.remove_orphaned_files()
    assert files.read_file(number) is None
    assert not files._file_metadata


@pytest.mark.slow
def test_a_report_can_be_fetched_after_others_have_come_and_gone(tmp_path: Path) -> None:
    """In the real server, where each visit ends page runs and sessions."""

    async def visits(server: Server) -> None:
        first: Any = Tab(server.address)
        await first.open("")
        address = await first.make("report_json")
        for _ in range(2):
            other = Tab(server.address)
            await other.open("")
            await other.close()
        assert len(await first.get(address)) > 1000
        await first.close()

    with (tmp_path / "log").open("wb") as log, Server(ROOT, log) as server:
        asyncio.run(visits(server))
