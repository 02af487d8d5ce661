"""The Compare page: which model saw what, and the curve over the number of labeled patients."""

from __future__ import annotations

import json

import pytest

from tests.ui.pages import open_page, titles, words_of

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
