"""The interpretation over the lists, its order, and what is folded; through which labs a diagnosis comes."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.ui import keys
from tests.ui.pages import linked, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def keyed(app: AppTest, beginning: str) -> list[str]:
    """Labels of the buttons whose key begins so."""
    return [each.label for each in app.button if str(each.key).startswith(beginning)]


def test_what_is_likely_stands_open_with_the_record_beside_it() -> None:
    app = linked(ecg="one")
    lines = keyed(app, "line-line-")
    assert any(
        "Consider hyperkalemia **81%**" in line and "potassium measured 6\\.2 mmol/L, high" in line for line in lines
    )
    assert any("Consider heart failure **55%**" in line and "in the record" in line for line in lines)
    assert "Interpretation" in words_of(app)
    missed = keyed(app, "line-missed-")
    assert ["Atrial fibrillation" in each for each in missed] == [True], "stated, and 20% is below its threshold"


def test_a_line_that_is_pressed_is_explained() -> None:
    app = linked(ecg="one")
    (line,) = [each for each in app.button if "Consider heart failure" in each.label]
    line.click().run()
    assert not app.exception
    assert app.session_state[keys.TARGET] == "I50"
    assert "Heart failure: 55%" in words_of(app)


def test_the_order_can_be_changed() -> None:
    app = linked(ecg="one")
    first = keyed(app, "line-line-")
    (order,) = [each for each in app.get("button_group") if each.key == "order_of_lines"]
    order.set_value(["Likely"]).run()
    assert not app.exception
    assert sorted(keyed(app, "line-line-")) == sorted(first)


def test_nodes_lead_from_the_tracing_over_a_lab_to_the_diagnosis_and_back() -> None:
    app = linked(ecg="one", target="I50")
    words = words_of(app)
    assert "Through which labs" in words
    assert "→ Sodium low &lt; 1% → Heart failure 55%." in words
    assert "(a marker, not a cause) carries" in words
    (lab,) = [each for each in app.button if each.key == "link-lab-0"]
    assert "AUROC 0\\.80" in lab.label
    lab.click().run()
    assert app.session_state[keys.TARGET] == "sodium_low"
    assert "Through which labs" in words_of(app), "the picture stays while one of its labs is looked at"
    (back,) = [each for each in app.button if each.key == "link-diagnosis"]
    back.click().run()
    assert app.session_state[keys.TARGET] == "I50"


def test_what_labs_do_not_explain_says_so_and_a_finding_has_no_picture() -> None:
    words = words_of(linked(ecg="one", target="E11"))
    assert "Not explained by labs: labs that an ECG carries tell 10% of how this score varies." in words
    assert "The model ties this score to Hyperkalemia, which physiology does not explain." in words
    assert "Through which labs" not in words_of(linked(ecg="one", target="AFIB"))
