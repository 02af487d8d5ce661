"""Probabilities before and now: the largest changes beside the figure, all in a table, labs with what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from ecgkt import vocabulary
from ecgkt.interpretation.record import measured_labs
from ecgkt.prediction import HEADS, TITLES, Head
from ecgkt.results import numbers
from ecgkt.serial.comparison import ScoreChange
from ecgkt.ui.reading import scores
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.theme import palette

Changes = dict[Head, tuple[ScoreChange, ...]]
SHOWN = 5  # of each head
LEAST = 0.005  # of a change; a smaller one rounds to no point


def points(change: ScoreChange) -> str:
    """The change in percentage points, signed; a dash where one of the two is missing."""
    if change.change is None:
        return "–"
    return f"{100 * change.change:+.0f}".replace("-", "−") if abs(change.change) >= LEAST else "0"


def _span(change: ScoreChange) -> str:
    """A track with a ring at the probability before, a dot at the one now, a bar between, a stroke at the threshold."""
    p = palette()
    parts = [f'<u style="left:calc({100 * change.label.threshold:.1f}% - 1px)"></u>']
    known = [100 * value for value in (change.before, change.now) if value is not None]
    low, high = min(known), max(known)
    parts.insert(0, f'<i style="left:{low:.1f}%;width:{high - low:.1f}%"></i>')
    for name, value in (("before", change.before), ("now", change.now)):
        if value is not None:
            parts.append(f'<b class="{name}" style="left:calc({100 * value:.1f}% - 4px)"></b>')
    return f'<span class="span" aria-hidden="true" style="background:{p.line}">{"".join(parts)}</span>'


def ranked(changes: Changes, reason: Callable[[str], str]) -> None:
    """The largest changes of each head, each with `reason` (code of its label): what was measured of it."""
    _style()
    for head in HEADS:
        if not changes[head]:
            continue
        words = scores.note(head, [change.label for change in changes[head]])
        st.html(
            f'<div class="rows-title" role="heading" aria-level="3">{TITLES[head][0]}<span>{escape(words)}</span></div>'
        )
        shown = [c for c in changes[head][:SHOWN] if c.change is None or abs(c.change) >= LEAST]
        if not shown:
            html.text("No probability changed by a percentage point or more.")
            continue
        rows = ""
        for change in shown:
            crossing = f"<em>{change.crossing}</em>" if change.crossing else ""
            values = f"{numbers.percent(change.before)} → {numbers.percent(change.now)}"
            rows += (
                f"<li><div><span>{escape(change.label.name)} {crossing}</span>"
                f"<span>{values}</span><strong>{points(change)}</strong></div>{_span(change)}"
                f"{_measured(change, reason)}</li>"
            )
        st.html(f'<ul class="changes">{rows}</ul>')
    if any(changes.values()):
        html.text(
            "Percentage points, largest change first. Ring: before; dot: now; vertical tick: threshold. Below each: "
            "what changed of the measurements that it is usually read from, which need not be why the score changed. "
            "How much a probability varies between two recordings of an unchanged heart was not measured."
        )
    else:
        html.text("There are no probabilities to compare.")


def _measured(change: ScoreChange, reason: Callable[[str], str]) -> str:
    """HTML: the measured change that belongs to a score; empty where one side has no score or none is known."""
    words = reason(change.label.code) if change.change is not None else ""
    return f"<p>{escape(words)}</p>" if words else ""


def every(changes: Changes) -> None:
    """All probabilities of all heads, as a table."""
    flat = [change for head in HEADS for change in changes[head]]
    if not flat:
        html.text("The model gives no result for either tracing.")
        return
    st.dataframe(
        {
            "": [TITLES[change.label.head][0] for change in flat],
            "Name": [change.label.name for change in flat],
            "Before": [change.before for change in flat],
            "Now": [change.now for change in flat],
            "Change": [change.change for change in flat],
            "Threshold": [change.label.threshold for change in flat],
            "Crossing": [change.crossing for change in flat],
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.3f") for name in ("Before", "Now", "Change", "Threshold")
        },
        hide_index=True,
        height=320,
        alt="All probabilities before and now, their change, threshold, and whether it was crossed",
    )


def labs_table(changes: Changes, before: Mapping[str, float] | None, now: Mapping[str, float] | None) -> None:
    """Each lab as measured before and now, beside the predicted probabilities of low and high before and now."""
    measured = [measured_labs(before), measured_labs(now)]
    predicted = {(change.label.lab, change.label.direction): change for change in changes["labs"]}
    rows = []
    for code, lab in vocabulary.labs().items():
        sides = [predicted.get((code, direction)) for direction in ("low", "high")]
        values = [each.get(code) for each in measured]
        if not any(sides) and values == [None, None]:
            continue
        cells = [lab.name]
        for v in values:
            cells.append("not measured" if v is None else f"{numbers.measured(v)} {lab.flag(v)}".strip())
        both = [v for v in values if v is not None]
        cells.append(numbers.measured(both[1] - both[0], sign=True) if len(both) == 2 else "–")
        cells += [lab.unit, f"{lab.reference_low:g}–{lab.reference_high:g}"]
        for side in sides:
            cells.append("–" if side is None else f"{numbers.percent(side.before)} → {numbers.percent(side.now)}")
        moved = max((abs(side.change or 0.0) for side in sides if side), default=0.0)
        rows.append((-len(both), -moved, cells))
    html.table(
        ("Lab", "Before", "Now", "Change", "Unit", "Reference", "Predicted low", "Predicted high"),
        [cells for *_, cells in sorted(rows, key=lambda row: row[:2])],
        "Measured near each ECG; the probabilities of low and high are predicted from the ECG, not measured.",
        numbers=(1, 2, 3, 6, 7),
    )
    if before is None and now is None:
        html.text("No labs, vitals or biometrics are recorded for either ECG.")


def _style() -> None:
    p = palette()
    st.html(
        f"""<style>
        ul.changes {{list-style: none; margin: 0; padding: 0}}
        ul.changes li {{margin: 0; padding: 0.2rem 0 0.35rem 0; font-size: 0.9rem; line-height: 1.3}}
        ul.changes div {{display: flex; gap: 0.5rem; align-items: baseline; font-variant-numeric: tabular-nums}}
        ul.changes div > span:first-child {{flex: 1}}
        ul.changes div > span + span {{color: {p.quiet}; white-space: nowrap; font-size: 0.82rem}}
        ul.changes strong {{font-weight: 600; min-width: 2rem; text-align: right}}
        ul.changes em {{font-style: normal; color: {p.accent}; font-size: 0.8rem; font-weight: 600}}
        ul.changes p {{margin: 0; color: {p.quiet}; font-size: 0.8rem; line-height: 1.3}}
        .span {{position: relative; display: block; height: 4px; margin: 0.3rem 4px 0.2rem 4px; border-radius: 1px}}
        .span i {{position: absolute; top: 0; bottom: 0; background: {p.above}}}
        .span u {{position: absolute; top: -4px; bottom: -4px; width: 2px; background: {p.text}}}
        .span b {{position: absolute; top: -2px; width: 8px; height: 8px; border-radius: 50%; box-sizing: border-box}}
        .span b.before {{border: 2px solid {p.above}; background: {p.wash}}}
        .span b.now {{background: {p.above}}}
        </style>"""
    )
