"""The Serial page, run by Streamlit's AppTest: two of one patient, two files, and the ways that lead there."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.datasets.collection import Entry
from ecgkt.ecg import ECG
from ecgkt.measurements.intervals import DEGREE
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import HEADS, Head, Prediction, Quality, Score
from ecgkt.serial.comparison import LeadChange, SerialComparison
from ecgkt.serial.repeatability import table as repeats
from ecgkt.ui import session
from ecgkt.ui.serial import page as serial_page
from tests.stand_in import LABELS, StandIn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def tracing(heart_rate: float, sex: Any = "male") -> ECG:
    """Ten seconds of P, QRS and T at `heart_rate`, mV."""
    time = np.arange(5000) / 500
    wave = np.zeros_like(time)
    for r in np.arange(0.4, 9.8, 60 / heart_rate):
        for height, at, width in ((0.15, -0.16, 0.02), (1.0, 0.0, 0.012), (0.3, 0.28, 0.045)):
            wave += height * np.exp(-(((time - r - at) / width) ** 2))
    return ECG(np.outer(np.linspace(0.4, 1.5, 12), wave).astype(np.float32), 500.0, age=67, sex=sex)


FLAT = ECG(np.zeros((12, 5000), np.float32), 500.0)
TRACINGS = {
    "early": tracing(60),
    "late": tracing(90),
    "flat": FLAT,
    "woman": tracing(60, "female"),
    "alone": tracing(70),
}


def entry(key: str, patient: int | None, hours: float | None) -> Entry:
    return Entry(
        key, f"The {key} one", "Simulated", True, patient=patient, hours=hours, has_table=key in ("early", "late")
    )


class Folder:
    left_out: tuple[str, ...] = ()
    entries = (
        entry("alone", 1, 0), entry("early", 2, 0), entry("late", 2, 72), entry("flat", 2, 100), entry("woman", 2, 124),
    )  # fmt: skip

    def entry(self, key: str) -> Entry:
        return next(each for each in self.entries if each.key == key)

    def of_same_patient(self, key: str) -> tuple[Entry, ...]:
        return tuple(each for each in self.entries if each.patient == self.entry(key).patient)

    def read(self, key: str) -> ECG:
        return TRACINGS[key]

    def clinical(self, key: str) -> dict[str, float]:
        return {"lab:potassium": 6.2 if key == "late" else 4.0, "biometric:age": 67.0}


class RateModel(StandIn):
    """The faster the heart, the likelier all of it; nothing of a flat line."""

    def predict(self, analyzed: AnalyzedECG) -> Prediction:
        ecg = analyzed.ecg
        if not np.ptp(ecg.signal):
            return Prediction(Quality(False, ("No lead holds a signal.",)))
        beats = int((np.diff((ecg.signal[-1] > 0.8).astype(int)) == 1).sum())
        scores: dict[Head, tuple[Score, ...]] = {
            head: tuple(Score(label, min(0.99, beats / 30 / (i + 1))) for i, label in enumerate(LABELS[head]))
            for head in HEADS
        }
        return Prediction(Quality(True), scores["findings"], {}, scores["diagnoses"], scores["labs"])


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGKT_ECGS", raising=False)
    monkeypatch.setattr(session, "_model", lambda path: RateModel())
    monkeypatch.setattr(session, "_collection", lambda path: Folder())


def opened(page: str = "serial", **parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20).run()
    for name, value in parameters.items():
        app.query_params[name] = value
    if "ecg" in parameters:
        del app.session_state["example"]  # as in a browser, where the address is read before anything was chosen
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return " ".join(str(part.proto.body) for part in app.get("html"))


def spec(app: AppTest, at: int = 0) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[at].proto.spec)  # type: ignore[no-any-return]


def row(app: AppTest, name: str) -> list[str]:
    """Cells of the first table row that begins with `name`."""
    cells = words(app).split(f"<td>{name}</td>")[1].split("</tr>")[0]
    return [cell.split(">", 1)[1].removesuffix("</td>") for cell in cells.split("<td")[1:]]


def pair(app: AppTest) -> tuple[str, str]:
    return app.session_state["serial_before"], app.session_state["example"]


def test_two_of_one_patient_with_what_changed() -> None:
    app = opened(ecg="late", earlier="early")
    assert pair(app) == ("early", "late")
    text = words(app)
    assert "<b>3 days apart</b>" in text
    limit = f"± {repeats()['rate', ''].coefficient:.0f}"
    assert row(app, "Heart rate")[3:] == ["+30", limit, "faster, beyond repeat variation"]
    assert row(app, "QRS duration")[5] in ("no change", "within repeat variation")
    assert "60/min, regular, a P wave before every QRS" in text
    assert "90/min, regular, a P wave before every QRS" in text
    assert "rose above its threshold" in text
    names = [trace["name"] for trace in spec(app)["data"]]
    assert {"before", "now"} <= set(names)
    assert "dashed" in app.get("plotly_chart")[0].proto.alt
    assert app.query_params["earlier"] in ("early", ["early"])


def test_labs_measured_before_and_now_beside_the_predicted() -> None:
    app = opened(ecg="late", earlier="early", serial_tab="Labs: predicted and measured")
    assert row(app, "Potassium")[:3] == ["4", "6.2 high", "+2.2"]
    assert "→" in row(app, "Potassium")[6]
    assert "predicted from the ECG, not measured" in words(app)


def test_swapped_every_change_changes_its_sign() -> None:
    app = opened(ecg="late", earlier="early")
    app.button(key="serial_swap").click().run()
    assert pair(app) == ("late", "early")
    assert row(app, "Heart rate")[3] == "−30"
    assert "in reverse order" in words(app)
    assert "fell below its threshold" in words(app)


def test_tracings_one_above_the_other() -> None:
    app = opened(ecg="late", earlier="early")
    app.button_group(key="serial_view").set_value("Tracings").run()
    charts = app.get("plotly_chart")
    assert [chart.proto.alt.split(":")[0] for chart in charts] == ["Before", "Now"]
    assert [trace["name"] for trace in spec(app, 1)["data"]][-1] == "II"


def test_the_ecg_before_is_chosen_among_the_same_patients() -> None:
    app = opened()
    assert pair(app) == ("early", "late")
    assert len(app.selectbox(key="serial_before_pick").options) == 3
    assert not any("alone" in option for option in app.selectbox(key="serial_now_pick").options)
    app.selectbox(key="serial_now_pick").set_value("woman").run()
    assert pair(app) == ("flat", "woman")  # the nearest before it
    app.selectbox(key="serial_before_pick").set_value("early").run()
    assert pair(app) == ("early", "woman")


def test_doubts_about_both_tracings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRACINGS, "early", replace(tracing(60), age=7.0))
    text = words(opened(ecg="late", earlier="early"))
    assert "ECG before: The patient is under 18" in text
    assert "ECG now: The patient is under 18" not in text


def test_another_sex_is_warned_of() -> None:
    app = opened(ecg="woman", earlier="early")
    assert any("not be of the same patient" in warning.value for warning in app.warning)
    assert not opened(ecg="late", earlier="early").warning


def test_an_ecg_the_model_abstains_from_says_so_and_the_other_keeps_its_numbers() -> None:
    app = opened(ecg="flat", earlier="late")
    assert ["No lead holds a signal." in warning.value for warning in app.warning] == [True]
    assert "ECG now" in app.warning[0].value
    assert row(app, "QT interval")[5] == "not measurable now: fewer than two beats found"
    assert "→ –" in words(app)
    assert not app.get("plotly_chart")


def test_a_folder_that_knows_no_patients_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loose(Folder):
        entries = tuple(replace(each, patient=None, hours=None) for each in Folder.entries)

        def of_same_patient(self, key: str) -> tuple[Entry, ...]:
            return (self.entry(key),)

    monkeypatch.setattr(session, "_collection", lambda path: Loose())
    app = opened(ecg="late", earlier="alone")
    assert pair(app) == ("alone", "late")
    assert "does not identify patients" in app.warning[0].value
    assert "time between the two unknown" in words(app)


def test_a_folder_without_a_second_ecg_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Single(Folder):
        entries = Folder.entries[:1]

    monkeypatch.setattr(session, "_collection", lambda path: Single())
    assert "two ECGs" in opened().info[0].value


# ---- the ways that lead here ----------------------------------------------------------------------------------------


def offer(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.key == "serial_offer"]


def test_the_reading_page_leads_to_the_ecg_before() -> None:
    app = opened("browse")
    assert offer(app) == []  # the first entry's patient has no other
    app.button(key="next").click().run()
    assert offer(app) == ["Compare with a later ECG of this patient, 3 days apart"]
    app.button(key="next").click().run()
    assert offer(app) == ["Compare with an earlier ECG of this patient, 3 days apart"]
    app.button(key="serial_offer").click().run()
    assert not app.exception
    assert pair(app) == ("early", "late")
    assert row(app, "Heart rate")[3] == "+30"


def table(ecg: ECG) -> bytes:
    out = io.BytesIO()
    np.save(out, ecg.signal.T)
    return out.getvalue()


def upload(app: AppTest, key: str, data: bytes, name: str = "a.npy") -> AppTest:
    app.file_uploader(key=key).set_value([(name, data, "application/octet-stream")]).run()
    assert not app.exception
    return app


def test_an_upload_is_compared_with_an_earlier_file_and_kept() -> None:
    app = upload(opened("upload"), "upload", table(tracing(90)))
    assert offer(app) == ["Compare with an earlier ECG"]
    app.button(key="serial_offer").click().run()
    app.switch_page("pages/serial.py").run()  # AppTest goes back to its own page on the next run
    assert not app.get("plotly_chart")
    assert "of this session is used" in words(app)
    upload(app, "serial_file_one", b"rubbish", "b.dcm")
    assert len(app.error) == 1
    assert "of this session is used" in words(app)  # the first one is still there
    upload(app, "serial_file_one", table(tracing(60)))
    assert not app.error
    assert row(app, "Heart rate")[3] == "+30"
    app.button(key="serial_swap").click().run()
    assert row(app, "Heart rate")[3] == "−30"
    assert "a.npy" not in words(app)


def test_two_files_each_with_its_own_form() -> None:
    app = opened()
    app.button_group(key="serial_from").set_value("Your files").run()
    assert "put the earlier ECG under Before" in words(app)
    upload(app, "serial_file_one", table(tracing(60)))
    upload(app, "serial_file_other", table(replace(tracing(60), signal=tracing(60).signal[:, ::2])))
    assert row(app, "Heart rate")[3] == "+60"  # read at 500 Hz each, which is wrong for the second
    app.number_input(key="layout_rateother").set_value(250.0).run()
    assert abs(int(row(app, "Heart rate")[3].replace("−", "-"))) <= 1


def test_a_printed_change_is_that_of_the_printed_values() -> None:
    assert serial_page.shown_change(396.6, 397.4, "ms") == 0
    assert serial_page.shown_change(396.4, 396.6, "ms") == 1
    assert serial_page.shown_change(-0.064, 0.004, "mV") == pytest.approx(0.06)
    assert serial_page.shown_change(170.0, -170.0, DEGREE) == 20
    assert serial_page.shown_change(None, 0.1, "mV") is None
    assert serial_page.signed(serial_page.shown_change(-0.004, 0.001, "mV"), "mV") == "0"


def test_the_summary_tells_where_st_changed_most() -> None:
    def comparison(*leads: tuple[str, float, float]) -> SerialComparison:
        none = (None, None)
        changes = (LeadChange(lead, none, none, none, none, (was, now), none) for lead, was, now in leads)
        return SerialComparison((), tuple(changes), None)

    told = serial_page.summary(comparison(("I", -0.05, 0.0), ("III", 0.2, -0.001), ("V2", 0.1, 0.12)))
    assert "changed most in III, from 0.20 to 0.00 mV" in told
    assert "changed by less than 0.05 mV in every lead" in serial_page.summary(
        comparison(("I", 0.0, 0.01), ("V2", 0.1, 0.12))
    )
    assert "ST" not in serial_page.summary(comparison())
