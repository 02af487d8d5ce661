"""The stand-in for the model and its examples, behind every page that asks for them."""

from __future__ import annotations

import pytest

from ecgkt.ui import session
from tests.stand_in import Examples, StandIn


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGKT_ECGS", raising=False)
    monkeypatch.setattr(session, "_model", lambda path: StandIn())
    monkeypatch.setattr(session, "_collection", lambda path: Examples())
