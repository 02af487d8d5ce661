"""The second page: the interpretation line by line, what the record states besides, and the labs that were measured."""

from __future__ import annotations

from ecgkt.interpretation.line import LineJSON
from ecgkt.prediction import HEADS
from ecgkt.report import words
from ecgkt.report.data import MeasuredLabData, ReportData
from ecgkt.report.drawing import (
    FAINT,
    HEIGHT,
    QUIET,
    TEXT,
    WARNING,
    WIDTH,
    Box,
    Page,
    wrapped,
)
from ecgkt.report.tracing_page import EDGE, footer, heading
from ecgkt.results import numbers

LEFT, RIGHT = 12.0, WIDTH - 12.0
MIDDLE = 150.0  # mm, where the left column ends
GAP = 9.0
STATEMENT, DETAIL = 8.0, 6.4  # points
ROW, DETAIL_ROW = 4.0, 3.1  # mm
FOOT = EDGE + 12.0
NOTE = "Composed of measurements, criteria and scores; the most urgent first."
SECOND = ("possible", "doubted")


def draw(page: Page, data: ReportData, pages: int) -> None:
    """The whole page of report `data`; pages: how many the report has."""
    top = HEIGHT - EDGE
    heading(page, data, "Interpretation", Box(LEFT, 0, RIGHT, top))
    remark = words.remark(data)
    y = page.paragraph(remark or NOTE, LEFT, top - 10, RIGHT - LEFT, 6.5, WARNING if remark else QUIET) - 1
    lines = data["interpretation"]
    names = {score["code"]: score["name"] for head in HEADS for score in data[head]}
    first = [line for line in lines if line["certainty"] not in (*SECOND, "normal")]
    _lines(page, first, names, Box(LEFT, FOOT, MIDDLE, y))
    normal = [f"{line['statement']}, {line['figures']}" for line in lines if line["certainty"] == "normal"]
    low = _right(page, data, Box(MIDDLE + GAP, FOOT, RIGHT, y))
    if normal:
        page.words("; ".join(normal) + ".", LEFT, FOOT - 3, DETAIL, QUIET)
    _labs(page, data["measured_labs"], Box(MIDDLE + GAP, FOOT, RIGHT, low))
    footer(page, data, (2, pages), ("", ""), Box(LEFT, 0, RIGHT, 0))


def _lines(page: Page, lines: list[LineJSON], names: dict[str, str], box: Box) -> None:
    """Statement and probability, then figures, verdict and record under it; as many as fit, and how many do not."""
    y = box.high
    for number, line in enumerate(lines):
        details = _details(line, names)
        rows = wrapped(details, box.width - 4, DETAIL) if details else []
        statement = wrapped(line["statement"], box.width - 14, STATEMENT)
        if y - ROW * len(statement) - DETAIL_ROW * len(rows) < box.low:
            page.words(f"{len(lines) - number} more in the JSON report", box.left, y - ROW, DETAIL, QUIET)
            break
        for row in statement:
            y -= ROW
            page.words(row, box.left, y, STATEMENT, WARNING if _is_urgent(line) else TEXT, bold=True)
        if line["probability"] is not None:
            page.words(numbers.percent(line["probability"]), box.right, y, STATEMENT, TEXT, side="right")
        for row in rows:
            y -= DETAIL_ROW
            page.words(row, box.left + 2, y, DETAIL, QUIET)
        y -= 1.4
        page.line((box.left, box.right), (y + 0.2, y + 0.2), 0.1, FAINT)


def _is_urgent(line: LineJSON) -> bool:
    return line["urgency"] is not None and line["certainty"] not in SECOND


def _details(line: LineJSON, names: dict[str, str]) -> str:
    verdict = f"verdict {line['verdict']}" if line["verdict"] else ""
    threshold = f"threshold {numbers.percent(line['threshold'])}" if line["threshold"] is not None else ""
    also = f"also above threshold: {', '.join(names[code] for code in line['also'])}" if line["also"] else ""
    parts = (line["figures"], threshold, verdict, line["record"] or "", also, line["contradiction"] or "")
    return "; ".join(part.rstrip(".") for part in parts if part)


def _title(page: Page, title: str, box: Box, y: float) -> float:
    page.words(title, box.left, y - ROW, STATEMENT, bold=True)
    page.line((box.left, box.right), (y - ROW - 1.3, y - ROW - 1.3), 0.2, QUIET)
    return y - ROW - 2.2


def _right(page: Page, data: ReportData, box: Box) -> float:
    """What is above threshold and less likely, and what the record states and no line says; where it ends."""
    y = box.high
    rest = [line for line in data["interpretation"] if line["certainty"] in SECOND]
    if rest:
        y = _title(page, "Less likely, or not confirmed by measurement", box, y)
        for line in rest:
            share = numbers.percent(line["probability"])
            for row in wrapped(line["statement"], box.width - 12, 7):
                y -= 3.6
                page.words(row, box.left, y, 7)
            page.words(share, box.right, y, 7, side="right")
        y -= 3
    missed = [score for head in HEADS for score in data[head] if score["code"] in data["missed"]]
    if missed:
        y = _title(page, "In the record, below threshold", box, y)
        names = "; ".join(f"{score['name']} {numbers.percent(score['probability'])}" for score in missed)
        y = page.paragraph(names, box.left, y - 2.6, box.width, 6.6, QUIET) - 1
    return y


def _labs(page: Page, labs: list[MeasuredLabData], box: Box) -> None:
    """Two columns, those beyond their reference limits first and bold."""
    if not labs:
        return
    low = _title(page, "Measured labs", box, box.high)
    half = (box.width - 6) / 2
    rows = max(1, min((len(labs) + 1) // 2, int((low - box.low) / DETAIL_ROW)))
    for number, lab in enumerate(labs[: 2 * rows]):
        left = box.left + (half + 6) * (number // rows)
        y = low - DETAIL_ROW * (number % rows + 1) + 0.4
        is_beyond = lab["flag"] != "normal"
        value = f"{numbers.measured(lab['value'])}{numbers.unit(lab['unit'])}" + (
            f" {lab['flag']}" if is_beyond else ""
        )
        page.words(lab["name"], left, y, DETAIL, TEXT if is_beyond else QUIET)
        page.words(value, left + half, y, DETAIL, TEXT if is_beyond else QUIET, is_beyond, "right")
    if len(labs) > 2 * rows:
        page.words(f"{len(labs) - 2 * rows} more in the JSON report", box.left, box.low - 3, DETAIL, QUIET)
