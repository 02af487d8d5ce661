"""Two processes of the dashboard behind a real nginx, set up by the very files of deploy/, on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = "ecg.example.org"  # as in deploy/
PATIENCE = 300  # s, for a loaded machine


@dataclass(frozen=True)
class Proxied:
    """The proxy's ports, its access log, and the addresses of the two processes behind it."""

    port: int
    plain_port: int
    log: Path
    processes: tuple[str, str]

    def upstreams(self, path: str) -> list[str]:
        """Which process answered each request for `path`, in order."""
        return [line.split()[-1] for line in self.log.read_text().splitlines() if f' {path}"' in line]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if ready():
                return
        except OSError:
            pass
        assert process.poll() is None, "it ended before it served"
        assert time.monotonic() < until, "nothing within the time allowed"
        time.sleep(0.2)


@contextmanager
def running(command: list[str], **settings: object) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, **settings)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _dashboard(port: int, **environment: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of one process, which is told what deploy/compose.yaml tells it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ECGKT_")}
    told = {
        "STREAMLIT_SERVER_ALLOWED_HOSTS": HOST,
        "STREAMLIT_BROWSER_SERVER_ADDRESS": HOST,
        "STREAMLIT_SERVER_COOKIE_SECRET": "the same for both",
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1"]
    return [*command, "--server.port", str(port)], clean | told | environment


@contextmanager
def proxied(folder: Path, provider: str = "") -> Iterator[Proxied]:
    """provider: address of an OpenID provider, where logging in is to be required."""
    nginx, openssl = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"), shutil.which("openssl")
    if not nginx or not openssl:
        pytest.skip("nginx or openssl is not on this machine (apt-get install nginx-light)")
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={HOST}"]
    make += ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    ports = [free_port() for _ in range(4)]
    made = Proxied(ports[0], ports[1], folder / "access.log", (f"127.0.0.1:{ports[2]}", f"127.0.0.1:{ports[3]}"))
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for here, there in {
        " /tmp/": f" {folder}/",
        "listen 8443": f"listen 127.0.0.1:{made.port}",
        "listen 8080": f"listen 127.0.0.1:{made.plain_port}",
        "dashboard-1:8501": made.processes[0],
        "dashboard-2:8501": made.processes[1],
        "tls/": f"{folder}/",
        "/dev/stdout": str(made.log),
        "/dev/stderr": str(folder / "error.log"),
        "include mime.types": "include /etc/nginx/mime.types",
        "worker_processes auto": "worker_processes 1",
    }.items():
        assert here in text, f"deploy/nginx.conf no longer has {here!r}"
        text = text.replace(here, there)
    (folder / "nginx.conf").write_text(text)
    environment = _login(folder, made, provider) if provider else {}
    with ExitStack() as stack:
        servers = []
        for port in ports[2:]:
            command, told = _dashboard(port, **environment)
            servers.append(stack.enter_context(running(command, cwd=ROOT, env=told)))
        for address, process in zip(made.processes, servers, strict=True):
            wait(partial(_is_healthy, address), process)
        # Started as root, nginx would give up its rights, and with them the way into pytest's folder.
        more = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
        start = [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-g", more]
        server = stack.enter_context(running(start))
        wait(lambda: _answers(made.port), server)
        yield made


def _login(folder: Path, proxy: Proxied, provider: str) -> dict[str, str]:
    """Secrets after deploy/secrets.example.toml, and the environment that points at them."""
    text = (ROOT / "deploy" / "secrets.example.toml").read_text()
    for here, there in {
        f"https://{HOST}/": f"https://{HOST}:{proxy.port}/",
        "https://login.example.org": provider,
        "openssl rand -hex 32": "a" * 64,
    }.items():
        assert here in text, f"deploy/secrets.example.toml no longer has {here!r}"
        text = text.replace(here, there)
    (folder / "secrets.toml").write_text(text)
    return {"ECGKT_LOGIN": "required", "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml")}


def _is_healthy(address: str) -> bool:
    return bool(urlopen(f"http://{address}/_stcore/health", timeout=2).status == 200)


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 2):
        return True


def trusting(folder: Path) -> ssl.SSLContext:
    """Believes the proxy's certificate and no other."""
    return ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
