"""Measured intervals in words."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import ECG
from ecgkt.measurements.intervals import Measured, measure
from ecgkt.measurements.normal_limits import Limit
from ecgkt.measurements.wording import FLAGS, flag


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        ("QRS duration", "ms", ["narrow", "", "", "wide"]),
        ("QRS axis", "°", ["left axis deviation", "", "", "right axis deviation"]),
        ("R/S transition", "V lead", ["early", "", "", "late"]),
        ("Cornell voltage", "mV", ["low", "", "", "high"]),
    ],
)
def test_a_flag_is_said_in_the_words_of_the_field(name: str, unit: str, words: list[str]) -> None:
    values = (9, 10, 20, 21)  # the limits themselves are normal
    assert [flag(Measured(name, unit, value, limit=Limit(10, 20, ""))) for value in values] == words
    assert flag(Measured(name, unit, None, limit=Limit(10, 20, ""))) == ""
    assert flag(Measured(name, unit, 5)) == ""


@pytest.mark.parametrize(("degrees", "words"), [(-133, "extreme axis"), (-60, "left axis deviation"), (20, "")])
def test_an_axis_beyond_minus_90_is_neither_left_nor_right(degrees: float, words: str) -> None:
    assert flag(Measured("QRS axis", "°", degrees, limit=Limit(-30, 90, ""))) == words
    assert flag(Measured("T axis", "°", degrees, limit=Limit(15, 75, "")))[:7] == {-133: "extreme", -60: "leftwar"}.get(
        degrees, ""
    )


@pytest.mark.parametrize(
    ("name", "unit", "value", "words"),
    [
        ("Heart rate", "/min", 100.4, ""),
        ("Heart rate", "/min", 100.6, "fast"),
        ("QRS duration", "ms", 110.4, ""),
        ("Cornell voltage", "mV", 100.004, ""),
    ],
)
def test_what_is_printed_as_the_limit_is_not_flagged(name: str, unit: str, value: float, words: str) -> None:
    high = round(value) if words == "" else 100
    assert flag(Measured(name, unit, value, limit=Limit(None, high, ""))) == words


def test_every_name_with_words_of_its_own_is_one_that_is_measured() -> None:
    assert set(FLAGS) <= {row.name for row in measure(ECG(np.zeros((12, 1000), np.float32), 500.0)).rows}
