"""Browsing examples and folders: one after the other, filtered, and what cannot be read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.datasets.collection import Collection
from ecgkt.model.model import Model
from ecgkt.ui import session
from ecgkt.ui.reading import interpretation, scores
from ecgkt.ui.sources import examples
from tests.ui.pages import open_page, words_of

pytestmark = pytest.mark.usefixtures("stand_in")
ROOT = Path(__file__).resolve().parents[3]


def test_next_previous_and_an_unreadable_example() -> None:
    app = open_page("browse")
    app.button(key="next").click().run()
    assert app.session_state["example"] == "two"
    assert 'class="tag"' not in words_of(app)
    assert "sex unknown" in words_of(app).lower()
    app.button(key="next").click().run()
    assert [error.value for error in app.error] == ["The recording lacks lead V3."]
    app.button(key="next").click().run()
    assert app.session_state["example"] == "one"
    app.button(key="previous").click().run()
    assert app.session_state["example"] == "bad"


def test_filters_leave_what_fits() -> None:
    app = open_page("browse")
    app.multiselect(key="filter_findings").set_value(["NORM"]).run()
    assert app.session_state["example"] == "two"
    app.multiselect(key="filter_source").set_value(["Simulated"]).run()
    assert "Remove one" in app.info[0].value


def test_a_folder_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> None:
        raise FileNotFoundError("/home/somebody/secret")

    monkeypatch.setattr(session, "_collection", fail)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert "cannot be read" in app.error[0].value
    assert "secret" not in app.error[0].value


def _entry(key: str, findings: tuple[str, ...], diagnoses: tuple[str, ...]) -> Any:
    return SimpleNamespace(key=key, findings=findings, diagnoses=diagnoses)


def test_the_first_entry_is_an_infarction_plain_on_the_tracing_or_else_simply_the_first() -> None:
    plain = [
        _entry("normal", ("NORM",), ()),
        _entry("unseen", ("SR",), ("I21", "I211")),
        _entry("unsaid", ("INJIN", "STE_", "STD_"), ()),
        _entry("busy", ("INJIN", "STE_", "STD_", "PVC", "AFIB"), ("I211",)),
        _entry("half", ("INJIN",), ("I211",)),
        _entry("plain", ("INJIN", "STE_", "STD_"), ("I211",)),
    ]
    assert examples.opening(plain).key == "plain"
    assert examples.opening(plain[:3]).key == "normal"


def test_the_example_that_opens_first_is_recognized_for_what_it_is(
    shipped_model: Model, shipped_examples: Collection
) -> None:
    entry = examples.opening(shipped_examples.entries)
    opened = session._open(shipped_examples, entry)
    prediction = shipped_model.predict(opened.analyzed)
    label = scores.opening(prediction, interpretation.found(opened, prediction))
    score = next(s for s in prediction.scores(label.head) if s.label == label)
    assert label.code in (*entry.findings, *entry.diagnoses, *entry.measured)
    assert score.probability > 0.5
