"""Measured intervals in words."""

from __future__ import annotations

from ecgkt.measurements.intervals import Measured
from ecgkt.measurements.normal_limits import Limit
from ecgkt.measurements.wording import flag


def test_a_flag_is_said_in_words_whatever_the_direction() -> None:
    def of(unit: str, value: float | None) -> str:
        return flag(Measured("x", unit, value, limit=Limit(10, 20, "")))

    assert [of("ms", value) for value in (9, 10, 20, 21, None)] == ["low", "", "", "high", ""]
    assert [of("°", value) for value in (-30, 15, 90)] == ["to the left", "", "to the right"]
    assert flag(Measured("x", "ms", 5)) == ""
