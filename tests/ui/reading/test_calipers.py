"""Measuring by hand: boxes drawn on the sheet, kept with their ECG and listed."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.sheet.calipers import Measurement
from tests.ui.pages import notes, open_page, sheet, words_of


@pytest.mark.usefixtures("stand_in")
def test_measurements_stay_with_their_ecg_until_cleared() -> None:
    app = open_page("browse")
    app.button(key="measure").click().run()
    assert sheet(app)["layout"]["dragmode"] == "select"
    assert "Drag a box" in words_of(app)
    app.session_state["measurements"] = {":one": [Measurement(1.0, 1.8, "V2", -0.25, 1.0), Measurement(2.0, 2.1)]}
    app.run()
    assert "<td>V2</td>" in words_of(app)
    for value in ("800", "75", "1.25", "several"):
        assert f">{value}<" in words_of(app)
    assert {"<b>2</b> 100 ms"} <= set(notes(app))
    app.button(key="next").click().run()
    assert "Caliper measurements" not in words_of(app)
    app.button(key="previous").click().run()
    assert "Caliper measurements" in words_of(app)
    assert app.button(key="clear_measurements").proto.shortcut.lower() == "x"
    app.button(key="clear_measurements").click().run()
    assert "Caliper measurements" not in words_of(app)
    assert not [shape for shape in sheet(app)["layout"]["shapes"] if shape.get("name") != "key"]


@pytest.mark.usefixtures("stand_in")
def test_calipers_are_moved_and_kept_by_the_keyboard() -> None:
    app = open_page("browse")
    app.button(key="measure").click().run()
    drawn = len(sheet(app)["layout"]["shapes"])
    app.number_input(key="caliper_from").set_value(1.2).run()
    app.number_input(key="caliper_to").set_value(2.0).run()
    assert {"<b>1</b> 800 ms"} <= set(notes(app)), "drawn while it is moved"
    assert len(sheet(app)["layout"]["shapes"]) > drawn
    assert "Caliper measurements" not in words_of(app)
    app.button(key="caliper_keep").click().run()
    assert "<td>II</td>" in words_of(app)
    for value in ("1.200", "800", "75"):
        assert f">{value}<" in words_of(app)


def test_a_box_drawn_on_the_sheet_is_kept() -> None:
    def page() -> None:
        from types import SimpleNamespace

        import streamlit as st

        from ecgkt.sheet.layout import Paper
        from ecgkt.ui.reading import calipers as reading_calipers

        for boxes in ([{"x": [40, 20], "y": [5, -5]}], []):  # drawn, and taken away again
            st.session_state["chart"] = SimpleNamespace(selection=SimpleNamespace(box=boxes))
            reading_calipers.take("chart", "key", Paper())
        reading_calipers.readings("key")

    body = AppTest.from_function(page).run().get("html")[0].proto.body
    for value in ("I", "0.800", "800", "75", "1.00"):
        assert f">{value}<" in body
