"""Charts of several values with their intervals."""

from __future__ import annotations

import pytest

from ecgkt.ui.widgets import charts


@pytest.mark.parametrize(
    ("values", "reference", "is_far"),
    [
        ([(0.97, 0.95, 1.0), (0.9, 0.85, 0.94)], 0.5, True),  # crowded at one end
        ([(0.97, 0.95, 1.0), (0.62, 0.55, 0.7)], 0.5, False),
        ([(0.01, -0.02, 0.03), (0.02, 0.01, 0.04)], 0.0, False),
        ([None], 0.5, False),
    ],
)
def test_no_effect_is_in_view_unless_the_values_would_be_crowded(
    values: list[tuple[float, float, float] | None], reference: float, is_far: bool
) -> None:
    layout = charts.forest([str(n) for n in range(len(values))], [("one", values)], "AUROC", reference)["layout"]
    low, high = layout["xaxis"]["range"]
    assert (not low <= reference <= high) == is_far
    assert ("off this axis" in layout["xaxis"]["title"]["text"]) == is_far
    assert bool(layout["shapes"]) != is_far
    for value in values:
        assert value is None or low <= value[1] <= value[2] <= high
