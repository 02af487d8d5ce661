"""The median beat on its paper and in numbers, against a beat of known make; relevance folded over the beats."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.amplitudes import amplitudes
from ecgkt.measurements.delineation import Beat, Beats
from ecgkt.measurements.median_beat import MedianBeat, median_beat
from ecgkt.prediction import Attribution, Label
from ecgkt.relevance.beat import folded
from ecgkt.sheet.beat_figure import BeatPaper, alt_text, aspect, figure
from ecgkt.sheet.figure import figure as sheet_figure
from ecgkt.sheet.layout import Paper, cells
from ecgkt.sheet.wave_marks import words

RATE = 500.0
LABEL = Label("labs", "potassium_high", "Hyperkalaemia", "Electrolytes", 0.1, 0.2, "", None, 0, "simulated")
WAVES = Beat(0.30, 0.10, 0.20, 0.25, 0.35, 0.45, 0.65)  # s from the beat's start
WAYS: tuple[Any, ...] = ("Side by side", "Overlaid")


def _beat(lead: str = "V2") -> MedianBeat:
    """Every lead flat but one: P 0.1, Q -0.2, R 1.0, S -0.4, ST -0.15, T 0.3 mV."""
    t = np.arange(round(0.9 * RATE)) / RATE
    row = np.zeros_like(t)
    for height, first, last in (
        (0.1, 0.12, 0.18), (-0.2, 0.26, 0.28), (1.0, 0.29, 0.31),
        (-0.4, 0.32, 0.34), (-0.15, 0.36, 0.44), (0.3, 0.5, 0.6),
    ):  # fmt: skip
        row[(t >= first) & (t < last)] = height
    signal = np.zeros((12, len(t)))
    signal[LEADS.index(lead)] = row
    return MedianBeat(signal, RATE, WAVES, 9)


def test_amplitudes_are_those_of_the_waves() -> None:
    found = {each.lead: each for each in amplitudes(_beat())}
    v2 = found["V2"]
    assert (v2.p, v2.q, v2.r, v2.s, v2.st, v2.t) == pytest.approx((0.1, 0.2, 1.0, 0.4, -0.15, 0.3))
    assert (found["I"].p, found["I"].r, found["I"].st) == (0, 0, 0)


def test_a_wave_that_was_not_found_has_no_height_and_a_complex_without_r_is_an_s() -> None:
    beat = _beat()
    signal = -np.abs(beat.signal)
    bare = MedianBeat(signal, RATE, Beat(0.30, None, None, 0.25, 0.35, None, None), 9)
    v2 = next(each for each in amplitudes(bare) if each.lead == "V2")
    assert (v2.p, v2.t) == (None, None)
    assert (v2.q, v2.r, v2.s) == (0, 0, 1.0)


def _lines(sheet: dict[str, Any]) -> dict[str, Any]:
    return {trace["name"]: trace for trace in sheet["data"] if "meta" not in trace}


@pytest.mark.parametrize("way", WAYS)
def test_every_lead_is_drawn_to_the_scale_that_is_printed(way: Any) -> None:
    beat, paper = _beat(), BeatPaper(way)
    sheet = figure(beat, paper)
    lines = _lines(sheet)
    assert tuple(lines) == LEADS
    printed = next(note["text"] for note in sheet["layout"]["annotations"] if "mm/mV" in note["text"])
    speed, gain = float(printed.split()[0]), float(printed.split()[2])
    v2 = lines["V2"]
    assert np.ptp(v2["y"]) == pytest.approx(1.4 * gain, rel=1e-4)
    assert np.ptp(v2["x"]) == pytest.approx((0.9 - 1 / RATE) * speed, rel=1e-4)
    (left, right), (low, high) = (sheet["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
    assert aspect(beat, paper) == pytest.approx((right - left) / (high - low))
    for line in lines.values():
        assert left <= line["x"].min() < line["x"].max() <= right
        assert low <= line["y"].min() <= line["y"].max() <= high
    go.Figure(sheet)


def test_side_by_side_no_two_leads_share_a_place_and_overlaid_all_do() -> None:
    beat = _beat()
    places = {(float(t["x"][0]), float(t["y"][0])) for t in _lines(figure(beat, BeatPaper("Side by side"))).values()}
    assert len(places) == 12
    assert len({(t["x"][0], t["y"][0]) for t in _lines(figure(beat, BeatPaper("Overlaid"))).values()}) == 1


def test_boundaries_stand_at_their_times() -> None:
    sheet = figure(_beat(), BeatPaper("Overlaid"))
    start = _lines(sheet)["I"]["x"][0]
    strokes = next(trace for trace in sheet["data"] if trace.get("meta") == "boundaries")["x"]
    times = np.unique(np.round((strokes[~np.isnan(strokes)] - start) / 200, 3))
    np.testing.assert_allclose(times, [0.10, 0.20, 0.25, 0.35, 0.45, 0.65], atol=0.002)


def _beats_and_relevance() -> tuple[Beats, Attribution]:
    """R every 0.8 s from 1 s; +2 at each R in V2, -1 at 0.2 s after it in V5."""
    r = np.arange(1.0, 9.0, 0.8)
    relevance = np.zeros((12, 1000), dtype=np.float32)
    for at in r:
        relevance[LEADS.index("V2"), round(100 * at)] = 2
        relevance[LEADS.index("V5"), round(100 * (at + 0.2))] = -1
    shape = [Beat(at, at - 0.2, at - 0.1, at - 0.05, at + 0.05, at + 0.15, at + 0.35) for at in r]
    return Beats(tuple(shape)), Attribution(LABEL, "integrated_gradients", 100.0, relevance)


def test_relevance_of_every_beat_is_laid_on_its_own_time_and_lead() -> None:
    beats, attribution = _beats_and_relevance()
    mean = folded(attribution, beats, _beat())
    for lead, from_r, sign in (("V2", 0.0, 1), ("V5", 0.2, -1)):
        row = mean[LEADS.index(lead)] * sign
        assert np.average(np.arange(len(row)), weights=np.clip(row, 0, None)) / RATE == pytest.approx(
            WAVES.r + from_r, abs=0.01
        )
    assert not mean[LEADS.index("I")].any()


def test_relevance_is_drawn_on_the_lead_and_tells_up_from_down_without_color() -> None:
    beats, attribution = _beats_and_relevance()
    beat = _beat()
    sheet = figure(beat, BeatPaper("Overlaid", shown=100), folded(attribution, beats, beat))
    drawn = [trace for trace in sheet["data"] if trace.get("meta") == "relevance"]
    assert {trace["line"]["dash"] for trace in drawn} == {"solid", "dot"}
    raises = next(trace for trace in drawn if trace["line"]["dash"] == "solid")
    x = raises["x"][~np.isnan(raises["x"])] - _lines(sheet)["I"]["x"][0]
    assert x.min() / 200 == pytest.approx(WAVES.r, abs=0.04)
    assert "Hyperkalaemia" in alt_text(beat, BeatPaper(), attribution)


def test_a_real_beat_is_drawn(shared: Any) -> None:
    import ecgkt

    beat = median_beat(ecgkt.read(shared / "formats" / "waveform_ecg.dcm"))
    assert beat is not None
    for way in WAYS:
        assert len(_lines(figure(beat, BeatPaper(way)))) == 12


def _marked(paper: Paper) -> tuple[np.ndarray, dict[str, Any]]:
    """([waves, 5 points, x and y] of the brackets in mm, the sheet) of a flat tracing."""
    sheet = sheet_figure(ECG(np.zeros((12, 5000), dtype=np.float32), RATE), paper)
    trace = next(trace for trace in sheet["data"] if trace.get("meta") == "boundaries")
    return np.stack([trace["x"], trace["y"]], axis=1).reshape(-1, 5, 2), sheet


@pytest.mark.parametrize(("layout", "speed", "start"), [("3x4", 25, 0.0), ("12x1", 50, 2.0), ("6x2", 25, 0.0)])
def test_brackets_reach_from_onset_to_end_of_every_wave_in_its_place(layout: Any, speed: Any, start: float) -> None:
    beats, _ = _beats_and_relevance()
    paper = Paper(layout, speed=speed, start=start, beats=beats)
    drawn, sheet = _marked(paper)
    times = drawn[:, (0, 2), 0].astype(float) / speed + start  # onset and end
    for cell in cells(paper):
        here = np.isclose(drawn[:, 1, 1], cell.offset - 0.34 * paper.row, atol=1e-3)
        here &= (times[:, 0] >= cell.first - 1e-3) & (times[:, 1] <= cell.last + 1e-3)
        every = [
            (a, b)
            for beat in beats.beats
            for a, b in ((beat.r - 0.2, beat.r - 0.1), (beat.r - 0.05, beat.r + 0.05), (beat.r + 0.15, beat.r + 0.35))
            if a >= cell.first and b <= cell.last
        ]
        np.testing.assert_allclose(times[here], every, atol=1e-4)
    assert {"P", "T"} <= {note["text"] for note in sheet["layout"]["annotations"]}


def test_letters_stand_clear_of_the_names_of_leads() -> None:
    beats, _ = _beats_and_relevance()
    for layout in ("3x4", "6x2", "12x1"):
        paper = Paper(layout, beats=beats)  # type: ignore[arg-type]
        notes = _marked(paper)[1]["layout"]["annotations"]
        letters = [note for note in notes if note["text"] in ("P", "T")]
        assert len(letters) == 2
        names = [note for note in notes if note["text"].startswith("<b>")]
        for letter in letters:
            assert all(name["y"] > letter["y"] for name in names), "no lead is named under the letters"
            assert letter["y"] - paper.y_range[0] > 5, "and the scale's line has room"


def test_brackets_are_said_in_words_and_cost_little() -> None:
    beats, _ = _beats_and_relevance()
    text = words(Paper(beats=beats))
    assert "10 P, 10 QRS, 10 T" in text
    assert "QRS 0.95 to 1.05 s" in text
    assert words(Paper()) == ""
    assert "No wave boundaries" in words(Paper(beats=Beats(())))
    sheet = _marked(Paper("12x1", beats=beats))[1]
    sheet["data"] = [trace for trace in sheet["data"] if trace.get("meta") == "boundaries"]
    assert len(go.Figure(sheet["data"]).to_json()) < 30_000


def test_a_flat_tracing_has_no_beat() -> None:
    assert median_beat(ECG(np.zeros((12, 5000), dtype=np.float32), RATE)) is None
