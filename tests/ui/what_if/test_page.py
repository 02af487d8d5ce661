"""The What if page with the bundle that ships: sliders and switches, what follows them, and whose ECG it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.simulation.what_if import Changed, plain
from ecgkt.ui import session
from ecgkt.ui.sources import simulated_patient
from tests.ui.pages import words_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    for name in ("ECGKT_MODEL", "ECGKT_ECGS"):
        monkeypatch.delenv(name, raising=False)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    page.switch_page("pages/what_if.py").run()
    assert not page.exception
    return page


def slider(app: AppTest, name: str):  # type: ignore[no-untyped-def]
    return next(each for each in app.slider if each.label.startswith(name))


def rows(app: AppTest) -> dict[str, float]:
    """Name of each score shown -> its probability in percent (a score under 1% counts as 0)."""
    found = {}
    for button in app.button:
        if str(button.key).startswith("row-what-if-"):
            name = re.split(r" \*", button.label)[0]
            percent = re.search(r"\*\*(?:< )?(\d+)%\*\*", button.label)
            assert percent, button.label
            found[f"{name} lab" if "*lab" in button.label else name] = float(percent[1])
    return found


def drawn(app: AppTest) -> list[str]:
    """What is drawn of V4 and II on the sheet, relevance aside."""
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    return [json.dumps(trace["y"]) for trace in spec["data"] if trace.get("name") in ("V4", "II")]


def test_a_slider_moves_the_tracing_and_the_scores_and_reset_puts_both_back(app: AppTest) -> None:
    before, scores = drawn(app), rows(app)
    assert before
    slider(app, "Potassium").set_value(7.0).run()
    assert not app.exception
    assert drawn(app) != before
    assert any("was " in button.label for button in app.button)
    slider(app, "Heart rate").set_value(130.0).run()
    assert "Sinus tachycardia" in rows(app)
    app.button(key="what_if_reset").click().run()
    assert drawn(app) == before
    assert rows(app) == scores


def test_a_switch_shows_its_condition_and_the_rate_follows_until_it_is_set(app: AppTest) -> None:
    before = slider(app, "Heart rate").value
    slider(app, "Body temperature").set_value(40.0).run()
    assert slider(app, "Heart rate").value > before + 10
    slider(app, "Heart rate").set_value(60.0).run()
    assert slider(app, "Heart rate").value == 60
    app.button_group[0].set_value(["lbbb"]).run()
    assert not app.exception
    assert "Left bundle branch block" in " ".join(rows(app)) or "CLBBB" in words_of(app)


def test_the_page_says_that_it_is_simulated_and_what_is_assumed(app: AppTest) -> None:
    slider(app, "Calcium").set_value(6.0).run()
    words = words_of(app)
    assert "simulated patient" in words
    assert "Everything on this page is simulated" in words
    assert "PMC483913" in words, "the source of calcium's effect on ST"


def test_the_patient_of_an_example_is_drawn_again_sample_by_sample() -> None:
    """The examples of the shipped simulator's version; those of another are refused, not shown as if they were it."""
    collection = session.examples()
    simulated = [entry for entry in collection.entries if collection.drawn_from(entry.key)]
    assert simulated
    for entry in simulated[:5]:
        subject = simulated_patient.of_example(collection, entry.key)
        if subject is None:
            pytest.skip("the examples were drawn by another version of the simulator")
        assert np.abs(subject.ecg().signal - collection.read(entry.key).signal).max() < 0.003
        assert subject.patient.male == (entry.sex == "male")


def test_an_example_is_opened_by_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    collection = session.examples()
    entry = next(entry for entry in collection.entries if collection.drawn_from(entry.key))
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    page.query_params["patient"] = entry.key
    page.run()
    page.query_params["patient"] = entry.key
    page.switch_page("pages/what_if.py").run()
    assert not page.exception
    assert page.selectbox(key="what_if_pick").value == entry.key


def test_a_subject_is_the_same_for_everybody() -> None:
    first, second = plain(simulated_patient.SEED), plain(simulated_patient.SEED)
    assert np.array_equal(first.ecg(Changed({"potassium": 6})).signal, second.ecg(Changed({"potassium": 6})).signal)
