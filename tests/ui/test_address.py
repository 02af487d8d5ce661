"""What is shown stands in the address, and what Back or a link puts there is shown."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.pages import linked, open_page

pytestmark = pytest.mark.usefixtures("stand_in")


def of(app: AppTest) -> dict[str, str]:
    """ECG and score in the address."""
    parameters = {name: app.query_params.get(name) for name in ("ecg", "target")}
    return {name: value[0] if isinstance(value, list) else str(value) for name, value in parameters.items()}


def test_back_returns_to_the_former_ecg_and_to_the_score_shown_on_it() -> None:
    app = open_page("browse")
    next(button for button in app.button if button.label.startswith("Heart failure")).click().run()
    assert of(app) == {"ecg": "one", "target": "I50"}
    app.button(key="next").click().run()
    assert of(app)["ecg"] == "two"
    app.query_params.update({"ecg": "one", "target": "potassium_high"})  # as the browser does on Back
    app.run()
    assert app.session_state["example"] == "one"
    assert "Hyperkalemia" in app.get("plotly_chart")[0].proto.alt
    assert of(app) == {"ecg": "one", "target": "potassium_high"}
    app.button(key="next").click().run()
    assert of(app)["ecg"] == "two", "what Back asked for is asked for once"


def test_the_choice_stays_on_a_page_whose_address_says_nothing() -> None:
    app = linked(ecg="two")
    app.query_params.clear()  # as Streamlit does when another page is chosen in the bar
    app.switch_page("pages/compare.py").run()
    assert app.session_state["example"] == "two"
    assert of(app)["ecg"] == "two"
