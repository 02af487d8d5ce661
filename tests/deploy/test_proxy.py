"""deploy/nginx.conf in front of two processes: both serve, a visitor stays with one, headers stand, doors are shut."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit

from tests.deploy.serving import HOST, ROOT, Proxied, proxied, trusting

pytestmark = pytest.mark.slow

STREAM = "/_stcore/stream"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def proxy(folder: Path) -> Iterator[Proxied]:
    with proxied(folder) as made:
        yield made


class _Connection(http.client.HTTPSConnection):
    """To the proxy, by the name that its certificate has."""

    def __init__(self, proxy: Proxied, folder: Path) -> None:
        self._trusting = trusting(folder)
        super().__init__(HOST, proxy.port, timeout=30, context=self._trusting)

    def connect(self) -> None:
        self.sock = self._trusting.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), self.timeout), server_hostname=HOST
        )


def _get(proxy: Proxied, folder: Path, path: str = "/", cookie: str = "", **headers: str) -> Any:
    connection = _Connection(proxy, folder)
    connection.request("GET", path, headers={"Host": HOST, **({"Cookie": cookie} if cookie else {}), **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def _cookie(answer: Any) -> str:
    (cookie,) = [each for each in answer.headers.get_all("Set-Cookie") if each.startswith("ecgkt_process=")]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    return str(cookie.split(";")[0])


def _websocket(proxy: Proxied, folder: Path, cookie: str, host: str = HOST, origin: str = "") -> Any:
    websocket = pytest.importorskip("websocket", reason="websocket-client, which selenium brings, is not installed")
    raw = trusting(folder).wrap_socket(socket.create_connection(("127.0.0.1", proxy.port), 30), server_hostname=HOST)
    return websocket.create_connection(
        f"wss://{host}{STREAM}", socket=raw, cookie=cookie, origin=origin or f"https://{HOST}", timeout=30,
        subprotocols=["streamlit"],
    )  # fmt: skip


def test_both_processes_serve_and_a_visitor_stays_with_one(proxy: Proxied, folder: Path) -> None:
    visitors = [_cookie(_get(proxy, folder)) for _ in range(16)]
    for visitor in visitors:
        for path in ("/favicon.png", "/_stcore/host-config"):
            assert _get(proxy, folder, path, visitor).status == 200
    paths = ("/", "/favicon.png", "/_stcore/host-config")
    for _ in range(100):  # an answer is logged after it was sent
        answered = {path: proxy.upstreams(path)[-16:] for path in paths}
        if all(len(found) == 16 for found in answered.values()):
            break
        time.sleep(0.05)
    assert set(answered["/"]) == set(proxy.processes)
    assert answered["/"] == answered["/favicon.png"] == answered["/_stcore/host-config"]


def test_the_websocket_goes_through_to_the_visitors_own_process(proxy: Proxied, folder: Path) -> None:
    for _ in range(4):
        visitor = _cookie(_get(proxy, folder))
        stream = _websocket(proxy, folder, visitor)
        assert stream.connected
        stream.close()
    # A stream is logged when it ends, which is soon but not at once.
    for _ in range(100):
        if len(proxy.upstreams(STREAM)) >= 4:
            break
        _get(proxy, folder, "/_stcore/health")
    assert proxy.upstreams(STREAM)[-4:] == proxy.upstreams("/")[-4:]


def test_a_stream_from_another_page_is_refused(proxy: Proxied, folder: Path) -> None:
    websocket = pytest.importorskip("websocket", reason="websocket-client, which selenium brings, is not installed")
    visitor = _cookie(_get(proxy, folder))
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        _websocket(proxy, folder, visitor, origin="https://evil.example.com")


def test_headers_stand_on_pages_and_on_errors(proxy: Proxied, folder: Path) -> None:
    for path in ("/", "/_stcore/metrics"):
        headers = _get(proxy, folder, path).headers
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "nginx/" not in headers["Server"]


def test_doors_that_are_shut(proxy: Proxied, folder: Path) -> None:
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"):
        assert _get(proxy, folder, path).status == 404
        direct = http.client.HTTPConnection(proxy.processes[0], timeout=30)
        direct.request("GET", path)
        assert direct.getresponse().status == 404  # by the dashboard itself, too
    plain = http.client.HTTPConnection("127.0.0.1", proxy.plain_port, timeout=30)
    plain.request("GET", "/upload", headers={"Host": HOST})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/upload")
    with pytest.raises((http.client.RemoteDisconnected, ssl.SSLError, ConnectionError)):
        _get(proxy, folder, Host="another.example.org")


def test_the_policy_names_the_script_of_the_installed_streamlit() -> None:
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = (ROOT / "deploy" / "nginx.conf").read_text()
    assert scripts
    for script in scripts:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
