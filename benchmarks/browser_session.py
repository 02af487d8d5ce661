"""What a browser tab says to a Streamlit server and hears of it, without the browser: the websocket's messages, and
files sent by HTTP. For load and privacy measurements on loopback.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode
from urllib.request import urlopen

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # s; an answer that takes longer is an error
ENDED = {
    ForwardMsg.FINISHED_SUCCESSFULLY: True,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY: True,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR: False,
}


class Server:
    """The dashboard of a checkout on a free port, as `make app` starts it; stopped on leaving."""

    def __init__(self, root: Path = ROOT, log: IO[bytes] | None = None, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ECGKT_")}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1"]
        command += ["--server.port", str(self.port)]
        out = subprocess.DEVNULL if log is None else log
        self.process = subprocess.Popen(command, cwd=root, env={**clean, **environment}, stdout=out, stderr=out)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        for _ in range(600):
            try:
                with urlopen(f"http://{self.address}/_stcore/health", timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("The server did not start within a minute.")

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(20)

    def processor_seconds(self) -> float:
        """Used by the server so far, of all its threads."""
        # The clock of another process as clock_getcpuclockid(3) names it, in ns; /proc counts in steps of 10 ms.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def memory(self) -> int:
        """Bytes resident."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Tab:
    """One tab: `await opened(...)`, then press and choose; `frames` has what came since the last question."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.frames: list[bytes] = []
        self.keep_frames = False
        self.charts: dict[str, Any] = {}  # by the widget's key: the figure as it was sent
        self.widgets: dict[str, str] = {}  # id -> fragment that it stands in
        self.errors: list[str] = []
        self.query = ""
        self._states: dict[str, WidgetState] = {}
        self._page = self._session = ""
        self._socket: ClientConnection

    async def open(self, page: str = "", **parameters: str) -> float:
        """Connect and ask for a page; s until it stood there."""
        self._http = requests.Session()
        await asyncio.to_thread(self._http.get, f"http://{self.address}/_stcore/health", timeout=PATIENCE)
        self._token = self._http.cookies.get("_streamlit_xsrf") or ""
        headers = {"Cookie": f"_streamlit_xsrf={self._token}"} if self._token else {}
        self._socket = await connect(
            f"ws://{self.address}/_stcore/stream",
            subprotocols=["streamlit", self._token or "PLACEHOLDER"],  # type: ignore[list-item]
            additional_headers=headers,
            origin=f"http://{self.address}",  # type: ignore[arg-type]
            max_size=None,
            open_timeout=PATIENCE,
            ping_timeout=PATIENCE,
        )
        self.query = urlencode(parameters)
        began = time.monotonic()
        message = self._asking()
        message.rerun_script.page_name = page
        await self._send(message)
        return time.monotonic() - began

    async def press(self, key: str) -> float:
        """Press the button with this key (or the first whose key begins so); s until the answer was complete."""
        number, fragment = self._find(key)
        return await self._rerun(WidgetState(id=number, trigger_value=True), fragment)

    async def choose_text(self, key: str, value: str) -> float:
        number, fragment = self._find(key)
        state = WidgetState(id=number, string_value=value)
        self._states[number] = state
        return await self._rerun(None, fragment)

    async def again(self) -> float:
        """The whole page anew, as after a press of R."""
        return await self._rerun(None, "")

    async def upload(self, key: str, files: Mapping[str, bytes]) -> float:
        number, fragment = self._find(key)
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.session_id = self._session
        message.file_urls_request.file_names.extend(files)
        await self._socket.send(message.SerializeToString())
        while True:
            answer = await self._next()
            if answer.WhichOneof("type") == "file_urls_response":
                break
        state = self._states.setdefault(number, WidgetState(id=number))
        for urls, (name, content) in zip(answer.file_urls_response.file_urls, files.items(), strict=True):
            sent = await asyncio.to_thread(
                self._http.put,
                f"http://{self.address}{urls.upload_url}",
                files={name: (name, content)},
                headers={"X-Xsrftoken": self._token},
                timeout=PATIENCE,
            )
            if sent.status_code != 204:
                self.errors.append(f"upload: {sent.status_code}")
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.file_id, info.name, info.size = urls.file_id, name, len(content)
            info.file_urls.CopyFrom(urls)
        return await self._rerun(None, fragment)

    async def fetch(self, key: str) -> bytes:
        """The file behind a download button whose content is made when it is pressed."""
        return await self.get(await self.make(key))

    async def make(self, key: str) -> str:
        """Press such a button; the address on the server where the file can be fetched."""
        number = next(path for path in self._deferred if path.startswith(key))
        message = BackMsg()
        request = message.backend_operation_request
        request.request_id, request.session_id = "d", self._session
        request.deferred_file.file_id = self._deferred[number]
        await self._socket.send(message.SerializeToString())
        while True:
            answer = await self._next()
            if answer.WhichOneof("type") == "backend_operation_response":
                break
        response = answer.backend_operation_response
        if response.error_msg:
            raise RuntimeError(response.error_msg)
        return str(response.deferred_file.url)

    async def get(self, address: str) -> bytes:
        answer = await asyncio.to_thread(self._http.get, f"http://{self.address}{address}", timeout=PATIENCE)
        answer.raise_for_status()
        return bytes(answer.content)

    async def close(self) -> None:
        await self._socket.close()
        self._http.close()

    # ---- the protocol ------------------------------------------------------------------------------------------

    _deferred: dict[str, str]

    def _find(self, key: str) -> tuple[str, str]:
        """(id, fragment) of the widget with that key; Streamlit's ids end in their keys."""
        exact = [each for each in self.widgets if each.endswith(f"-{key}")]
        found = exact or [each for each in self.widgets if re.search(f"-{re.escape(key)}[^-]*", each)]
        if not found:
            raise KeyError(key)
        return found[-1], self.widgets[found[-1]]

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys of the widgets on the page that begin so."""
        return [each[at.start() + 1 :] for each in self.widgets if (at := re.search(f"-{re.escape(prefix)}", each))]

    def _asking(self) -> BackMsg:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self._page
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"http://{self.address}/"
        state.context_info.color_scheme = "light"
        state.widget_states.widgets.extend(self._states.values())
        return message

    async def _rerun(self, trigger: WidgetState | None, fragment: str) -> float:
        message = self._asking()
        if trigger is not None:
            message.rerun_script.widget_states.widgets.append(trigger)
        message.rerun_script.fragment_id = fragment
        began = time.monotonic()
        await self._send(message)
        return time.monotonic() - began

    async def _send(self, message: BackMsg) -> None:
        self.frames.clear()
        await self._socket.send(message.SerializeToString())
        while True:
            answer = await self._next()
            if answer.WhichOneof("type") == "script_finished" and answer.script_finished in ENDED:
                if not ENDED[answer.script_finished]:
                    self.errors.append("the page does not compile")
                return

    async def _next(self) -> ForwardMsg:
        raw = await asyncio.wait_for(self._socket.recv(), PATIENCE)
        assert isinstance(raw, bytes)
        if self.keep_frames:
            self.frames.append(raw)
        message = ForwardMsg.FromString(raw)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id or self._session
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self.widgets, self._deferred = {}, {}
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._element(message.delta.new_element, message.delta.fragment_id)
        return message

    def _element(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(element.exception.message)
            return
        part = getattr(element, kind)
        number = getattr(part, "id", "")
        if number:
            self.widgets[number] = fragment
        if kind == "plotly_chart":
            self.charts[number.rsplit("-ecg-", 1)[-1] if "-ecg-" in number else number] = part.spec
        if kind == "download_button" and part.deferred_file_id:
            self._deferred[number.rsplit("-", 1)[-1]] = part.deferred_file_id

    def sheet(self) -> dict[str, list[float]]:
        """Lead -> what the sheet's chart draws of it."""
        figure = json.loads(self.charts["sheet"])
        return {trace["name"]: trace["y"] for trace in figure["data"] if trace.get("name")}
