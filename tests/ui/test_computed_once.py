"""From the file to the page nothing is computed twice: counted on the shipped model and an example that ships."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import ecgkt
from ecgkt.ecg import ECG
from ecgkt.measurements.delineation import delineate
from ecgkt.measurements.intervals import measure
from ecgkt.measurements.median_beat import median_beat
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.model.preprocessing import model_view
from ecgkt.quality.usable import assess
from ecgkt.readers import read
from ecgkt.ui import session

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, int]]:
    """(function, tracing) -> how often it was called for that tracing, wherever it was imported to."""
    counted: Counter[tuple[str, int]] = Counter()

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *more: Any, **named: Any) -> Any:
            tracing = hash(first.signal.tobytes()) if isinstance(first, ECG) else hash(str(first))
            counted[function.__name__, tracing] += 1
            return function(first, *more, **named)

        return call

    for function in (read, delineate, median_beat, measure, assess, model_view):
        counter = counting(function)
        for name, module in list(sys.modules.items()):
            if name.startswith("ecgkt") and vars(module).get(function.__name__) is function:
                monkeypatch.setattr(module, function.__name__, counter)
    embeddings = Model._embeddings  # an attribution's own passes through the network are no embedding of the ECG

    def embedding(model: Model, name: str, ecgs: Sequence[AnalyzedECG], *more: Any, **named: Any) -> Any:
        for each in ecgs:
            counted["embed", hash((name, each.ecg.signal.tobytes()))] += 1
        return embeddings(model, name, ecgs, *more, **named)

    monkeypatch.setattr(Model, "_embeddings", embedding)
    session._shared_ecgs.clear()
    return counted


def test_one_ecg_is_read_measured_and_embedded_once_however_much_of_it_is_looked_at(
    calls: Counter[tuple[str, int]],
) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    rows = [button for button in app.button if str(button.key).startswith("row-")]
    rows[-1].click().run()  # another score, its relevance
    app.segmented_control(key="layout").set_value("6x2").run()
    app.toggle(key="waves").set_value(True).run()
    assert not app.exception
    computed = {"read", "delineate", "median_beat", "measure", "assess", "model_view", "embed"}
    assert computed == {name for name, _ in calls}
    assert {key: count for key, count in calls.items() if count > 1} == {}


def test_prediction_attribution_and_comparison_share_what_was_computed(calls: Counter[tuple[str, int]]) -> None:
    model = ecgkt.load(ROOT / "assets" / "models" / "default")
    example = next((ROOT / "assets" / "examples" / "real").glob("*.dcm"))
    ecg = ecgkt.AnalyzedECG(ecgkt.read(example))
    prediction = model.predict(ecg)
    for _ in range(2):
        assert model.predict(ecg) is prediction
        model.attribute(ecg, prediction.findings[0].label.code, "saliency")
    model.compare(ecg)
    # Knowledge transfer's, signal-only's and the paper's way, with all labels and with few.
    assert sum(name == "embed" for name, _ in calls) == 6
    assert {key: count for key, count in calls.items() if count > 1} == {}
