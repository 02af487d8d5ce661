"""A stand-in with every figure that a bundle may have."""

from __future__ import annotations

import pytest

from tests import made_up_metrics
from tests.stand_in import StandIn


@pytest.fixture
def more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StandIn, "metrics", made_up_metrics.complete(StandIn.metrics))
