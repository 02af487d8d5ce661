"""The report: true to scale in the PDF's own drawing operators, complete as JSON, silent on whom it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image
from pypdf import PageObject, PdfReader
from pypdf.generic import ContentStream

from ecgkt import NOTICE
from ecgkt.ecg import ECG, LEADS
from ecgkt.interpretation.record import Record
from ecgkt.prediction import HEADS, Attribution, Head, Label, Prediction, Quality, Score
from ecgkt.report import content, document, drawing
from ecgkt.sheet.layout import Layout, Paper

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
MM = 25.4 / 72  # of a PDF's unit, 1/72 inch
MODEL = SimpleNamespace(name="stand-in", sha256="0123456789abcdef" * 4, card=SimpleNamespace(created="2026-11-01"))
LEARNT = {"findings": "simulated and real", "diagnoses": "simulated", "labs": "simulated"}


def _label(head: Head, code: str, name: str) -> Label:
    lab = {"lab": "potassium", "direction": "high", "unit": "mmol/L", "limit": 5.1} if head == "labs" else {}
    return Label(head, code, name, "group", 0.1, 0.4, "best F1", (0.8, 0.7, 0.9), 9, LEARNT[head], **lab)  # type: ignore[arg-type]


SCORES = {
    "findings": [Score(_label("findings", "AFIB", "Atrial fibrillation"), 0.123456789)],
    "diagnoses": [Score(_label("diagnoses", f"I{k}", f"Disease {k}"), 1 - k / 100) for k in range(40)],
    "labs": [Score(_label("labs", "potassium_high", "Hyperkalaemia"), 0.81)],
}
SAYS = Prediction(Quality(True), superclasses={"NORM": 0.25}, **{head: tuple(SCORES[head]) for head in HEADS})
ABSTAINS = Prediction(Quality(False, ("No signal in V2.", "The tracing is too noisy.")))


def _beats(seconds: float = 10.0, rate: float = 500.0) -> ECG:
    """One beat a second with a QRS and a T wave, alike in all leads but for its height."""
    t = np.arange(int(seconds * rate)) / rate % 1
    wave = np.exp(-((t - 0.4) ** 2) / 2 / 0.012**2) + 0.3 * np.exp(-((t - 0.7) ** 2) / 2 / 0.04**2)
    return ECG((np.linspace(0.4, 1.2, 12)[:, None] * wave).astype(np.float32), rate, 67.0, "female")


def _attribution(ecg: ECG, method: str = "integrated_gradients") -> Attribution:
    relevance = np.zeros((12, int(ecg.seconds * 100)), np.float32)
    relevance[LEADS.index("V2"), 30:50] = 1
    relevance[LEADS.index("II"), 130:150] = -0.9
    return Attribution(SCORES["labs"][0].label, method, 100.0, relevance)


def _report(ecg: ECG | None = None, paper: Paper | None = None, **more: Any) -> dict[str, Any]:
    ecg = _beats() if ecg is None else ecg
    arguments: dict[str, Any] = {"prediction": SAYS, "attribution": _attribution(ecg), "today": date(2026, 11, 25)}
    arguments |= more
    return content.build(ecg, arguments.pop("prediction"), cast(content.Identity, MODEL), paper, **arguments)


def _pdf(data: dict[str, Any]) -> PdfReader:
    return PdfReader(BytesIO(document.pdf(data)))


def _tracing(ecg: ECG | None = None, paper: Paper | None = None) -> PageObject:
    """The first page; of a report that has no other, which is drawn sooner."""
    return _pdf(_report(ecg, paper, prediction=ABSTAINS, attribution=None)).pages[0]


@pytest.fixture(scope="module")
def usual() -> PdfReader:
    return _pdf(_report(paper=Paper(filter="monitor"), simulated=True))


def _operations(page: PageObject) -> Iterator[tuple[list[Any], bytes]]:
    yield from ContentStream(page.get_contents(), page.pdf).operations


def _lines(page: PageObject) -> list[np.ndarray]:
    """Every polyline of a page as [points, 2] in mm from the lower left corner, read from its operators."""
    found: list[list[tuple[float, float]]] = []
    for operands, operator in _operations(page):
        if operator == b"m":
            found.append([])
        if operator in (b"m", b"l"):
            found[-1].append((float(operands[0]) * MM, float(operands[1]) * MM))
    return [np.array(line) for line in found]


def _texts(reader: PdfReader) -> list[str]:
    return [page.extract_text() for page in reader.pages]


def _traces(page: PageObject, points: int) -> list[np.ndarray]:
    return [line for line in _lines(page) if len(line) == points]


@pytest.mark.parametrize(("gain", "speed"), [(10, 25), (5, 50), (20, 25)])
def test_a_pulse_is_one_millivolt_high_and_200_ms_wide_on_paper(gain: int, speed: int) -> None:
    page = _tracing(paper=Paper(gain=gain, speed=speed))
    pulses = [line for line in _lines(page) if len(line) == 6 and line[0, 1] == line[-1, 1] != line[2, 1]]
    assert len(pulses) == 4  # one a row
    for pulse in pulses:
        assert np.ptp(pulse[:, 1]) == pytest.approx(gain, abs=0.001)
        assert pulse[3, 0] - pulse[2, 0] == pytest.approx(0.2 * speed, abs=0.001)


@pytest.mark.parametrize(("layout", "points", "columns"), [("3x4", 5000, 1), ("6x2", 2500, 2), ("12x1", 5000, 1)])
def test_every_sample_is_drawn_in_its_place(layout: Layout, points: int, columns: int) -> None:
    ecg = _beats()
    page = _tracing(ecg, Paper(layout))
    traces = _traces(page, points)
    assert len(traces) == (1 if layout == "3x4" else 12)
    for trace in traces:
        assert np.diff(trace[:, 0]) == pytest.approx(25 / 500, abs=1e-4)  # 25 mm a second
    millivolts = ecg.signal[LEADS.index("II" if layout == "3x4" else "I"), :points]
    drawn = traces[0][:, 1] - traces[0][0, 1]
    np.testing.assert_allclose(drawn, 10 * (millivolts - millivolts[0]), atol=0.011)  # 10 mm a millivolt, 1 uV kept
    if columns == 2:
        assert traces[6][0, 0] - traces[0][0, 0] == pytest.approx(125, abs=0.001)


def test_the_grid_has_square_millimeters_that_the_tracing_stands_on() -> None:
    page = _tracing()
    straight = [line for line in _lines(page) if len(line) == 2]
    for axis, other in ((0, 1), (1, 0)):
        places = [line[0, axis] for line in straight if line[0, axis] == line[1, axis] and np.ptp(line[:, other]) > 100]
        fine = np.unique(np.round(places, 3))
        assert np.diff(fine) == pytest.approx(1, abs=0.002)
        twice = [place for place in fine if np.isclose(places, place, atol=0.002).sum() == 2]
        assert np.diff(twice) == pytest.approx(5, abs=0.002)
        trace = _traces(page, 5000)[0]
        assert axis == 1 or np.isclose(twice, trace[0, 0], atol=0.002).any()  # time 0 lies on a heavy line


def test_pages_are_a4_landscape_with_a_wish_for_actual_size(usual: PdfReader) -> None:
    assert len(usual.pages) == 3
    for page in usual.pages:
        assert float(page.mediabox.width) * MM == pytest.approx(297, abs=0.01)
        assert float(page.mediabox.height) * MM == pytest.approx(210, abs=0.01)
    assert usual.root_object["/ViewerPreferences"]["/PrintScaling"] == "/None"  # type: ignore[index]


def test_everything_is_drawn_in_vectors(usual: PdfReader) -> None:
    for page in usual.pages:
        assert not page["/Resources"]["/XObject"].get_object()  # type: ignore[index]
        assert b"BI" not in [operator for _, operator in _operations(page)]  # no image between the lines either


def test_what_must_be_read_stands_there_as_text(usual: PdfReader) -> None:
    first, lines, second = _texts(usual)
    for text in (first, lines, second):
        for words in (NOTICE, "Female", "60–69 years", "simulated patient", "stand-in of 2026-11-01", "2026-11-25"):
            assert words in text
    assert "25 mm/s   10 mm/mV   filter: MONITOR 0.5–40 Hz, not for diagnosis" in first
    assert "60 /min" in first
    assert MODEL.sha256 in second
    assert "Hyperkalaemia 81% 40% sim." in second
    assert "AFIB 12% 40% sim. + real" in second
    assert "50 to 100" in second
    assert "What contributes to the score: Hyperkalaemia" in second
    said = (
        r"81%, above its threshold of 40%. The QRS complex raises the score most \(\d\d% of the contribution raises it"
    )
    printed = " ".join(second.split())
    assert re.search(said, printed)
    assert "Criterion: T above 5 mm in a limb lead or 10 mm in a chest lead" in printed
    assert "22 of 40, 18 more of them above the threshold" in second


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_all_leads_are_named_in_any_layout_and_order(layout: Layout) -> None:
    text = _tracing(paper=Paper(layout, order="cabrera", rhythm="V1")).extract_text().split()
    for lead in LEADS:
        name = "−aVR" if lead == "aVR" else lead
        assert text.count(name) == 1 + (layout == "3x4" and lead == "V1")


def test_the_json_holds_the_explanation_s_own_numbers_and_the_samples() -> None:
    ecg = _beats()
    ecg.signal[0, 100:200] = np.nan
    data = json.loads(document.as_json(_report(ecg, Paper(start=0.2))))
    for head in HEADS:
        assert [score["probability"] for score in data[head]] == [score.probability for score in SCORES[head]]
        assert {score["learned_from"] for score in data[head]} == {LEARNT[head]}
    assert data["superclasses"] == {"NORM": 0.25}
    leads = data["tracing"]["leads"]
    assert [*leads] == list(LEADS)
    np.testing.assert_allclose(leads["V6"], 1000 * ecg.signal[11, 100:], atol=0.5)
    assert leads["I"] == [None] * 100 + [round(1000 * float(value)) for value in ecg.signal[0, 200:]]
    assert data["attribution"]["leads"]["V2"] == {"share": 0.5263, "net": 0.5263}
    classes = data["attribution"]["classes"]
    assert (max(classes["V2"]), max(classes["V1"]), min(classes["II"]) < 0) == (4, 0, True)
    assert classes["V2"].index(4) == pytest.approx(10, abs=3)  # 0.3 s in, on a sheet from 0.2 s


def test_every_key_is_documented() -> None:
    words = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs" / "report.md").read_text()))
    data = _report()

    def keys(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for key, value in part.items():
                yield key
                yield from keys(value)
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            yield from keys(part[0])

    names = {*LEADS, *data["attribution"]["waves"], *data["superclasses"]}
    assert set(keys(data)) - names - words == set()


def test_a_stretch_that_was_not_recorded_lifts_the_pen() -> None:
    ecg = _beats()
    ecg.signal[LEADS.index("II"), 2000:3000] = np.nan
    page = _tracing(ecg)
    assert (len(_traces(page, 2000)), len(_traces(page, 5000))) == (2, 0)


@pytest.mark.parametrize("layout", ["3x4", "12x1"])
def test_an_abstained_ecg_has_its_tracing_and_the_reason(layout: Layout) -> None:
    data = _report(prediction=ABSTAINS, attribution=None, paper=Paper(layout))
    reader = _pdf(data)
    assert len(reader.pages) == 1
    text = _texts(reader)[0]
    assert "The model gives no result for this tracing. No signal in V2. The tracing is too noisy." in text
    assert NOTICE in text
    assert _traces(reader.pages[0], 5000)
    assert (data["findings"], data["attribution"], data["abstained"]) == ([], None, True)


@pytest.mark.parametrize("layout", ["3x4", "12x1"])
def test_doubts_stand_on_both_pages(layout: Layout) -> None:
    doubtful = replace(SAYS, quality=Quality(True, warnings=("Much noise in V1.", "Arm electrodes may be swapped.")))
    for text in _texts(_pdf(_report(prediction=doubtful, paper=Paper(layout)))):
        assert "Warning: Much noise in V1. Arm electrodes may be swapped." in text


def test_the_interpretation_leads_and_the_labs_that_were_measured_stand_beside_it() -> None:
    record = Record(labs={"potassium": 6.4, "sodium": 140.0})
    few = replace(SAYS, diagnoses=SAYS.diagnoses[:1])
    data = _report(prediction=few, record=record, recorded="26 Nov 2026\n08:15")
    assert [(lab["lab"], lab["flag"]) for lab in data["measured_labs"]] == [("potassium", "high"), ("sodium", "normal")]
    first, second, _ = (" ".join(text.split()) for text in _texts(_pdf(data)))
    for line in data["interpretation"]:
        if line["certainty"] not in ("possible", "doubted", "normal"):
            assert line["statement"] in first
        assert line["statement"] in second
    assert "potassium measured 6.4 mmol/L, high" in second
    assert "Sodium 140 mmol/L" in second
    assert all("recorded 26 Nov 2026 08:15" in text for text in (first, second))


def test_no_name_is_cut_short_however_long_it_is() -> None:
    name = "Hypertensive heart and chronic kidney disease with heart failure and stage 1 through stage 4 disease"
    label = replace(SAYS.diagnoses[0].label, code="I130", name=name)
    data = _report(prediction=replace(SAYS, diagnoses=(Score(label, 1.0), *SAYS.diagnoses)))
    assert name in " ".join(_texts(_pdf(data))[2].split())


def test_reasons_longer_than_a_line_are_printed_whole() -> None:
    reasons = tuple(f"Reason number {k} is written out at some length." for k in range(12))
    prediction = Prediction(Quality(False, reasons))
    text = " ".join(_texts(_pdf(_report(prediction=prediction, attribution=None)))[0].split())
    assert all(reason in text for reason in reasons)


def test_a_method_without_signs_and_no_attribution_have_their_page_too(usual: PdfReader) -> None:
    ecg = _beats()
    assert "lowers it" in _texts(usual)[2]
    assert "lowers it" not in _texts(_pdf(_report(ecg, attribution=_attribution(ecg, "saliency"))))[2]
    assert "contributes" not in _texts(_pdf(_report(ecg, attribution=None)))[2]


def test_the_png_is_the_first_page_at_150_dpi() -> None:
    image = Image.open(BytesIO(document.png(_report())))
    assert image.size == pytest.approx((297 / 25.4 * 150, 210 / 25.4 * 150), abs=1)
    assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    pixels = np.asarray(image.convert("L"))
    dark = (pixels < 90).mean()
    assert 0.005 < dark < 0.2


def test_words_for_the_patient_line_are_printed_and_nothing_else_tells_who_it_is() -> None:
    data = _report(patient="Bed 12\nnight $x^2$")
    assert data["patient"] == {
        "sex": "female", "age_band": "60–69 years", "simulated": False, "given": "Bed 12 night $x^2$", "recorded": "",
    }  # fmt: skip
    reader = _pdf(data)
    assert "Bed 12 night $x^2$" in _texts(reader)[0]
    assert set(reader.metadata or {}) == {"/Title", "/Creator", "/CreationDate"}
    assert reader.xmp_metadata is None
    assert "67" not in json.dumps(data["patient"])
    assert set(Image.open(BytesIO(document.png(data))).info) == {"Software", "Title", "dpi"}


def test_letters_beyond_the_report_s_own_font_are_taken_from_the_whole_one() -> None:
    def fonts(page: PageObject) -> set[str]:
        return {str(font.get_object()["/BaseFont"]).split("+")[-1] for font in page["/Resources"]["/Font"].values()}

    latin, cyrillic = (_pdf(_report(patient=words)).pages[0] for words in ("Jörg Šuštar", "Анна Петрова"))
    assert "Jörg Šuštar" in latin.extract_text()
    assert "Анна Петрова" in cyrillic.extract_text()
    assert "DejaVuSans" in fonts(cyrillic) - fonts(latin)


def test_what_a_user_typed_is_one_line_of_text() -> None:
    data = _report(patient="Bed\x00 12\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 100_000)
    assert data["patient"]["given"].startswith("Bed 12 [2J x")
    assert len(data["patient"]["given"]) < 1000


def test_no_words_for_the_patient_line_stay_behind_in_memory() -> None:
    document.pdf(_report(patient="Bed 12"))
    known = drawing.text_width.cache_info().currsize
    document.pdf(_report(patient="Bed 13, and a name"))
    assert drawing.text_width.cache_info().currsize == known
