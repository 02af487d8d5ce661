"""Charts as SVG: what they show is where it should be, and no word in them is markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from training.report.drawing import HEIGHT, WIDTH, Line, chart, intervals, ticks


def parts(drawn: str, tag: str, style: str) -> list[ElementTree.Element]:
    return [each for each in ElementTree.fromstring(drawn).iter(tag) if style in each.get("class", "").split()]


def way(path: ElementTree.Element) -> np.ndarray:
    """[points, 2]"""
    return np.array([pair.split() for pair in path.get("d", "")[1:].split("L")], dtype=float)


def test_ticks_are_few_round_and_within() -> None:
    rng = np.random.default_rng(0)
    for low, span in zip(rng.normal(0, 100, 300), 10 ** rng.uniform(-6, 6, 300), strict=True):
        found = ticks(low, low + span)
        assert 2 <= len(found) <= 6
        assert all(low - 1e-9 * span <= tick <= low + span * (1 + 1e-9) for tick in found)
        steps = np.diff(found)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
        first = float(f"{steps[0]:e}".split("e")[0])
        assert min(abs(first - round_step) for round_step in (1, 2, 2.5, 5, 10)) < 1e-3


def test_a_line_rises_where_its_values_do_and_leaves_out_what_is_no_number() -> None:
    values = [3.0, 1.0, None, float("nan"), 2.0, 2.5]
    drawn = chart("Loss", [Line("a", [(20 * n, value) for n, value in enumerate(values)])], "step")
    (line,) = parts(drawn, "path", "line")
    points = way(line)
    assert len(points) == 4
    assert (np.diff(points[:, 0]) > 0).all()
    assert list(np.sign(np.diff(points[:, 1]))) == [1, -1, -1], "down the page is down in value"
    np.testing.assert_allclose(np.diff(points[:, 0])[1] / np.diff(points[:, 0])[0], 3, rtol=1e-2)
    assert (points > 0).all()
    assert (points < [WIDTH, HEIGHT]).all()


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors() -> None:
    drawn = chart("AUROC", [Line("a", [(500, 0.6), (2000, 0.7), (8000, 0.8)], dots=True)], "patients", log_x=True)
    (line,) = parts(drawn, "path", "line")
    steps = np.diff(way(line)[:, 0])
    assert steps[0] == pytest.approx(steps[1], abs=0.2)
    assert len(parts(drawn, "circle", "dot")) == 3


def test_a_single_point_is_seen_and_nothing_is_drawn_of_nothing() -> None:
    assert len(parts(chart("Loss", [Line("a", [(20, 1.0)])], "step"), "circle", "dot")) == 1
    assert chart("Loss", [Line("a", []), Line("b", [(20, None)])], "step") == ""
    assert intervals("AUROC", [("a", None, None)]) == ""


def test_intervals_lie_as_their_values_do() -> None:
    drawn = intervals(
        "AUROC", [("one", (0.7, 0.6, 0.8), None), ("none", None, None), ("two", (0.9, 0.85, 0.95), (0.65, 0.6, 0.7))]
    )
    lines, dots = parts(drawn, "path", "line"), parts(drawn, "circle", "dot")
    ends = [tuple(map(float, re.fullmatch(r"M([\d.]+) \d+H([\d.]+)", each.get("d", "")).groups())) for each in lines]
    assert [each.text for each in parts(drawn, "text", "name")] == ["one", "two"]
    assert ends[0][0] == ends[2][0] < ends[2][1] < ends[0][1] < ends[1][0] < ends[1][1]
    for (low, high), dot in zip(ends, dots, strict=True):
        assert low < float(dot.get("cx")) < high
    assert "0.700 (0.600 to 0.800)" in ElementTree.fromstring(drawn).get("aria-label", "")


def test_no_word_is_markup() -> None:
    evil = '"><script>alert(1)</script>'
    for drawn in (
        chart(evil, [Line(evil, [(1, 1.0), (2, 2.0)])], evil), intervals(evil, [(evil, (0.7, 0.6, 0.8), None)])
    ):  # fmt: skip
        assert "<script" not in drawn
        assert evil in "".join(ElementTree.fromstring(drawn).itertext())
