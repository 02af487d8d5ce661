"""Fixtures that more than one test file uses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings that lies beside a developer's checkout; tests that need it skip without it."""
    path = Path(os.environ.get("ECGKT_SHARED", ROOT.parent / "shared")) / "data"
    if not path.is_dir():
        pytest.skip("the shared real recordings are not on this machine (set ECGKT_SHARED)")
    return path


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put `__main__` back: AppTest leaves its page there, and worker processes of a later test would run it again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
