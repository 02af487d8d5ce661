"""The sheet: millimeters, lead placement by name, scale, filter and words; relevance on it is in test_overlay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import ecgkt
from ecgkt.ecg import ECG, LEADS
from ecgkt.sheet.figure import alt_text, figure, scale_text
from ecgkt.sheet.layout import GAINS, LAYOUTS, SPEEDS, Paper, cells
from ecgkt.sheet.polyline import thin


def _levels(seconds: float = 10.0, rate: float = 500.0) -> ECG:
    """Lead number i is a constant of 0.1 * i mV, so a drawn value tells which lead it came from."""
    return ECG(np.repeat(np.arange(12, dtype=np.float32)[:, None] / 10, int(seconds * rate), axis=1), rate)


def _drawn(sheet: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in sheet["data"] if "meta" not in trace]


@pytest.mark.parametrize("gain", GAINS)
def test_one_millivolt_is_the_gain_in_millimeters(gain: int) -> None:
    paper = Paper(gain=gain)
    for trace, cell in zip(_drawn(figure(_levels(), paper)), cells(paper), strict=True):
        millivolts = LEADS.index(cell.lead) / 10
        np.testing.assert_allclose(trace["y"], cell.offset + millivolts * gain, atol=1e-4)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("rate", [100.0, 500.0, 1000.0])
def test_one_second_is_the_paper_speed_in_millimeters_at_any_sampling_rate(speed: int, rate: float) -> None:
    ecg = _levels(10, rate)
    spike = ecg.signal.copy()
    spike[:, int(4 * rate)] = 3.0  # at 4 s
    rhythm = _drawn(figure(ECG(spike, rate), Paper(speed=speed)))[-1]
    at = rhythm["x0"] + int(np.argmax(rhythm["y"])) * rhythm["dx"]
    assert at == pytest.approx(4 * speed, abs=0.01 * speed)  # half a bucket of 20 ms at most


def test_axes_have_square_millimeters_and_a_grid_of_1_and_5() -> None:
    layout = figure(_levels())["layout"]
    assert (layout["yaxis"]["scaleanchor"], layout["yaxis"]["scaleratio"]) == ("x", 1)
    for axis in (layout["xaxis"], layout["yaxis"]):
        assert (axis["dtick"], axis["minor"]["dtick"]) == (5, 1)


@pytest.mark.parametrize(("gain", "speed"), [(10, 25), (5, 50), (20, 25)])
def test_calibration_pulse_is_one_millivolt_and_200_ms_on_each_row(gain: int, speed: int) -> None:
    paper = Paper("12x1", gain, speed)
    pulse = next(trace for trace in figure(_levels(), paper)["data"] if trace.get("meta") == "calibration")
    for row in {cell.offset for cell in cells(paper)}:
        top = pulse["x"][pulse["y"] == row + gain]
        assert np.ptp(top) == pytest.approx(0.2 * speed)
        assert top.max() < 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_lead_stands_once_and_the_rhythm_lead_below(layout: Any) -> None:
    names = [cell.lead for cell in cells(Paper(layout, rhythm="V1"))]
    assert sorted(names[:12]) == sorted(LEADS)  # each of the twelve, none twice
    assert names[12:] == (["V1"] if layout == "3x4" else [])
    labels = [note["text"] for note in figure(_levels(), Paper(layout, rhythm="V1"))["layout"]["annotations"]]
    assert labels[:-1] == [f"<b>{name}</b>" for name in names]


def test_columns_run_on_in_time_above_the_rhythm_strip() -> None:
    places = {cell.lead: cell for cell in cells(Paper())[:12]}
    assert [places[lead].first for lead in ("I", "aVR", "V1", "V4")] == [0, 2.5, 5, 7.5]
    assert places["I"].offset > places["II"].offset > places["III"].offset
    assert places["aVF"].offset == places["III"].offset == places["V3"].offset == places["V6"].offset


def test_6x2_has_the_limb_leads_beside_the_chest_leads() -> None:
    places = cells(Paper("6x2"))
    assert [(c.lead, c.first, c.last) for c in places[:6]] == [(lead, 0, 5) for lead in LEADS[:6]]
    assert [(c.lead, c.first, c.last) for c in places[6:]] == [(lead, 5, 10) for lead in LEADS[6:]]
    assert [c.offset for c in places[:6]] == [c.offset for c in places[6:]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cabrera_runs_round_the_frontal_plane_with_avr_turned_over(layout: Any) -> None:
    """Projections of a vector at 60° onto leads at -30°, 0°, 30°, ... are a cosine, which -aVR continues smoothly."""
    angles = np.deg2rad([0, 60, 120, -150, -30, 90])  # I, II, III, aVR, aVL, aVF
    signal = np.zeros((12, 5000), dtype=np.float32)
    signal[:6] = np.cos(angles - np.deg2rad(60))[:, None]
    paper = Paper(layout, order="cabrera")
    sheet = figure(ECG(signal, 500.0), paper)
    drawn = [(t["y"][0] - c.offset) / 10 for t, c in zip(_drawn(sheet), cells(paper), strict=True)][:6]
    np.testing.assert_allclose(drawn, np.cos(np.deg2rad(np.arange(-30, 121, 30) - 60)), atol=1e-5)
    assert "<b>−aVR</b>" in [note["text"] for note in sheet["layout"]["annotations"]]


def test_leads_are_placed_by_name_in_mimic_order() -> None:
    order = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"]  # MIMIC-IV-ECG's own
    millivolts = np.repeat(np.arange(12.0)[:, None] / 10, 5000, axis=1)
    ecg = ECG.from_leads(order, millivolts, 500.0)
    drawn = {
        cell.lead: trace["y"][0] - cell.offset for trace, cell in zip(_drawn(figure(ecg)), cells(Paper()), strict=True)
    }
    assert drawn["aVF"] == pytest.approx(4.0, abs=1e-4)
    assert drawn["aVL"] == pytest.approx(5.0, abs=1e-4)


def test_thinning_keeps_every_extreme_and_its_place() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=10_007).astype(np.float32)
    values[4321] = 50
    thinned, per_point = thin(values, 2000)
    assert len(thinned) <= 2002
    assert thinned.max() == 50
    assert thinned.min() == values.min()
    assert abs(np.argmax(thinned) * per_point - 4321) <= 2 * per_point


def test_thinning_keeps_what_was_not_recorded_open() -> None:
    values = np.zeros(10_000, dtype=np.float32)
    values[2000:4000] = np.nan
    thinned, per_point = thin(values, 1000)
    assert np.isnan(thinned).mean() == pytest.approx(0.2, abs=0.01)
    assert not np.isnan(thinned[: int(1990 / per_point)]).any()


def test_a_later_sheet_starts_at_its_own_zero() -> None:
    ecg = _levels(30)
    ecg.signal[:, 12 * 500] = 3.0
    rhythm = _drawn(figure(ecg, Paper(start=10)))[-1]
    assert rhythm["x0"] + int(np.argmax(rhythm["y"])) * rhythm["dx"] == pytest.approx(50, abs=0.3)


def test_scale_and_filter_are_printed_and_the_rate_is_not_taken_for_the_speed() -> None:
    printed = scale_text(_levels(rate=1000), Paper(gain=5, speed=50))
    assert "50 mm/s" in printed
    assert "5 mm/mV" in printed
    assert "unfiltered, 1000 Hz" in printed
    assert printed in [
        note["text"] for note in figure(_levels(rate=1000), Paper(gain=5, speed=50))["layout"]["annotations"]
    ]


def test_a_monitor_filter_is_said_on_the_sheet_and_in_words() -> None:
    paper = Paper(filter="monitor")
    notes = [note["text"] for note in figure(_levels(), paper)["layout"]["annotations"]]
    assert any("MONITOR 0.5–40 Hz, not for diagnosis" in text for text in notes)
    assert "MONITOR 0.5–40 Hz" in alt_text(_levels(), paper)
    assert "MONITOR" not in alt_text(_levels(), Paper())


def test_plotly_accepts_the_sheet_of_a_real_recording(shared: Path) -> None:
    ecg = ecgkt.read(shared / "formats" / "waveform_ecg.dcm")
    for paper in (Paper(), Paper("12x1", 20, 50, dark=True), Paper("6x2", order="cabrera", filter="monitor")):
        assert len(go.Figure(figure(ecg, paper)).data) == 1 + len(cells(paper))
