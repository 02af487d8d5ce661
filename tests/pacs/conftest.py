"""A real Orthanc with its DICOMweb plugin on a free port; skipped with a word where Debian's packages are missing."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "reader", "not a secret"
PATIENCE = 60  # s, for a loaded machine


@dataclass(frozen=True)
class Orthanc:
    """Its own address, and that of its DICOMweb service."""

    address: str

    @property
    def dicomweb(self) -> str:
        return f"{self.address}/dicom-web"

    def get(self, path: str) -> Any:
        return self.ask("get", path).json()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        answer = requests.request(method, f"{self.address}/{path}", auth=(USER, PASSWORD), timeout=PATIENCE, **more)
        answer.raise_for_status()
        return answer


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if not program or not PLUGIN.is_file():
        pytest.skip("Orthanc with its DICOMweb plugin is not on this machine (apt-get install orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("orthanc")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "StorageDirectory": str(folder / "stored"), "HttpPort": port, "DicomServerEnabled": False,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=quiet, stderr=quiet, cwd=folder)
    try:
        running, until = Orthanc(f"http://127.0.0.1:{port}"), time.monotonic() + PATIENCE
        while True:
            try:
                running.get("system")
                break
            except requests.ConnectionError:
                assert server.poll() is None, "Orthanc ended before it served"
                assert time.monotonic() < until, "Orthanc does not answer"
                time.sleep(0.2)
        yield running
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment's nor those of the developer's ~/.netrc."""
    from ecgkt.pacs import server  # needs the extra ecgkt[pacs], as whoever asks for this does

    for name in (server.USER, server.PASSWORD, server.TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
