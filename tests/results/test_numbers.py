"""One style for every number on pages and in the model card."""

from __future__ import annotations

import pytest

from ecgkt.results import numbers


def test_small_shares_do_not_read_as_zero() -> None:
    written = [numbers.percent(share) for share in (0.004, 0.0, 0.62, -0.03, float("nan"), None)]
    assert written == ["< 1%", "0%", "62%", "−3%", "–", "–"]
    assert numbers.percent(0.0004, 1) == "< 0.1%"


def test_laboratory_values_have_no_exponent() -> None:
    assert [numbers.measured(value) for value in (0.0123, 4.56, 1234.4)] == ["0.0123", "4.56", "1,234"]
    assert numbers.measured(-0.5, sign=True) == "−0.5"


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (numbers.interval, "−0.019 (−0.044 to 0.005)"),
        (numbers.signed_interval, "−0.019 (−0.044 to +0.005)"),
        (numbers.percent_interval, "−2% (−4% to 1%)"),
    ],
)
def test_an_interval_is_written_with_real_minus_signs(write: object, text: str) -> None:
    assert write((-0.0194, -0.0443, 0.0054)) == text  # type: ignore[operator]
    assert write(None) == "–"  # type: ignore[operator]


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert numbers.signed_interval((-0.0001, -0.001, 0.0004)) == "0.000 (−0.001 to 0.000)"
