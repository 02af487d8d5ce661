"""Rate, intervals, axes and voltages: one strip of numbers over the tracing, and the full table with normal limits."""

from __future__ import annotations

import streamlit as st

from ecgkt.measurements.intervals import DEGREE, ERROR_SD, Intervals, Measured
from ecgkt.measurements.wording import SPACE, flag, limit, number
from ecgkt.ui.widgets import html

ACCURACY = (
    "Median over the beats, one set of boundaries for all leads. The error is the standard deviation against the "
    "annotations of 75 real recordings (LUDB) that nothing was fitted to, from benchmarks/delineation.md; axes and "
    "voltages were not validated against a reference. Limits are reference limits, not diagnoses."
)
STRIP = {"rate": "Rate", "pr": "PR", "qrs": "QRS", "qt": "QT", "qtcf": "QTcF", "qrs_axis": "QRS axis"}


def strip(found: Intervals) -> None:
    """The few numbers that stand at the head of every printed ECG, each with its flag in words."""
    parts = ""
    for name, title in STRIP.items():
        each: Measured = getattr(found, name)
        words = "not measurable" if each.value is None else f"<b>{number(each)}</b>"
        if each.value is not None and each.unit != DEGREE:
            words += f'{SPACE}<span class="unit">{each.unit}</span>'
        if name == "rate" and found.rate_range is not None:
            low, high = found.rate_range
            words += f' <span class="unit">({low:.0f} to {high:.0f})</span>'
        if flag(each):
            words += f' <span class="flag">{flag(each)}</span>'
        parts += f"<div><dt>{title}</dt> <dd>{words}</dd></div>"
    if found.pacing:
        parts += f"<div><dt>Pacing</dt> <dd>{found.pacing}: limits of normal conduction do not apply</dd></div>"
    st.html(f'<dl class="strip" aria-label="Measured on the tracing">{parts}</dl>')


def table(found: Intervals) -> None:
    """Every measurement with its normal limits and its error, then R and S through the chest leads."""
    errors = {getattr(found, name).name: f"±{SPACE}{ms:.0f}{SPACE}ms" for name, ms in ERROR_SD.items()}
    rows: list[tuple[str, ...]] = []
    marked: list[int] = []
    for each in found.rows:
        if each.value is None:
            state = f"not measurable: {each.reason}"
        else:
            state = flag(each) or ("normal" if each.limit else "no limit")
            state += f" ({each.note})" if each.note else ""
        if flag(each):
            marked.append(len(rows))
        unit = "" if each.unit in (DEGREE, "V lead") else each.unit
        source = each.limit.source if each.limit else ""
        rows.append((each.name, number(each), unit, limit(each), state, errors.get(each.name, ""), source))
    header = ("Measurement", "Value", "Unit", "Normal", "Flag", "Error", "Source of the limits")
    html.table(header, rows, "Rate, intervals, axes and voltages", numbers=(1,), marked=marked)
    if found.progression:
        chest = [(each.lead, f"{each.r:.2f}", f"{each.s:.2f}") for each in found.progression]
        cells = list(zip(*chest, strict=True))
        html.table(
            ("", *cells[0]),
            [("R, mV", *cells[1]), ("S, mV", *cells[2])],
            "R-wave progression through the chest leads",
            numbers=range(1, len(chest) + 1),
        )
    html.text(ACCURACY)
