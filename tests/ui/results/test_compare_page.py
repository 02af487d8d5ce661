"""The Compare page: which model saw what, and the curve over the number of labeled patients."""

from __future__ import annotations

import json

import pytest

from tests import made_up_metrics
from tests.stand_in import StandIn
from tests.ui.pages import linked, open_page, titles, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_compare_tells_which_model_saw_what() -> None:
    words = words_of(open_page("compare"))
    assert "never saw labs or vitals" in words
    assert "sees the ECG and this patient's labs and vitals" in words.replace("&#x27;", "'")
    assert "closed by knowledge transfer on diagnoses: 37% (11% to 60%)" in words
    assert "Test cohort: 40 simulated patients (41 ECGs)" in words
    assert "0.700 (0.600 to 0.800)" in words


def test_compare_leaves_multimodal_out_without_a_table() -> None:
    app = open_page("compare")
    app.button(key="next").click().run()
    assert "not shown, this ECG has no clinical table" in words_of(app)


def test_compare_shows_the_label_curve_and_its_groups(more: None) -> None:
    app = open_page("compare")
    assert "Label efficiency" in titles(app)
    words = words_of(app)
    assert "With 2,000 labeled patients, knowledge transfer (Distilled) reaches a macro AUROC of 0.750" in words
    assert "in 1 of 1 groups of diagnoses (95% interval above zero): Kidney failure" in words
    assert "on diagnoses (one seed)" in words
    chart = next(c for c in app.get("plotly_chart") if "labeled patients, All" in c.proto.alt)
    spec = json.loads(chart.proto.spec)
    assert spec["layout"]["xaxis"]["type"] == "log"
    assert [trace["name"] for trace in spec["data"]] == ["Signal only", "Distilled", "Multimodal"]
    assert spec["layout"]["annotations"][0]["text"] == "ECG-only oracle"
    app.selectbox(key="curve_group").set_value("Kidney failure").run()
    assert any("Kidney failure:" in chart.proto.alt for chart in app.get("plotly_chart"))
    assert not app.exception


def test_compare_tells_the_gain_by_how_rare_a_diagnosis_is(more: None) -> None:
    app = open_page("compare")
    assert "By how rare a diagnosis is" in titles(app)
    words = words_of(app)
    assert "transfer helps the rarest diagnoses (31 with 20 to 49 positive training ECGs): +0.013 (+0.004 to" in words
    chart = next(c for c in app.get("plotly_chart") if "by positive training ECGs" in c.proto.alt)
    assert json.loads(chart.proto.spec)["data"][0]["x"] == [0.013, -0.001], "the rarest first"


@pytest.fixture
def few_labels(more: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in with the paper's way and networks taught with 2,000 labeled patients."""
    monkeypatch.setattr(StandIn, "card", made_up_metrics.with_few_labels(StandIn.card))


def test_compare_switches_to_the_networks_with_few_labels(few_labels: None) -> None:
    app = open_page("compare")
    words = words_of(app)
    assert words.count('<td class="num">20,000</td>') == 4
    assert "The paper&#x27;s way" in words
    assert "0.712 (0.600 to 0.800)" in words, "of the bundle's own test"
    of_findings = words.count("<td>Atrial fibrillation</td>")
    app.segmented_control(key="labeled").set_value("2,000 labeled patients").run()
    assert not app.exception
    words = words_of(app)
    assert words.count('<td class="num">2,000</td>') == 4
    assert "Knowledge transfer: Distilled" in words
    assert "<td>0.750 (0.700 to 0.800)</td>" in words, "of the curve"
    assert "mean of 3 draws of labeled patients" in words
    assert "These models were not taught any findings." in words
    assert words.count("<td>Atrial fibrillation</td>") == of_findings - 1, "in the test figures only"
    assert "Heart failure" in words
    assert "Hyperkalemia" in words


def test_an_address_leads_to_the_networks_with_few_labels(few_labels: None) -> None:
    app = linked(labeled="2,000 labeled patients").switch_page("pages/compare.py").run()
    assert app.segmented_control(key="labeled").value == "2,000 labeled patients"
    assert "These models were not taught any findings." in words_of(app)


def test_there_is_no_switch_without_such_networks() -> None:
    app = open_page("compare")
    assert "labeled" not in [control.key for control in app.get("button_group")]
    assert "paper&#x27;s way" not in words_of(app)
