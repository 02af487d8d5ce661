"""The tab of the median beat: its drawing and its numbers."""

from __future__ import annotations

import json

import pytest

import ecgkt
from tests.ui.pages import linked, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_the_beat_has_a_tab_with_its_drawing_and_its_numbers() -> None:
    app = linked(ecg="one", tab="Beat")
    chart = app.get("plotly_chart")[1].proto
    drawn = json.loads(chart.spec)["data"]
    assert [trace["name"] for trace in drawn if "meta" not in trace] == list(ecgkt.LEADS)
    assert {trace["meta"] for trace in drawn if "meta" in trace} == {"boundaries", "relevance"}
    assert "twelve leads side by side" in chart.alt
    assert "Hyperkalemia" in chart.alt
    assert "ST at J + 60 ms" in words_of(app)
    overlaid = json.loads(linked(ecg="one", tab="Beat", beat="Overlaid").get("plotly_chart")[1].proto.spec)
    assert "200 mm/s" in overlaid["layout"]["annotations"][-1]["text"]
