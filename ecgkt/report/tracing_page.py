"""The first page: the tracing, true to scale, with patient line, measurements and interpretation above it and the scale
below."""

from __future__ import annotations

from ecgkt.report import words
from ecgkt.report.data import ReportData
from ecgkt.report.drawing import HEIGHT, QUIET, TEXT, WARNING, WIDTH, Box, Page, shortened, text_width
from ecgkt.report.sheet import LARGE_BOX, Sheet, paper_of
from ecgkt.results import numbers
from ecgkt.sheet.layout import SHEET_MM, Paper

EDGE = 5.0  # mm that printers leave white
FOOT = 9.0  # mm for the two lines below the grid
LOWERED = 2.5  # mm: an R wave in the first row needs more room than an S wave in the last
HEADER, LOW_HEADER = 29.0, 11.0  # mm above the grid; twelve rows leave less room
PAIRS = {
    "rate": "Rate", "pr": "PR", "qrs": "QRS", "qt": "QT", "qtcf": "QTc Fridericia", "qtcb": "QTc Bazett",
}  # fmt: skip
SPLIT = 0.52  # of the width for patient and measurements, the rest for the interpretation
LINE = 3.7  # mm
AXES = ("p_axis", "qrs_axis", "t_axis")


def grid_box(paper: Paper) -> tuple[Box, tuple[float, float]]:
    """(the grid, the sheet's origin): in the middle of the page, its left and right edge on lines of 5 mm."""
    before = -LARGE_BOX * (paper.x_range[0] // LARGE_BOX)
    width = before + SHEET_MM + LARGE_BOX
    left = (WIDTH - width) / 2
    low, high = EDGE + FOOT, HEIGHT - EDGE - (LOW_HEADER if paper.layout == "12x1" else HEADER)
    box = Box(left, low, left + width, high)
    middle = (low + high) / 2 - LOWERED
    return box, (left + before, middle + (paper.rows - 1) * paper.row / 2)


def draw(page: Page, data: ReportData, pages: int) -> None:
    """The whole page of report `data`; pages: how many the report has."""
    paper = paper_of(data)
    box, origin = grid_box(paper)
    sheet = Sheet(page, data, box, origin)
    sheet.grid()
    sheet.tracing()
    if paper.layout == "12x1":
        _low_header(page, data, box)
    else:
        _header(page, data, box)
    footer(page, data, (1, pages), (data["paper"]["scale"], "Print at actual size: a large box measures 5 mm"), box)


def _header(page: Page, data: ReportData, box: Box) -> None:
    top = HEIGHT - EDGE
    page.words("12-lead ECG", box.left, top - 5.5, 15, bold=True)
    middle = box.left + SPLIT * box.width
    page.words(f"Report date {data['created']}", middle, top - 5.5, 7, QUIET, side="right")
    page.words(shortened(words.patient(data), middle - box.left, 9, private=True), box.left, top - 11, 9)
    notes = "; ".join(data["tracing"]["notes"])
    page.words(shortened(notes, middle - box.left, 6), box.left, top - 14.3, 6, QUIET)
    x = box.left
    for title, value in _pairs(data):
        page.words(title, x, top - 18, 5.6, QUIET)
        page.words(value, x, top - 22.2, 9)
        x += SPLIT * box.width / (len(PAIRS) + 1.7)  # the three axes stand last and are wider
    _interpretation(page, data, Box(middle + 6, top - 24, box.right, top - 1.5))
    _remark(page, data, box, top - 27.5)


def _interpretation(page: Page, data: ReportData, box: Box) -> None:
    """The lines that are to be read at once, a row each; how many more stand on the next page."""
    lines = [line for line in data["interpretation"] if line["certainty"] not in ("possible", "doubted", "normal")]
    rows = int(box.height / LINE)
    shown = lines if len(lines) <= rows else lines[: rows - 1]
    y = box.high
    for line in shown:
        y -= LINE
        size = next((s for s in (7.6, 7.0, 6.4) if text_width(line["statement"], s, True) < box.width - 10), 5.8)
        is_urgent = line["urgency"] is not None
        page.words(line["statement"], box.left, y, size, WARNING if is_urgent else TEXT, bold=True)
        if line["probability"] is not None:
            page.words(numbers.percent(line["probability"]), box.right, y, 7, QUIET, side="right")
        room = box.width - text_width(line["statement"], size, True) - 14
        if line["figures"] and text_width(line["figures"], 6.4) <= room:  # else it stands on the next page
            page.words(line["figures"], box.left + box.width - 10 - room, y, 6.4, QUIET)
    if len(shown) < len(lines):
        page.words(f"{len(lines) - len(shown)} more on page 2", box.left, y - LINE, 6.4, QUIET)


def _low_header(page: Page, data: ReportData, box: Box) -> None:
    top = HEIGHT - EDGE
    page.words("12-lead ECG", box.left, top - 3.5, 10, bold=True)
    page.words(shortened(words.patient(data), box.width - 70, 9, private=True), box.left + 30, top - 3.5, 9)
    page.words(f"Report date {data['created']}", box.right, top - 3.5, 7, QUIET, side="right")
    if words.remark(data):
        _remark(page, data, box, top - 8.5)
    else:
        line = words.SEPARATOR.join(f"{title} {value}" for title, value in _pairs(data))
        page.words(shortened(line, box.width, 8), box.left, top - 8.5, 8)


def _remark(page: Page, data: ReportData, box: Box, y: float) -> None:
    """What must be said of the tracing, whole: in one line, or in smaller ones."""
    sentence = words.remark(data)
    if text_width(sentence, 8.5) <= box.width:
        page.words(sentence, box.left, y, 8.5, WARNING)
    else:
        page.paragraph(sentence, box.left, y + 1.5, box.width, 6, WARNING)


def _pairs(data: ReportData) -> list[tuple[str, str]]:
    rows = data["intervals"]["measurements"]
    axes = " / ".join(words.value(rows[name]) for name in AXES)
    return [*((short, words.value(rows[name])) for name, short in PAIRS.items()), ("P / QRS / T axes", axes)]


def heading(page: Page, data: ReportData, title: str, box: Box) -> None:
    """Of the pages after the first: title, patient and date in one line below `box.high`."""
    page.words(title, box.left, box.high - 5, 13, bold=True)
    start = box.left + text_width(title, 13, bold=True) + 6
    page.words(shortened(words.patient(data), box.right - 35 - start, 9, private=True), start, box.high - 5, 9)
    page.words(f"Report date {data['created']}", box.right, box.high - 5, 8, QUIET, side="right")


def footer(page: Page, data: ReportData, number: tuple[int, int], notes: tuple[str, str], box: Box) -> None:
    """Two lines: `notes` to the left and right, then the notice, the model, and which page of how many."""
    low = EDGE + 0.8
    page.words(notes[0], box.left, low + 4, 8)
    page.words(notes[1], box.right, low + 4, 7, QUIET, side="right")
    page.words(data["notice"], box.left, low, 8, bold=True)
    told = f"{words.model(data)}{words.SEPARATOR}page {number[0]} of {number[1]}"
    page.words(told, box.right, low, 7, QUIET, side="right")
