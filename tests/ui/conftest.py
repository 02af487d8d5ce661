"""The stand-in for the model and its examples, behind every page that asks for them."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
import plotly.io
import pytest

from ecgkt.ui import session
from ecgkt.ui.widgets.ready_figure import ReadyFigure
from tests.stand_in import Examples, StandIn


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGKT_ECGS", raising=False)
    monkeypatch.setattr(session, "_model", lambda path: StandIn())
    monkeypatch.setattr(session, "_collection", lambda path: Examples())


@pytest.fixture(autouse=True)
def checked_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chart that a test's page draws is held against Plotly's schema, and is what Plotly makes of it."""
    make = ReadyFigure.__init__

    def checked(ready: ReadyFigure, figure: dict[str, Any], alt: str = "") -> None:
        make(ready, figure, alt)
        sent = json.loads(plotly.io.to_json(ready, validate=False))
        sent["layout"] = {name: value for name, value in sent["layout"].items() if value != []}  # Plotly drops those
        assert sent == json.loads(plotly.io.to_json(go.Figure(**figure), validate=False))

    monkeypatch.setattr(ReadyFigure, "__init__", checked)
