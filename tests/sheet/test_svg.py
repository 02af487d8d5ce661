"""The first picture of the sheet: the same millimeters as the chart that takes its place."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ecgkt.ecg import ECG, LEADS
from ecgkt.sheet.figure import figure
from ecgkt.sheet.layout import LAYOUTS, Paper, cells
from ecgkt.sheet.svg import svg

SPACE = "{http://www.w3.org/2000/svg}"


def _picture(ecg: ECG, paper: Paper) -> ElementTree.Element:
    return ElementTree.fromstring(svg(figure(ecg, paper)))


def _points(path: ElementTree.Element) -> list[np.ndarray]:
    """[points, 2] in mm, y upwards, of each stretch between two lifts of the pen."""
    stretches = []
    for part in path.attrib["d"].split("M")[1:]:
        numbers = np.array([float(x) for x in re.findall(r"-?[\d.]+", part)]).reshape(-1, 2)
        stretches.append(np.cumsum(numbers, axis=0) * (1, -1))
    return stretches


def _drawn(picture: ElementTree.Element, paper: Paper) -> list[ElementTree.Element]:
    return picture.findall(f"{SPACE}g/{SPACE}path")[-len(cells(paper)) :]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_lead_lies_where_the_chart_will_draw_it(layout: str) -> None:
    paper = Paper(layout)  # type: ignore[arg-type]
    ecg = ECG(np.repeat(np.arange(12, dtype=np.float32)[:, None] / 10, 5000, axis=1), 500.0)
    ecg.signal[:, 2000:2010] += 1.0  # at 4 s
    picture = _picture(ecg, paper)
    (left, right), (low, high) = paper.x_range, paper.y_range
    assert [float(x) for x in picture.attrib["viewBox"].split()] == pytest.approx([0, 0, right - left, high - low])
    assert picture.find(f"{SPACE}g").attrib["transform"] == f"translate({-left:g} {high:g})"  # type: ignore[union-attr]
    for path, cell in zip(_drawn(picture, paper), cells(paper), strict=True):
        (points,) = _points(path)
        zero = cell.offset + LEADS.index(cell.lead)
        assert np.median(points[:, 1]) == pytest.approx(zero, abs=0.06)
        assert points[0, 0] == pytest.approx(cell.first * paper.speed, abs=0.5)
        assert points[-1, 0] == pytest.approx(cell.last * paper.speed, abs=0.5)
        if cell.first <= 4 < cell.last:
            assert points[:, 1].max() == pytest.approx(zero + 10, abs=0.06)
            assert points[np.argmax(points[:, 1]), 0] == pytest.approx(100, abs=0.5)


def test_the_pen_is_lifted_where_nothing_was_recorded() -> None:
    ecg = ECG(np.zeros((12, 5000), dtype=np.float32), 500.0)
    ecg.signal[:, 1000:4000] = np.nan
    first, second = _points(_drawn(_picture(ecg, Paper("12x1")), Paper("12x1"))[0])
    assert first[-1, 0] == pytest.approx(50, abs=0.6)
    assert second[0, 0] == pytest.approx(200, abs=0.6)


def test_names_and_scale_are_written() -> None:
    words = [
        note.text for note in _picture(ECG(np.zeros((12, 5000), dtype=np.float32), 500.0), Paper()).iter(f"{SPACE}text")
    ]
    assert words[:12] == ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert "25 mm/s" in str(words[-1])


def test_the_picture_is_a_fraction_of_the_first_sight() -> None:
    noise = np.random.default_rng(0).normal(size=(12, 5000)).astype(np.float32)
    assert len(svg(figure(ECG(noise, 500.0)))) < 90_000
