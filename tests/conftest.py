"""Fixtures that more than one test file uses, and the order in which files are begun."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ecgkt.datasets.collection import Collection
    from ecgkt.model.model import Model

# pytest-xdist's workers, and the processes that tests start, share the cores: one thread each. Read by libraries when
# they are first imported, so it stands before any of them is.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left with them at the end; each file's own order is kept."""

    def turn(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(("training", "browser")) if item.get_closest_marker(name)), 2)

    items.sort(key=turn)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings that lies beside a developer's checkout; tests that need it skip without it."""
    path = Path(os.environ.get("ECGKT_SHARED", ROOT.parent / "shared")) / "data"
    if not path.is_dir():
        pytest.skip("the shared real recordings are not on this machine (set ECGKT_SHARED)")
    return path


@pytest.fixture(scope="session")
def shipped_model() -> Model:
    """The bundle that ships, loaded once for all who only ask it."""
    import ecgkt  # not above: a run of tests that need no network should not wait for torch

    return ecgkt.load(ROOT / "assets" / "models" / "default")


@pytest.fixture(scope="session")
def shipped_examples() -> Collection:
    from ecgkt.datasets.collection import open_collection

    return open_collection(ROOT / "assets" / "examples")


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put `__main__` back: AppTest leaves its page there, and worker processes of a later test would run it again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
