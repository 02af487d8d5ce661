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
    (title,) = layout["annotations"]
    assert ("off this axis" in title["text"]) == is_far
    assert bool(layout["shapes"]) != is_far
    for value in values:
        assert value is None or low <= value[1] <= value[2] <= high


def test_long_names_leave_room_for_the_chart_on_a_phone() -> None:
    """About 6 px a letter: two thirds of a window of 390 px at most. What does not fit is cut, and says so."""
    rows = ["Paced rhythm", "Wolff-Parkinson-White pattern of the left side", "ST elevation (STEMI) " * 4]
    ticks = charts.forest(rows, [("one", [None, None, None])], "AUROC")["layout"]["yaxis"]["ticktext"]
    assert ticks[0] == rows[0]
    assert ticks[1].replace("<br>", " ") == rows[1]
    assert ticks[2].endswith("…")
    for tick in ticks:
        lines = tick.split("<br>")
        assert len(lines) <= 2
        assert max(len(line) for line in lines) <= 30


def test_the_title_under_short_axes_ends_where_the_chart_does() -> None:
    """Plotly puts it under the middle of the axis, from where it ran out of a narrow window."""
    layout = charts.forest(["one"], [("one", [(0.6, 0.5, 0.7)])], "AUROC, chance is 0.5")["layout"]
    (title,) = layout["annotations"]
    assert (title["x"], title["xref"], title["xanchor"]) == (1, "paper", "right")
    assert not layout["xaxis"]["title"]["text"]
