"""Calipers: millimeters to milliseconds and millivolts at any scale, and which lead a box belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgkt.ecg import ECG, LEADS
from ecgkt.sheet.calipers import Measurement, between, measure, outlines
from ecgkt.sheet.layout import GAINS, LAYOUTS, SPEEDS, Paper, cells


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("speed", SPEEDS)
def test_five_by_ten_millimeters_at_any_scale(gain: int, speed: int) -> None:
    found = measure((10, 15), (-2, 8), Paper("12x1", gain, speed))
    assert found is not None
    assert found.milliseconds == pytest.approx(5 / speed * 1000)
    assert found.millivolts == pytest.approx(10 / gain)


def test_rate_of_a_cycle_and_none_for_what_is_no_cycle() -> None:
    cycle = measure((20, 40), (-1, 1), Paper())
    assert cycle is not None
    assert cycle.milliseconds == pytest.approx(800)
    assert cycle.per_minute == pytest.approx(75)
    assert Measurement(1.0, 1.09).per_minute is None


def test_the_calipers_of_the_keyboard_reach_from_the_lowest_to_the_highest_point_between_them() -> None:
    signal = np.zeros((12, 1000), dtype=np.float32)
    signal[LEADS.index("aVL"), 100:200] = np.linspace(-0.5, 1.0, 100)
    ecg = ECG(signal, 500.0)
    assert between(ecg, "aVL", 0.1, 0.6) == between(ecg, "aVL", 0.6, 0.1) == Measurement(0.1, 0.6, "aVL", -0.5, 1.0)
    assert between(ecg, "I", 0.1, 0.6) == Measurement(0.1, 0.6, "I", 0.0, 0.0)
    assert between(ecg, "I", 0.5, 0.5) is None
    signal[:, 600:] = np.nan
    assert between(ecg, "I", 1.5, 1.9) is None


def test_edges_may_come_in_any_order() -> None:
    assert measure((40, 20), (5, -5), Paper()) == measure((20, 40), (-5, 5), Paper())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("speed", SPEEDS)
def test_a_box_round_a_zero_line_belongs_to_its_lead(layout: Any, speed: int) -> None:
    paper = Paper(layout, speed=speed, rhythm="V1", start=3.0)
    for cell in cells(paper):
        left = (cell.first - paper.start) * speed + 4
        found = measure((left, left + 10), (cell.offset - 1, cell.offset + 4), paper)
        assert found is not None
        assert (found.lead, found.low, found.high) == (cell.lead, pytest.approx(-0.1), pytest.approx(0.4))
        assert found.first == pytest.approx(cell.first + 4 / speed)


def test_a_box_above_its_zero_line_belongs_to_the_nearest() -> None:
    found = measure((10, 12), (-25, -22), Paper())  # rows of 3x4 lie 27 mm apart: 2 mm above lead II
    assert found is not None
    assert (found.lead, found.low) == ("II", pytest.approx(0.2))


def test_a_box_over_several_leads_is_read_as_time_alone() -> None:
    over_rows = measure((10, 30), (-30, 5), Paper())
    over_columns = measure((50, 75), (-2, 5), Paper())  # the second column of 3x4 begins at 62.5 mm
    for found in (over_rows, over_columns):
        assert found is not None
        assert found.lead is None
        assert found.millivolts is None
    assert over_rows == Measurement(10 / 25, 30 / 25)


def test_only_what_lies_on_the_tracing_is_measured() -> None:
    assert measure((-6, -1), (0, 10), Paper()) is None  # the calibration pulse
    assert measure((20, 20), (0, 10), Paper()) is None
    cut = measure((240, 270), (-109, -80), Paper())
    assert cut is not None
    assert cut.last == pytest.approx(10)


def test_minus_avr_is_measured_in_the_polarity_of_avr() -> None:
    paper = Paper("12x1", order="cabrera")
    place = next(cell for cell in cells(paper) if cell.lead == "aVR")
    found = measure((10, 20), (place.offset - 1, place.offset + 5), paper)
    assert found == Measurement(0.4, 0.8, "aVR", pytest.approx(-0.5), pytest.approx(0.1))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["standard", "cabrera"])
def test_a_box_is_drawn_again_where_it_was_drawn(layout: Any, order: Any) -> None:
    paper = Paper(layout, 20, 50, order=order, start=1.0)
    for cell in cells(paper)[:12]:
        left = (cell.first - paper.start) * 50 + 2
        found = measure((left, left + 9), (cell.offset - 1, cell.offset + 4), paper)
        assert found is not None
        drawn = outlines([found], paper, "#000")["shapes"]
        boxes = [[shape[edge] for edge in ("x0", "x1", "y0", "y1")] for shape in drawn]
        assert pytest.approx([left, left + 9, cell.offset - 1, cell.offset + 4]) in boxes


def test_a_measurement_shows_only_where_its_time_is_shown() -> None:
    one = Measurement(6.0, 6.4, "V1", 0, 1)
    assert len(outlines([one], Paper(), "#000")["shapes"]) == 1  # V1 stands in the third column, 5 to 7.5 s
    assert len(outlines([one], Paper(rhythm="V1"), "#000")["shapes"]) == 2
    assert not outlines([one], Paper("3x4", 10, 50), "#000")["shapes"]  # there it shows 2.5 to 3.75 s
    assert len(outlines([Measurement(1, 8)], Paper("6x2"), "#000")["shapes"]) == 1
