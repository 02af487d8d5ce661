"""Measuring on the sheet: boxes dragged there with the mouse or set by keyboard, kept for each ECG, and the list of
their readings."""

from __future__ import annotations

import streamlit as st

from ecgkt.ecg import ECG, LEADS
from ecgkt.sheet.calipers import Measurement, between, measure
from ecgkt.sheet.layout import Paper
from ecgkt.ui import keys
from ecgkt.ui.widgets import html

HOW = (
    "Drag a box over the tracing to measure: its width gives the time, its height the voltage. "
    "A box across several leads gives the time only. By keyboard: choose the lead and move both ends in the fields "
    "under the tracing, 10 ms with each arrow key; the box reaches from the lowest to the highest point between them."
)
LEAD = "caliper_lead"
ENDS = {"caliper_from": ("From, s", 1.0), "caliper_to": ("To, s", 2.0)}  # and where they stand at first, in s
STEP = 0.01  # s


def kept(key: str) -> list[Measurement]:
    """The measurements of one ECG, in the order they were made; the session's own list."""
    return st.session_state.setdefault(keys.MEASUREMENTS, {}).setdefault(key, [])  # type: ignore[no-any-return]


def switch() -> bool:
    """The button that says what dragging does: True to measure, False to move the sheet."""
    on: bool = st.session_state.setdefault(keys.MEASURING, False)
    st.button(
        "Done" if on else "Measure",
        key="measure",
        type="primary" if on else "secondary",
        shortcut="M",
        width="stretch",
        on_click=_turn,
        help=HOW,
    )
    return on


def _turn() -> None:
    st.session_state[keys.MEASURING] = not st.session_state[keys.MEASURING]


def take(chart: str, key: str, paper: Paper) -> None:
    """Keep the box just drawn on the chart with this widget key, which showed `paper`."""
    for box in st.session_state[chart].selection.box[-1:]:
        found = measure((box["x"][0], box["x"][1]), (box["y"][0], box["y"][1]), paper)
        if found is not None:
            kept(key).append(found)


def moved(ecg: ECG, key: str) -> list[Measurement]:
    """The box where the keyboard has moved it, if it has and it is not kept yet."""
    if all(st.session_state.get(end, begin) == begin for end, (_, begin) in ENDS.items()):
        return []
    found = _set(ecg)
    return [] if found is None or found in kept(key) else [found]


def _set(ecg: ECG) -> Measurement | None:
    """What the fields say."""
    return between(ecg, st.session_state[LEAD], *(st.session_state[end] for end in ENDS))


def keyboard(ecg: ECG, key: str) -> None:
    """Lead and both ends as fields, and a button that keeps the measurement."""
    with st.container(key="calipers", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Lead", LEADS, index=LEADS.index("II"), key=LEAD, width=110)
        for end, (name, begin) in ENDS.items():
            st.session_state[end] = min(st.session_state.get(end, begin), float(ecg.seconds))
            st.number_input(name, 0.0, float(ecg.seconds), step=STEP, format="%.2f", key=end, width=150)
        st.button("Keep", key="caliper_keep", on_click=_keep, args=(ecg, key))


def _keep(ecg: ECG, key: str) -> None:
    found = _set(ecg)
    if found is not None:
        kept(key).append(found)


def readings(key: str) -> None:
    """The list with a button that empties it; how to begin while there is nothing to list."""
    found = kept(key)
    if not found:
        if st.session_state.get(keys.MEASURING):
            html.text(HOW)
        return
    rows = [
        (
            str(number),
            each.lead or "several",
            f"{each.first:.3f}",
            f"{each.milliseconds:.0f}",
            "–" if each.per_minute is None else f"{each.per_minute:.0f}",
            "–" if each.millivolts is None else f"{each.millivolts:.2f}",
        )
        for number, each in enumerate(found, start=1)
    ]
    header = ("", "Lead", "Start, s", "Interval, ms", "Rate, if one RR, /min", "Amplitude, mV")
    html.table(header, rows, "Caliper measurements on this tracing", numbers=(2, 3, 4, 5))
    st.button("Clear all", key="clear_measurements", shortcut="X", on_click=found.clear)
