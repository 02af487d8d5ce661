"""The tracing on the reading page: relevance, wave boundaries, and the view that an address restores."""

from __future__ import annotations

import pytest

from tests.ui.pages import linked, notes, open_page, relevance_key, sheet, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_relevance_can_be_taken_off_the_tracing() -> None:
    app = open_page("browse")
    app.toggle(key="overlay").set_value(False).run()
    assert not relevance_key(app)


def test_relevance_is_drawn_in_the_way_and_as_much_of_it_as_chosen() -> None:
    app = linked(way="band", strength="80")
    alt, words = app.get("plotly_chart")[0].proto.alt, words_of(app)
    assert "band under each row, the strongest 80%" in alt
    assert [trace for trace in sheet(app)["data"] if trace["type"] == "heatmap"]
    assert "in V2" in words
    app.slider(key="strength").set_value(20).run()
    assert "the strongest 20%" in app.get("plotly_chart")[0].proto.alt
    assert words_of(app) == words
    app.button_group(key="way").set_value("bars").run()
    assert "bars by lead and by wave" in app.get("plotly_chart")[0].proto.alt


def test_an_address_restores_the_whole_view() -> None:
    app = linked(
        ecg="two", target="I50", layout="12x1", gain="5", speed="50", order="cabrera", filter="monitor", start="4"
    )
    assert app.session_state["example"] == "two"
    assert "Heart failure" in app.get("plotly_chart")[0].proto.alt
    written = notes(app)
    assert written[:3] == ["<b>aVL</b>", "<b>I</b>", "<b>−aVR</b>"]
    for part in ("50 mm/s", "5 mm/mV", "MONITOR", "4–9 s"):
        assert part in written[12]
    assert "<b>V3</b>" in notes(linked(rhythm="V3"))[12]
    assert not relevance_key(linked(overlay="false"))


def test_an_address_of_nonsense_gives_the_usual_view_without_a_word() -> None:
    app = linked(
        ecg="nobody", target="nothing", layout="7x7", gain="11", speed="fast", rhythm="V9", start="99", order="<b>"
    )
    usual = open_page("browse")
    assert not app.error
    assert notes(app) == notes(usual)
    assert app.session_state["example"] == usual.session_state["example"]


def test_every_control_of_the_view_stands_in_the_address() -> None:
    """The browser writes a bound control into the address; tests/browser sees it do so."""
    app = open_page("browse")
    controls = [*app.button_group, *app.selectbox, *app.toggle, *app.slider]
    bound = {control.proto.query_param_key for control in controls} - {""}
    assert bound == {
        "layout", "gain", "speed", "order", "rhythm", "filter", "waves", "overlay", "method", "way", "strength"
    }  # fmt: skip
    app.button(key="key_6x2").click().run()
    assert len(notes(app)) == 13  # twelve leads and the scale, no rhythm strip


def test_keys_for_the_next_ecg_the_layouts_and_measuring() -> None:
    app = open_page("browse")
    shortcuts = {button.key: button.proto.shortcut.lower() for button in app.button if button.proto.shortcut}
    assert shortcuts == {
        "previous": "p", "next": "n", "measure": "m", "key_3x4": "1", "key_6x2": "2", "key_12x1": "3", "key_waves": "w"
    }  # fmt: skip


def test_wave_boundaries_are_switched_on_by_key_address_or_hand_and_said_in_words() -> None:
    app = open_page("browse")
    assert not [trace for trace in sheet(app)["data"] if trace.get("meta") == "boundaries"]
    for shown in (app.button(key="key_waves").click().run(), linked(waves="true")):
        assert len([trace for trace in sheet(shown)["data"] if trace.get("meta") == "boundaries"]) == 1
        assert "T" in notes(shown)
        assert "Onset and end of 0 P, 12 QRS, 12 T waves" in shown.get("plotly_chart")[0].proto.alt
