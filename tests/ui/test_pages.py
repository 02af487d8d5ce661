"""Every page, run by Streamlit's AppTest with a stand-in model and two ECGs, one of them with a clinical table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import ecgkt
from ecgkt.ecg import ECG, ECGError, age_band
from ecgkt.measurements.intervals import ERROR_SD, Measured
from ecgkt.measurements.normal_limits import Limit
from ecgkt.measurements.wording import flag
from ecgkt.prediction import HEADS, Attribution, Head, Label, Prediction, Quality, Score
from ecgkt.sheet.calipers import Measurement
from ecgkt.ui import session
from ecgkt.ui.reading import clinical
from ecgkt.ui.results import performance
from ecgkt.ui.widgets import html
from ecgkt.vocabulary import labs
from tests import made_up_metrics

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("browse", "upload", "serial", "compare", "model")


def _label(head: Head, code: str, name: str, **more: Any) -> Label:
    facts: dict[str, Any] = {"prevalence": 0.1, "threshold": 0.4, "threshold_source": "best Youden index on validation"}
    return Label(
        head, code, name, "group", auroc=(0.8, 0.7, 0.9), test_positives=12, learned_from="simulated", **facts, **more
    )


LABELS: dict[Head, tuple[Label, ...]] = {
    "findings": (_label("findings", "AFIB", "Atrial fibrillation"), _label("findings", "NORM", "Normal ECG")),
    "diagnoses": (_label("diagnoses", "I50", "Heart failure"), _label("diagnoses", "E11", "Type 2 diabetes mellitus")),
    "labs": (
        _label("labs", "potassium_high", "Hyperkalaemia", lab="potassium", direction="high", unit="mmol/L", limit=5.1),
        _label("labs", "sodium_low", "Hyponatraemia", lab="sodium", direction="low", unit="mmol/L", limit=133),
    ),
}
PROBABILITY = {"AFIB": 0.2, "NORM": 0.3, "I50": 0.55, "E11": 0.1, "potassium_high": 0.81, "sodium_low": 0.004}


class StandIn:
    """Says the same of every ECG; relevance lies in V2 alone."""

    name = "stand-in"
    sha256 = "0123456789abcdef" * 4
    labels = LABELS
    card: ClassVar[dict[str, Any]] = {
        "name": name,
        "intended_use": "Research on a stand-in.",
        "limits": ["Knows nothing."],
        "not_for": ["Clinical decisions of any kind."],
        "training_data": [
            {
                "name": "None",
                "simulated": True,
                "patients": 1500,
                "ecgs": 1700,
                "license": "n/a",
                "note": "",
                "splits": {"train": {"patients": 1200, "ecgs": 1300}, "test": {"patients": 300, "ecgs": 400}},
            }
        ],
        "files": {"model.safetensors": "ab" * 32},
        "rate": 100,
    }
    metrics: ClassVar[dict[str, Any]] = {
        "test": {"patients": 40, "ecgs": 41},
        "gap_closed": [0.37, 0.11, 0.6],
        "models": {
            name: {
                head: {
                    "macro_auroc": [0.712, 0.6, 0.8],
                    "labels": {label.code: {"auroc": [0.7, 0.6, 0.8], "positives": 12} for label in LABELS[head]},
                }
                for head in HEADS
            }
            for name in ("knowledge_transfer", "signal_only")
        },
    }

    def predict(self, ecg: ECG) -> Prediction:
        if not np.isfinite(ecg.signal).any():
            return Prediction(Quality(False, ("No lead holds a signal.",)))
        ranked = {
            h: sorted((Score(x, PROBABILITY[x.code]) for x in LABELS[h]), key=lambda s: -s.probability) for h in HEADS
        }
        return Prediction(
            Quality(True), tuple(ranked["findings"]), {}, tuple(ranked["diagnoses"]), tuple(ranked["labs"])
        )

    def attribute(self, ecg: ECG, code: str, method: str = "integrated_gradients") -> Attribution:
        label = next(label for head in HEADS for label in LABELS[head] if label.code == code)
        relevance = np.zeros((12, 1000), dtype=np.float32)
        relevance[ecgkt.LEADS.index("V2"), 300:340] = 1
        return Attribution(label, method, 100.0, relevance)

    def compare(self, ecg: ECG, table: dict[str, float] | None = None) -> dict[str, dict[str, float]]:
        names = ["knowledge_transfer", "signal_only"] + ([] if table is None else ["multimodal"])
        return {name: PROBABILITY for name in names}


def _beats(heart_rate: float) -> ECG:
    """Ten seconds of narrow QRS at `heart_rate`, mV."""
    t = np.arange(5000) / 500
    since = np.abs((t * heart_rate / 60 + 0.5) % 1 - 0.5) * 60 / heart_rate
    wave = np.exp(-((since / 0.015) ** 2))
    return ECG(np.outer(np.linspace(0.4, 1.5, 12), wave).astype(np.float32), 500.0, age=67, sex="male")


ENTRIES = (
    SimpleNamespace(key="one", title="First", source="Simulated", simulated=True, age=67, sex="male",
                    findings=("AFIB",), diagnoses=("I50",), measured=("potassium_high",), has_table=True,
                    patient=1, hours=0),
    SimpleNamespace(key="two", title="Second", source="Real", simulated=False, age=None, sex=None,
                    findings=("NORM",), diagnoses=(), measured=(), has_table=False, patient=None, hours=None),
    SimpleNamespace(key="bad", title="Third", source="Broken", simulated=False, age=None, sex=None,
                    findings=(), diagnoses=(), measured=(), has_table=False, patient=None, hours=None),
)  # fmt: skip


class Examples:
    entries = ENTRIES

    def of_same_patient(self, key: str) -> list[SimpleNamespace]:
        return [entry for entry in ENTRIES if entry.key == key]

    def read(self, key: str) -> ECG:
        if key == "bad":
            raise ECGError("The recording lacks lead V3.")
        ecg = _beats(75)
        return ecg if key == "one" else ECG(ecg.signal, ecg.rate)

    def clinical(self, key: str) -> dict[str, float]:
        return {"lab:potassium": 6.2, "vital:heartrate": 75.0, "biometric:age": 67.0}


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGKT_ECGS", raising=False)
    monkeypatch.setattr(session, "_model", lambda path: StandIn())
    monkeypatch.setattr(session, "_collection", lambda path: Examples())


def _open(page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    if page != "browse":
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def _words(app: AppTest) -> str:
    """All HTML and text of the page."""
    return " ".join([*(str(part.proto.body) for part in app.get("html")), *(m.value for m in app.markdown)])


def _sheet(app: AppTest) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)  # type: ignore[no-any-return]


def _relevance(app: AppTest) -> list[dict[str, Any]]:
    """The key of the relevance on the sheet, which is there whether or not the part shown has any."""
    return [shape for shape in _sheet(app)["layout"].get("shapes", []) if shape.get("name") == "key"]


@pytest.mark.parametrize("page", PAGES)
def test_research_notice_on_every_page(page: str) -> None:
    assert ecgkt.NOTICE in _words(_open(page))


def test_browse_shows_tracing_scores_and_measured_lab() -> None:
    app = _open("browse")
    chart = app.get("plotly_chart")[0].proto
    assert _relevance(app)
    assert "Hyperkalaemia" in chart.alt
    assert "V2" in chart.alt
    labels = [button.label for button in app.button]
    assert "Hyperkalaemia *measured 6.2 high* **81 %**" in labels
    assert "Hyponatraemia **< 1 %**" in labels
    words = _words(app)
    assert "predicted from the ECG, not measured" in words
    assert 'class="tag"' in words
    assert "60–69 years" in words
    assert "67" not in words.split("60–69 years")[0]
    assert "V2" in words


def test_pressing_a_diagnosis_explains_it() -> None:
    app = _open("browse")
    next(button for button in app.button if button.label.startswith("Heart failure")).click().run()
    assert "Heart failure" in app.get("plotly_chart")[0].proto.alt
    assert app.query_params["target"] in ("I50", ["I50"])


def test_relevance_can_be_taken_off_the_tracing() -> None:
    app = _open("browse")
    app.toggle(key="overlay").set_value(False).run()
    assert not _relevance(app)


def test_relevance_is_drawn_in_the_way_and_as_much_of_it_as_chosen() -> None:
    app = _linked(way="band", strength="80")
    alt, words = app.get("plotly_chart")[0].proto.alt, _words(app)
    assert "a band under each row, the strongest 80% of it" in alt
    assert [trace for trace in _sheet(app)["data"] if trace["type"] == "heatmap"]
    assert "in V2" in words
    app.slider(key="strength").set_value(20).run()
    assert "the strongest 20% of it" in app.get("plotly_chart")[0].proto.alt
    assert _words(app) == words
    app.button_group(key="way").set_value("bars").run()
    assert "bars by lead and by wave" in app.get("plotly_chart")[0].proto.alt


def test_next_previous_and_an_unreadable_example() -> None:
    app = _open("browse")
    app.button(key="next").click().run()
    assert app.session_state["example"] == "two"
    assert 'class="tag"' not in _words(app)
    assert "sex not known" in _words(app).lower()
    app.button(key="next").click().run()
    assert [error.value for error in app.error] == ["The recording lacks lead V3."]
    app.button(key="next").click().run()
    assert app.session_state["example"] == "one"
    app.button(key="previous").click().run()
    assert app.session_state["example"] == "bad"


def _linked(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_the_strip_of_numbers_says_what_is_measured_what_is_off_and_what_is_not() -> None:
    strip = next(str(part.proto.body) for part in _open("browse").get("html") if 'class="strip"' in part.proto.body)
    words = " ".join(re.sub(r"<[^>]*>", " ", strip).split())
    assert words.startswith("Rate 75 /min PR not measurable QRS ")
    assert "QT not measurable QTcF not measurable" in words  # spikes alone: no T wave


def test_every_interval_stands_in_its_tab_with_limit_flag_and_reason() -> None:
    app = _linked(ecg="one", tab="Intervals")
    words = _words(app).replace("\N{NO-BREAK SPACE}", " ")
    for part in ("50 to 100", "not measurable: no P wave found", "up to 110", "benchmarks/delineation.md"):
        assert part in words
    assert "Share of the relevance" not in words  # the tabs that are folded away are not made


def test_a_flag_is_said_in_words_whatever_the_direction() -> None:
    def of(unit: str, value: float | None) -> str:
        return flag(Measured("x", unit, value, limit=Limit(10, 20, "")))

    assert [of("ms", value) for value in (9, 10, 20, 21, None)] == ["low", "", "", "high", ""]
    assert [of("°", value) for value in (-30, 15, 90)] == ["to the left", "", "to the right"]
    assert flag(Measured("x", "ms", 5)) == ""


def test_the_errors_shown_are_those_of_the_benchmark() -> None:
    found = json.loads((ROOT / "benchmarks" / "delineation.json").read_text())
    errors = found["sets"]["ludb, the 75 records not fitted to"]["ecgkt.measurements.delineation"]["errors_ms"]
    names = {"p_duration": "P duration", "pr": "PR", "qrs": "QRS", "qt": "QT"}
    assert {key: errors[name]["sd"] for key, name in names.items()} == ERROR_SD


def _notes(app: AppTest) -> list[str]:
    return [note["text"] for note in _sheet(app)["layout"]["annotations"] if note.get("name") != "key"]


def test_an_address_restores_the_whole_view() -> None:
    app = _linked(
        ecg="two", target="I50", layout="12x1", gain="5", speed="50", order="cabrera", filter="monitor", start="4"
    )
    assert app.session_state["example"] == "two"
    assert "Heart failure" in app.get("plotly_chart")[0].proto.alt
    notes = _notes(app)
    assert notes[:3] == ["<b>aVL</b>", "<b>I</b>", "<b>−aVR</b>"]
    for part in ("50 mm/s", "5 mm/mV", "MONITOR", "4–9 s"):
        assert part in notes[12]
    assert "<b>V3</b>" in _notes(_linked(rhythm="V3"))[12]
    assert not _relevance(_linked(overlay="false"))


def test_an_address_of_nonsense_gives_the_usual_view_without_a_word() -> None:
    app = _linked(
        ecg="nobody", target="nothing", layout="7x7", gain="11", speed="fast", rhythm="V9", start="99", order="<b>"
    )
    usual = _open("browse")
    assert not app.error
    assert _notes(app) == _notes(usual)
    assert app.session_state["example"] == usual.session_state["example"]


def test_every_control_of_the_view_stands_in_the_address() -> None:
    """The browser writes a bound control into the address; tests/browser sees it do so."""
    app = _open("browse")
    controls = [*app.button_group, *app.selectbox, *app.toggle, *app.slider]
    bound = {control.proto.query_param_key for control in controls} - {""}
    assert bound == {
        "layout", "gain", "speed", "order", "rhythm", "filter", "waves", "overlay", "method", "way", "strength"
    }  # fmt: skip
    app.button(key="key_6x2").click().run()
    assert len(_notes(app)) == 13  # twelve leads and the scale, no rhythm strip


def test_keys_for_the_next_ecg_the_layouts_and_measuring() -> None:
    app = _open("browse")
    shortcuts = {button.key: button.proto.shortcut.lower() for button in app.button if button.proto.shortcut}
    assert shortcuts == {
        "previous": "p", "next": "n", "measure": "m", "key_3x4": "1", "key_6x2": "2", "key_12x1": "3", "key_waves": "w"
    }  # fmt: skip


def test_wave_boundaries_are_switched_on_by_key_address_or_hand_and_said_in_words() -> None:
    app = _open("browse")
    assert not [trace for trace in _sheet(app)["data"] if trace.get("meta") == "boundaries"]
    for shown in (app.button(key="key_waves").click().run(), _linked(waves="true")):
        assert len([trace for trace in _sheet(shown)["data"] if trace.get("meta") == "boundaries"]) == 1
        assert "T" in _notes(shown)
        assert "Onset and end of 0 P, 13 QRS, 13 T waves" in shown.get("plotly_chart")[0].proto.alt


def test_the_beat_has_a_tab_with_its_drawing_and_its_numbers() -> None:
    app = _linked(ecg="one", tab="Beat")
    chart = app.get("plotly_chart")[1].proto
    drawn = json.loads(chart.spec)["data"]
    assert [trace["name"] for trace in drawn if "meta" not in trace] == list(ecgkt.LEADS)
    assert {trace["meta"] for trace in drawn if "meta" in trace} == {"boundaries", "relevance"}
    assert "twelve leads side by side" in chart.alt
    assert "Hyperkalaemia" in chart.alt
    assert "ST at J + 60 ms" in _words(app)
    overlaid = json.loads(_linked(ecg="one", tab="Beat", beat="Overlaid").get("plotly_chart")[1].proto.spec)
    assert "200 mm/s" in overlaid["layout"]["annotations"][-1]["text"]


def test_measurements_stay_with_their_ecg_until_cleared() -> None:
    app = _open("browse")
    app.button(key="measure").click().run()
    assert _sheet(app)["layout"]["dragmode"] == "select"
    assert "Drag a box" in _words(app)
    app.session_state["measurements"] = {":one": [Measurement(1.0, 1.8, "V2", -0.25, 1.0), Measurement(2.0, 2.1)]}
    app.run()
    assert "<td>V2</td>" in _words(app)
    for value in ("800", "75", "1.25", "several"):
        assert f">{value}<" in _words(app)
    assert {"<b>2</b> 100 ms"} <= set(_notes(app))
    app.button(key="next").click().run()
    assert "Measured by hand" not in _words(app)
    app.button(key="previous").click().run()
    assert "Measured by hand" in _words(app)
    assert app.button(key="clear_measurements").proto.shortcut.lower() == "x"
    app.button(key="clear_measurements").click().run()
    assert "Measured by hand" not in _words(app)
    assert not [shape for shape in _sheet(app)["layout"]["shapes"] if shape.get("name") != "key"]


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


def test_filters_leave_what_fits() -> None:
    app = _open("browse")
    app.multiselect(key="filter_findings").set_value(["NORM"]).run()
    assert app.session_state["example"] == "two"
    app.multiselect(key="filter_source").set_value(["Simulated"]).run()
    assert "Take away a filter" in app.info[0].value


def test_a_folder_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> None:
        raise FileNotFoundError("/home/somebody/secret")

    monkeypatch.setattr(session, "_collection", fail)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert "no such folder" in app.error[0].value
    assert "secret" not in app.error[0].value


def test_upload_of_one_record_and_of_rubbish(shared: Path) -> None:
    app = _open("upload")
    assert not app.get("plotly_chart")
    record = [(p.name, p.read_bytes(), "application/octet-stream") for p in sorted((shared / "cinc").glob("JS00001.*"))]
    app.file_uploader(key="upload").set_value([*record, ("note.txt", b"not an ECG", "text/plain")]).run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.startswith("Upload 2: ")
    assert {"V1", "V6"} <= {trace["name"] for trace in _sheet(app)["data"]}
    assert "JS00001" not in _words(app)
    assert "Upload 1 (WFDB)" in _words(app)


def test_upload_of_a_header_alone_names_what_is_missing(shared: Path) -> None:
    app = _open("upload")
    header = (shared / "cinc" / "JS00001.hea").read_bytes()
    app.file_uploader(key="upload").set_value([("JS00001.hea", header, "text/plain")]).run()
    assert len(app.error) == 1
    assert not app.get("plotly_chart")
    assert not app.exception


def test_compare_tells_which_model_saw_what() -> None:
    words = _words(_open("compare"))
    assert "never saw labs or vitals" in words
    assert "sees the ECG and this patient's labs and vitals" in words.replace("&#x27;", "'")
    assert "closed by knowledge transfer: 37 % (95% interval 11 to 60 %)" in words
    assert "40 patients" in words
    assert "0.700 (0.600 to 0.800)" in words


def test_compare_leaves_multimodal_out_without_a_table() -> None:
    app = _open("compare")
    app.button(key="next").click().run()
    assert "not shown, this ECG has no clinical table" in _words(app)


def test_model_page_comes_from_the_bundle() -> None:
    words = _words(_open("model"))
    for fact in ("Clinical decisions of any kind.", "Research on a stand-in.", "Knows nothing.", "1,200", "simulated"):
        assert fact in words
    assert "0.712 (0.600 to 0.800)" in words
    assert StandIn.sha256 in words
    assert "not stated in the bundle" in words  # seeds are missing from this card


@pytest.fixture
def more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StandIn, "metrics", StandIn.metrics | made_up_metrics.everything_else())


NEW_ON_MODEL = (
    "mean what they say", "as good for everybody", "Labs on real ECGs", "Findings on real ECGs", "by proxy",
    "Expected calibration error", "Refused",
)  # fmt: skip


def _titles(app: AppTest) -> str:
    return " ".join(part.value for part in [*app.header, *app.subheader])


def test_model_page_shows_every_figure_that_the_bundle_has(more: None) -> None:
    app = _open("model")
    words = _titles(app) + _words(app)
    for part in NEW_ON_MODEL:
        assert part in words, part
    for fact in ("0.011 (0.005 to 0.020)", "1,234", "age not known", "0 % (0 to 16 %)", "flat lead", "17",
                 "0.940 (0.920 to 0.960)", "SBRAD", "Hyperkalaemia on Electrolyte disturbance",
                 "EL against NORM", "40.0 %",
                 "Labs were learned from simulated patients", "0.550 (0.450 to 0.650)"):  # fmt: skip
        assert fact in words, fact
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert all(chart.proto.alt for chart in app.get("plotly_chart"))
    diagram = next(c for c in charts if c["layout"]["yaxis"]["title"]["text"] == "Observed share")
    assert diagram["data"][0]["x"] == [0.05, 0.25], "a bin of three pairs is in the table only"


def test_compare_shows_the_label_curve_and_its_groups(more: None) -> None:
    app = _open("compare")
    assert "How many labeled patients it takes" in _titles(app)
    words = _words(app)
    assert "With 2,000 labeled patients knowledge transfer (Distilled) reaches a macro AUROC of 0.750" in words
    assert "in 1 of 1 groups of diagnoses: Kidney failure" in words
    assert "The networks of this bundle, one seed" in words
    chart = next(c for c in app.get("plotly_chart") if "labeled patients, All" in c.proto.alt)
    spec = json.loads(chart.proto.spec)
    assert spec["layout"]["xaxis"]["type"] == "log"
    assert [trace["name"] for trace in spec["data"]] == ["Signal only", "Distilled", "Multimodal"]
    assert spec["layout"]["annotations"][0]["text"] == "ECG-only oracle"
    app.selectbox(key="curve_group").set_value("Kidney failure").run()
    assert any("Kidney failure:" in chart.proto.alt for chart in app.get("plotly_chart"))
    assert not app.exception


def test_nothing_is_shown_of_figures_that_the_bundle_lacks() -> None:
    words = _titles(_open("model")) + _titles(_open("compare"))
    for part in (*NEW_ON_MODEL[:4], "How many labeled patients"):
        assert part not in words


def test_flag_keeps_the_limits_themselves_normal() -> None:
    potassium = labs()["potassium"]
    limits = (potassium.reference_low, potassium.reference_high)
    assert [clinical.flag(potassium, value) for value in (3.2, *limits, 5.2)] == ["low", "", "", "high"]


@pytest.mark.parametrize(
    ("age", "band"), [(None, "age not known"), (39.9, "30–39 years"), (40, "40–49 years"), (91, "90 years or older")]
)
def test_age_is_shown_as_a_band(age: float | None, band: str) -> None:
    assert age_band(age) == band


@pytest.mark.parametrize("value", [None, [], [0.7, None, 0.8], [float("nan")] * 3])
def test_what_was_not_measured_is_not_a_number(value: Any) -> None:
    assert performance.interval(value) is None
    assert performance.words(None) == "–"


def test_cells_are_escaped() -> None:
    def page() -> None:
        from ecgkt.ui.widgets import html

        html.table(("A",), [("<script>x</script>",), (html.Raw("<b>y</b>"),)])

    body = AppTest.from_function(page).run().get("html")[0].proto.body
    assert "&lt;script&gt;" in body
    assert "<b>y</b>" in body


def test_small_shares_do_not_read_as_zero() -> None:
    assert [html.percent(x) for x in (0.004, 0.0, 0.62, None)] == ["< 1 %", "0 %", "62 %", "–"]
