"""Relevance on the sheet in its three ways: in place and time with its lead, signs kept, small, and told in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import ecgkt
from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.delineation import Beat, Beats, delineate
from ecgkt.prediction import Attribution, Label
from ecgkt.relevance.classes import WAYS, Overlay, colors
from ecgkt.sheet.figure import alt_text, figure
from ecgkt.sheet.layout import LAYOUTS, Paper, cells
from ecgkt.sheet.overlay import STRIP

LABEL = Label("labs", "potassium_high", "Hyperkalaemia", "Electrolytes", 0.1, 0.2, "", None, 0, "simulated")
# A beat a second, T from 0.65 to 0.85 s in each.
BEATS = Beats(tuple(Beat(s + 0.5, s + 0.3, s + 0.4, s + 0.45, s + 0.55, s + 0.65, s + 0.85) for s in range(10)))


def _levels(rate: float = 500.0) -> ECG:
    """Lead number i is a constant of 0.1 * i mV, so a drawn value tells which lead it came from."""
    return ECG(np.repeat(np.arange(12, dtype=np.float32)[:, None] / 10, int(10 * rate), axis=1), rate)


def _attribution(*parts: tuple[str, float, float, float], method: str = "integrated_gradients") -> Attribution:
    """Relevance of a value in a lead from one second to another; the rest is 0."""
    relevance = np.zeros((12, 1000), dtype=np.float32)
    for lead, first, last, value in parts:
        relevance[LEADS.index(lead), round(first * 100) : round(last * 100)] = value
    return Attribution(LABEL, method, 100.0, relevance)


def _drawn(paper: Paper, attribution: Attribution, way: Any, shown: int = 100, rate: float = 500.0) -> list[Any]:
    sheet = figure(_levels(rate), paper, attribution, (), Overlay(way, shown), BEATS)
    return [trace for trace in sheet["data"] if trace.get("meta") == "relevance"]


def _place(paper: Paper, lead: str) -> float:
    return next(cell.offset for cell in cells(paper) if cell.lead == lead)


@pytest.mark.parametrize("rate", [100.0, 500.0, 1000.0])
def test_line_lies_under_its_lead_at_its_own_time(rate: float) -> None:
    paper = Paper("12x1")
    (line,) = _drawn(paper, _attribution(("V2", 3.0, 4.0, 1)), "line", 90, rate)
    known = ~np.isnan(line["x"])
    assert line["x"][known].min() / 25 == pytest.approx(3.0, abs=0.05)
    assert line["x"][known].max() / 25 == pytest.approx(4.0, abs=0.05)
    np.testing.assert_allclose(line["y"][known], _place(paper, "V2") + 0.7 * 10, atol=1e-4)


def test_line_follows_a_lead_that_is_turned_over() -> None:
    paper = Paper("12x1", order="cabrera")
    (line,) = _drawn(paper, _attribution(("aVR", 3.0, 4.0, 1)), "line", 90)
    np.testing.assert_allclose(line["y"][~np.isnan(line["y"])], _place(paper, "aVR") - 0.3 * 10, atol=1e-4)


def test_line_is_dashed_and_of_another_color_where_it_lowers_the_score() -> None:
    by_class = colors(signed=True)
    raises, lowers = _drawn(Paper("12x1"), _attribution(("V2", 3, 4, 1), ("II", 6, 7, -1)), "line", 90)
    assert (raises["line"]["dash"], raises["line"]["color"]) == ("solid", by_class[4])
    assert (lowers["line"]["color"], lowers["y"][0]) == (by_class[-4], pytest.approx(_place(Paper("12x1"), "II") + 1))
    assert lowers["line"]["dash"] != "solid"


@pytest.mark.parametrize(("value", "line"), [(1.0, 1), (-1.0, 0)])
@pytest.mark.parametrize("start", [0.0, 2.0])
def test_band_lies_under_its_lead_at_its_own_time(value: float, line: int, start: float) -> None:
    """What raises the score lies in the upper of its two lines of boxes, what lowers it in the lower."""
    paper = Paper("12x1", start=start, speed=50)
    bands = _drawn(paper, _attribution(("V2", 3.0, 4.0, value)), "band")
    assert len(bands) == 12
    for band, cell in zip(bands, cells(paper), strict=True):
        below, half = STRIP["12x1"]
        assert band["y0"] - band["dy"] / 2 == pytest.approx(cell.offset - below - half)
        assert band["y0"] + 1.5 * band["dy"] == pytest.approx(cell.offset - below + half)
        if cell.lead != "V2":
            assert not band["z"].any()
            continue
        assert not band["z"][1 - line].any()
        filled = np.flatnonzero(band["z"][line])
        assert set(np.sign(band["z"][line][filled])) == {np.sign(value)}
        left, right = (band["x0"] + (filled[[0, -1]] + [-0.5, 0.5]) * band["dx"]) / 50 + start
        assert (left, right) == (pytest.approx(3.0, abs=0.03), pytest.approx(4.0, abs=0.03))


def test_band_of_a_row_changes_lead_where_the_tracing_does() -> None:
    attribution = _attribution(("I", 0, 10, 1), ("V1", 0, 10, -1))
    first = _drawn(Paper("3x4"), attribution, "band")[0]["z"]
    assert first.shape == (2, 1000)
    assert (first[1, 5:250] > 0).all()
    assert not first[:, 250:500].any()  # aVR
    assert (first[0, 500:750] < 0).all()
    assert not first[1, 500:750].any()


def test_bars_stand_under_their_wave_up_or_down_and_as_high_as_its_relevance() -> None:
    paper = Paper("12x1")
    attribution = _attribution(("V2", 3.7, 3.8, 2), ("V2", 4.7, 4.8, 1), ("II", 6.7, 6.8, -2))
    raises, lowers, *leads = _drawn(paper, attribution, "bars")
    x, y = raises["x"].reshape(-1, 5), raises["y"].reshape(-1, 5)
    base = _place(paper, "V2") - STRIP["12x1"][0]
    np.testing.assert_allclose(x[:, :4].mean(axis=1) / 25, [3.75, 4.75], atol=0.01)  # the middle of T
    np.testing.assert_allclose(y[:, 0], base)
    assert y[0, 1] - base == pytest.approx(2 * (y[1, 1] - base))
    down = lowers["y"].reshape(-1, 5)
    assert down[0, 1] - (_place(paper, "II") - STRIP["12x1"][0]) == pytest.approx(-(y[0, 1] - base))
    lengths = {
        (trace["name"], lead): float(np.ptp(trace["x"].reshape(-1, 5)[i, :4]))
        for trace in leads
        for i, lead in enumerate(LEADS)
    }
    assert lengths["lead lowers", "II"] == pytest.approx(lengths["lead raises", "V2"] * 2 / 3)
    assert sum(abs(length) > 1e-6 for length in lengths.values()) == 2


@pytest.mark.parametrize("way", WAYS)
def test_relevance_outside_the_part_shown_is_not_drawn(way: Any) -> None:
    drawn = _drawn(Paper("3x4"), _attribution(("V2", 1.6, 1.8, 1)), way)  # V2 stands in the third column: 5 to 7.5 s
    boxes = [trace for trace in drawn if not trace["name"].startswith("lead ")]
    assert all(not np.any(trace["z"] if "z" in trace else ~np.isnan(trace["x"])) for trace in boxes)


@pytest.mark.parametrize("way", WAYS)
def test_without_signs_there_is_one_ramp_in_picture_and_key(way: Any) -> None:
    attribution = _attribution(("V2", 3, 4, 1), ("II", 6, 7, 0.3), method="saliency")
    text = str(figure(_levels(), Paper("12x1"), attribution, (), Overlay(way), BEATS))
    assert not [color for color in colors(signed=True).values() if color in text]
    assert [color for color in colors(signed=False).values() if color in text]
    assert "raises" not in text.replace("'name': 'raises'", "").replace("'name': 'lead raises'", "")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_drawn_of_nothing_and_said_so(way: Any) -> None:
    nothing = _attribution()
    sheet = figure(_levels(), Paper(), nothing, (), Overlay(way, 100), BEATS)
    boxes = [trace for trace in sheet["data"] if trace.get("meta") == "relevance"]
    assert all(not np.any(trace["z"]) for trace in boxes if "z" in trace)
    assert (
        all(np.nanmax(trace["x"], initial=0) == 1 or not len(trace["x"]) for trace in boxes if "x" in trace)
        or way == "bars"
    )
    assert "Nothing" in alt_text(_levels(), Paper(), nothing, Overlay(way), BEATS)


@pytest.mark.parametrize("way", WAYS)
def test_strength_changes_the_picture_and_not_the_words(way: Any) -> None:
    relevance = np.random.default_rng(0).laplace(size=(12, 1000)).astype(np.float32) ** 3
    attribution = Attribution(LABEL, "integrated_gradients", 100.0, relevance)
    little, much = (_drawn(Paper(), attribution, way, shown) for shown in (20, 90))

    def filled(traces: list[Any]) -> int:
        return sum(int(np.count_nonzero(t["z"])) if "z" in t else len(t["x"]) for t in traces)

    assert 0 < filled(little) < filled(much)
    few, many = (alt_text(_levels(), Paper(), attribution, Overlay(way, shown), BEATS) for shown in (20, 90))
    assert few == many.replace("the strongest 90%", "the strongest 20%")


@pytest.mark.parametrize("way", WAYS)
def test_alternative_text_says_the_way_and_the_strongest_regions(way: Any) -> None:
    attribution = _attribution(("V5", 3.65, 3.85, 2), ("II", 6.65, 6.85, -1))
    text = alt_text(_levels(), Paper(), attribution, Overlay(way), BEATS)
    assert "Overlaid: contributions to the score for Hyperkalaemia" in text
    assert WAYS[way] in text
    assert "T wave in V5, 67% of the total contribution, raises the score; T wave in II, 33%" in text


def test_rhythm_is_said_on_the_sheet_since_no_lead_shows_it() -> None:
    relevance = _attribution(("V5", 3.65, 3.85, 1)).relevance
    attribution = Attribution(LABEL, "integrated_gradients", 100.0, relevance, rhythm=-20.0)
    notes = [note["text"] for note in figure(_levels(), Paper(), attribution)["layout"]["annotations"]]
    assert "RR \N{MINUS SIGN}50%" in notes
    assert not any("RR" in note["text"] for note in figure(_levels(), Paper(), _attribution())["layout"]["annotations"])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("signed", [True, False])
def test_first_sight_stays_below_300_kb_even_where_all_relevance_is_drawn(layout: Any, way: Any, signed: bool) -> None:
    rng = np.random.default_rng(0)
    noise = rng.laplace(size=(12, 1000)).astype(np.float32)
    attribution = (
        Attribution(LABEL, "integrated_gradients", 100.0, noise)
        if signed
        else Attribution(LABEL, "saliency", 100.0, np.abs(noise))
    )
    peaks = np.arange(0.2, 9.8, 0.3)
    fast = Beats(tuple(Beat(t, t - 0.12, t - 0.08, t - 0.04, t + 0.04, t + 0.08, t + 0.16) for t in peaks))
    for rate in (500.0, 1000.0):
        ecg = ECG(rng.normal(size=(12, int(10 * rate))).astype(np.float32), rate)
        sheet = figure(ecg, Paper(layout), attribution, (), Overlay(way, 100), fast)
        assert len(go.Figure(sheet).to_json()) < 300_000


@pytest.mark.parametrize("way", WAYS)
def test_plotly_accepts_the_sheet_of_a_real_recording(shared: Path, way: Any) -> None:
    ecg = ecgkt.read(shared / "formats" / "waveform_ecg.dcm")
    noise = np.random.default_rng(0).normal(size=(12, round(ecg.seconds * 100))).astype(np.float32)
    attribution = Attribution(LABEL, "integrated_gradients", 100.0, noise)
    for paper in (Paper(), Paper("12x1", 20, 50, dark=True), Paper("6x2", order="cabrera", filter="monitor")):
        given = figure(ecg, paper, attribution, (), Overlay(way), delineate(ecg))
        found = figure(ecg, paper, attribution, (), Overlay(way))  # beats found by itself
        assert go.Figure(given) == go.Figure(found)
