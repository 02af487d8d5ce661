"""Tabs that are closed in the middle of an upload: the server goes on, and nothing of theirs stays."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.browser_session import ROOT, Server, Tab
from ecgkt.ui.ended_sessions import EVERY, PATIENCE
from tests.readers.written_files import BY_FORMAT, counts

pytestmark = pytest.mark.slow
TABS = 12
BODY = 15 * 2**20  # bytes that are announced, of which half are sent
MORE = 40 * 2**20  # bytes that the server may hold beyond what it held before; what was sent comes to 90 MB


async def _address(tab: Tab, name: str) -> str:
    """Where a file of that name is to be sent."""
    message = BackMsg()
    message.file_urls_request.request_id, message.file_urls_request.session_id = "1", tab._session
    message.file_urls_request.file_names.append(name)
    await tab._socket.send(message.SerializeToString())
    while True:
        answer = await tab._next()
        if answer.WhichOneof("type") == "file_urls_response":
            return str(answer.file_urls_response.file_urls[0].upload_url)


async def _half_a_file(server: Server) -> None:
    """The browser is gone when half of the body was sent."""
    tab = Tab(server.address)
    await tab.open("upload")
    path = await _address(tab, "a.xml")
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: {server.address}\r\nCookie: _streamlit_xsrf={tab._token}\r\n"
        f"X-Xsrftoken: {tab._token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {BODY}\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="a.xml"; filename="a.xml"\r\n\r\n'
    )
    with socket.create_connection((server.address.split(":")[0], server.port)) as line:
        await asyncio.to_thread(line.sendall, head.encode() + bytes(BODY // 2))
        await tab.close()


async def _while_it_is_read(server: Server) -> None:
    """The browser is gone when the file has been sent and the page asked for."""
    tab = Tab(server.address)
    await tab.open("upload")
    asked = asyncio.create_task(tab.upload("upload", {"a.xml": BY_FORMAT["GE MUSE XML"](counts(120_000))}))
    await asyncio.sleep(0.3)
    asked.cancel()
    await tab.close()


def _children(server: Server) -> list[str]:
    """Processes of the server, by their command lines."""
    found = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    return [child for each in found for child in each.read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells memory and processes")
def test_nothing_stays_of_tabs_closed_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    with Server(ROOT, TMPDIR=str(tmp_path)) as server:

        async def visits() -> None:
            for number in range(TABS):
                await (_half_a_file(server) if number % 2 else _while_it_is_read(server))

        async def whole() -> Tab:
            tab = Tab(server.address)
            await tab.open("upload")
            await tab.upload("upload", {"a.xml": BY_FORMAT["GE MUSE XML"](counts(5000))})
            await tab.close()
            return tab

        asyncio.run(whole())
        time.sleep(PATIENCE + 2 * EVERY)
        before, children = server.memory(), len(_children(server))
        asyncio.run(visits())
        assert "sheet" in asyncio.run(whole()).charts  # others are served meanwhile
        time.sleep(PATIENCE + 2 * EVERY)
        assert server.memory() - before < MORE
        assert len(_children(server)) == children
        assert not list(tmp_path.glob("ecgkt-*"))
