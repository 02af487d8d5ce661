"""Leads' names lie under no tracing, and near the beginning of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgkt.datasets.collection import Collection
from ecgkt.ecg import ECG
from ecgkt.sheet.figure import figure
from ecgkt.sheet.layout import LAYOUTS, Layout, Paper, cells, name_at
from ecgkt.sheet.name_places import HIGH_PX, SCALES, size


def crossed(ecg: ECG, paper: Paper, scale: float) -> list[str]:
    """Names that a line runs through on a screen of `scale` px a mm: every line against the box of every name."""
    sheet = figure(ecg, paper)
    lines = [trace for trace in sheet["data"] if "meta" not in trace]
    return [
        cell.name
        for cell, note in zip(cells(paper), sheet["layout"]["annotations"], strict=False)
        if any(_passes(line, note, size(cell.name, scale)[0] - 1, scale) for line in lines)
    ]


def _passes(line: dict[str, Any], note: dict[str, Any], wide: float, scale: float) -> bool:
    fine = np.linspace(0, 1, 8)
    y, x = line["y"].astype(float), line["x0"] + line["dx"] * np.arange(len(line["y"]))
    x = (x[:-1, None] + fine * np.diff(x)[:, None]).ravel()
    y = (y[:-1, None] + fine * np.diff(y)[:, None]).ravel()
    low, high = note["y"] + 3 / scale, note["y"] + (HIGH_PX - 2) / scale  # the letters, not the room around them
    return bool(((x > note["x"]) & (x < note["x"] + wide) & (y > low) & (y < high)).any())


def test_where_nothing_is_in_the_way_names_stand_at_their_usual_place() -> None:
    flat = ECG(np.zeros((12, 5000), dtype=np.float32), 500.0)
    for layout in LAYOUTS:
        paper = Paper(layout)
        notes = figure(flat, paper)["layout"]["annotations"]
        for cell, note in zip(cells(paper), notes, strict=False):
            x, y = name_at(paper, cell)
            assert note["x"] == x
            assert abs(note["y"] - y) <= 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_name_makes_way_for_a_complex_and_stays_with_its_lead(layout: Layout) -> None:
    signal = np.zeros((12, 5000), dtype=np.float32)
    for first in range(20, 5000, 400):  # tall, broad waves, the first of them where the name would stand
        signal[:, first : first + 120] = 1.2 * np.hanning(120)
    ecg, paper = ECG(signal, 500.0), Paper(layout)
    assert crossed(ecg, paper, SCALES[0]) == []
    for cell, note in zip(cells(paper), figure(ecg, paper)["layout"]["annotations"], strict=False):
        assert abs(note["y"] - cell.offset) <= paper.row / 2
        assert (note["x"] > 0) == (layout != "12x1")


def test_hardly_a_name_of_the_shipped_examples_is_under_a_tracing(shipped_examples: Collection) -> None:
    """Some fast, broad rhythms leave no place free; one name of a hundred at most."""
    ecgs = [shipped_examples.read(entry.key) for entry in shipped_examples.entries]
    for layout in LAYOUTS:
        names = [crossed(ecg, Paper(layout), SCALES[1]) for ecg in ecgs]
        assert sum(map(len, names)) <= 0.01 * len(ecgs) * len(cells(Paper(layout)))
