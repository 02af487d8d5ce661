"""From a file to the millimeters on the sheet: the mistakes that other viewers were found to make, each looked for.

Gain taken for 1 or applied twice, one lead drawn in another's place, III left out of 6x2 and V1 drawn twice, aVF and
aVL swapped (MIMIC-IV-ECG stores aVF first), the sampling rate printed as paper speed, one recorder's scale misread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgkt.ecg import LEADS
from ecgkt.readers import TableLayout, read
from ecgkt.sheet.figure import figure, scale_text
from ecgkt.sheet.layout import LAYOUTS, Paper, cells
from tests.readers import written_files as written

MIMIC_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")


def _drawn(sheet: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in sheet["data"] if "meta" not in trace]


def _wfdb(rate: int) -> dict[str, bytes]:
    """10 s in MIMIC's lead order; lead k of ours stands at k / 10 mV, each with a gain and a baseline of its own."""
    gains = [200.0 * (1 + i % 4) for i in range(12)]
    baselines = [7 * i - 30 for i in range(12)]
    counts = [round(LEADS.index(n) / 10 * g) + b for n, g, b in zip(MIMIC_ORDER, gains, baselines, strict=True)]
    samples = np.tile(np.array(counts, dtype="<i2"), 10 * rate)
    lines = [
        f"x.dat 16 {gain:g}({base})/mV 16 0 {count} 0 0 {name}"
        for name, gain, base, count in zip(MIMIC_ORDER, gains, baselines, counts, strict=True)
    ]
    return {"x.hea": "\n".join([f"x 12 {rate} {10 * rate}", *lines, ""]).encode(), "x.dat": samples.tobytes()}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("gain", "rate"), [(10, 500), (5, 1000)])
def test_every_lead_of_a_file_stands_once_at_its_own_height(layout: Any, gain: int, rate: int) -> None:
    ecg, paper = read(_wfdb(rate)), Paper(layout, gain=gain)
    sheet = figure(ecg, paper)
    grid = _drawn(sheet)[: len(LEADS)]
    assert sorted(trace["name"] for trace in grid) == sorted(LEADS)
    for trace, cell in zip(grid, cells(paper)[: len(LEADS)], strict=True):
        assert trace["name"] == cell.lead
        np.testing.assert_allclose((trace["y"] - cell.offset) / gain, LEADS.index(cell.lead) / 10, atol=0.003)
    assert f"25 mm/s   {gain} mm/mV" in scale_text(ecg, paper)
    assert f"{rate} mm/s" not in scale_text(ecg, paper)


@pytest.mark.parametrize("name", written.BY_FORMAT)
def test_every_recorder_is_drawn_to_the_same_scale(name: str) -> None:
    """600 samples, fewer than a sheet thins, so every one of them is drawn."""
    paper = Paper("12x1")
    sheet = figure(read(written.BY_FORMAT[name](written.counts()), TableLayout(float(written.RATE))), paper)
    for trace, cell, row in zip(_drawn(sheet), cells(paper), written.millivolts(), strict=True):
        np.testing.assert_allclose(trace["y"], cell.offset + 10 * row, atol=1e-3)
        assert trace["dx"] == pytest.approx(25 / written.RATE)
