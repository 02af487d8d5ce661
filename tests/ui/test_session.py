"""What the dashboard keeps between pages: bounded, shared for the shipped examples only; torch is not waited for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.ecg import ECG
from ecgkt.intake import Outcome
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.sheet import figure as sheet_figure
from ecgkt.sheet.calipers import Measurement
from ecgkt.ui import session
from ecgkt.ui.session import Kept, Opened
from tests.stand_in import Examples
from tests.ui.pages import notes, open_page, sheet

ROOT = Path(__file__).resolve().parents[2]


def test_the_result_unused_longest_is_dropped_first() -> None:
    kept, made = Kept(2 * session.OTHER), []

    def make(name: str) -> Any:
        return lambda: made.append(name) or name

    for name in "abacb":
        assert kept.get((name,), make(name)) == name
    assert made == ["a", "b", "c", "b"]  # a was used again before c came, so b had gone


def test_what_an_upload_came_to_counts_with_its_tracings() -> None:
    ecg = ECG(np.ones((12, 5000), np.float32), 500.0)
    assert session.size([Outcome("ISHNE", False, "a", ecg), Outcome("", False, "b")]) == session.OTHER + 240_000


class Counting:
    asked = 0

    def attribute(self, ecg: AnalyzedECG, code: str, method: str) -> int:
        self.asked += 1
        return self.asked


def test_what_is_said_of_an_upload_stays_in_its_session_and_of_an_example_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ecg = AnalyzedECG(ECG(np.zeros((12, 100), dtype=np.float32), 100.0))
    for shipped, times in ((True, 1), (False, 2)):
        model: Any = Counting()
        opened = Opened("key", ecg, "somewhere", shipped=shipped)
        for _ in range(2):  # sessions
            state: dict[str, Any] = {}
            monkeypatch.setattr(session.st, "session_state", state)
            for _ in range(2):
                session.attribute(opened, model, "AFIB", "saliency")
        assert model.asked == times


class OneECG:
    """A collection of one ECG."""

    def read(self, key: str) -> ECG:
        return ECG(np.zeros((12, 100), dtype=np.float32), 100.0)

    def of_same_patient(self, key: str) -> tuple[Any, ...]:
        return ()


def test_only_entries_of_the_shipped_folder_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    collection: Any = OneECG()
    entry: Any = SimpleNamespace(key="a", source="", simulated=False, findings=(), diagnoses=(), has_table=False)
    for folder, shared in (("", True), ("/somebody/else", False)):
        opened = []
        for _ in range(2):  # sessions
            monkeypatch.setattr(session.st, "session_state", {"folder": folder})
            opened.append(session.open_entry(collection, entry))
        assert (opened[0] is opened[1]) == shared
        assert opened[0].shipped == shared


def test_no_page_needs_the_networks_to_begin() -> None:
    """torch takes seconds to import: what a page imports must not wait for it."""
    files = sorted((ROOT / "ecgkt" / "ui").rglob("*.py"))
    names = ", ".join(
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files
    )
    code = f"import sys, {names}; print(*{{'torch', 'captum', 'matplotlib'}} & set(sys.modules))"
    started = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert started.stdout == "\n"


def test_the_tracing_is_on_the_page_before_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that cannot be loaded leaves the tracing and the sentence that says so."""

    def fail(path: str) -> None:
        raise OSError("no such bundle")

    monkeypatch.setattr(session, "_model", fail)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert "cannot be loaded" in app.error[0].value
    assert any("data:image/svg+xml" in part.proto.body for part in app.get("html"))
    assert any('class="strip"' in part.proto.body for part in app.get("html"))
    assert app.get("plotly_chart"), "the sheet stays empty"
    assert {tab.label for tab in app.tabs} == {"Intervals", "Beat"}


def test_a_folder_named_again_is_read_again_and_the_address_forgets_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECGKT_ECGS", str(tmp_path))
    source = next((ROOT / "assets" / "examples" / "real").glob("*.dcm"))
    shutil.copy(source, tmp_path / "a.dcm")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.text_input(key="folder_input").set_value("").run()
    assert "ecg" in app.query_params
    for expected in (1, 2):
        app.text_input(key="folder_input").set_value(str(tmp_path)).run()
        assert len(app.selectbox(key="example_pick").options) == expected
        assert not {"ecg", "target"} & set(app.query_params)
        shutil.copy(source, tmp_path / "b.dcm")
        app.text_input(key="folder_input").set_value("").run()


def test_a_sheet_is_drawn_again_only_for_what_changes_it(stand_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []

    def counting(*what: Any) -> Any:
        drawn.append(what)
        return draw(*what)

    draw = sheet_figure.figure
    examples = Examples()
    monkeypatch.setattr(session, "_collection", lambda path: examples)
    monkeypatch.setattr(sheet_figure, "figure", counting)
    app = open_page("browse")
    first = sheet(app)
    del drawn[:]
    app.run()
    assert not drawn
    assert sheet(app) == first
    app.segmented_control(key="layout").set_value("6x2").run()
    app.segmented_control(key="layout").set_value("3x4").run()
    assert drawn
    assert sheet(app) == first
    app.toggle(key="waves").set_value(True).run()
    marked = sheet(app)
    app.segmented_control(key="way").set_value("bars").run()
    app.session_state["measurements"] = {":one": [Measurement(0.2, 0.6)]}
    app.run()
    assert len({str(each) for each in (first, marked, sheet(app))}) == 3
    assert any("400 ms" in note for note in notes(app))
