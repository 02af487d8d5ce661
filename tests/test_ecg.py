"""The ECG itself and what may be said of who it is of."""

from __future__ import annotations

import pytest

from ecgkt.ecg import age_band


@pytest.mark.parametrize(
    ("age", "band"), [(None, "age not known"), (39.9, "30–39 years"), (40, "40–49 years"), (91, "90 years or older")]
)
def test_age_is_shown_as_a_band(age: float | None, band: str) -> None:
    assert age_band(age) == band
