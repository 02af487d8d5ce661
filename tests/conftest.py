"""Fixtures that more than one test file uses."""

from __future__ import annotations

import os
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
