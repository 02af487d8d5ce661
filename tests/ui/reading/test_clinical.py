"""Measured laboratory values beside the predicted."""

from __future__ import annotations

from ecgkt.ui.reading import clinical
from ecgkt.vocabulary import labs


def test_flag_keeps_the_limits_themselves_normal() -> None:
    potassium = labs()["potassium"]
    limits = (potassium.reference_low, potassium.reference_high)
    assert [clinical.flag(potassium, value) for value in (3.2, *limits, 5.2)] == ["low", "", "", "high"]
