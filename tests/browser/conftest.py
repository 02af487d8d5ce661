"""The dashboard on a free port, and Debian's Chromium to look at it; skipped with a word where one is missing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.browser.looking import wait

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Paths of the browser and of its driver."""
    pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium or chromedriver is not on this machine")
    return chromium, driver


@pytest.fixture(scope="session")
def address(chromium: tuple[str, str]) -> Iterator[str]:
    """The dashboard, served on a free port: one for all files, as it serves many visitors at once."""
    if not (ROOT / "assets" / "models" / "default" / "bundle.json").is_file():
        pytest.skip("there is no bundle in assets/models/default")
    if not any((ROOT / "assets" / "examples").iterdir()):
        pytest.skip("there are no examples in assets/examples")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ECGKT_")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1"]
    command += ["--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        wait(lambda: urlopen(f"{base}/_stcore/health", timeout=2).status == 200)
        yield base
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def browser(chromium: tuple[str, str], tmp_path: Path) -> Iterator[Any]:
    """A window of its own, with a new profile."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location, driver = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield window
    window.quit()
