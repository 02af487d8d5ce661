"""Figures with their intervals in words."""

from __future__ import annotations

from typing import Any

import pytest

from ecgkt.ui.results import performance


@pytest.mark.parametrize("value", [None, [], [0.7, None, 0.8], [float("nan")] * 3])
def test_what_was_not_measured_is_not_a_number(value: Any) -> None:
    assert performance.interval(value) is None
    assert performance.words(None) == "–"
