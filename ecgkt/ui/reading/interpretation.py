"""The interpretation over the lists of scores: a cart's lines, urgent or likely ones first; pressing one explains it.

What is likely or urgent stands open; what is above its threshold and less likely, and what the record states besides,
is folded under it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import streamlit as st

from ecgkt.interpretation.interpret import ORDERS, Interpretation, Order, interpret
from ecgkt.interpretation.line import Line
from ecgkt.interpretation.record import Record, measured_labs
from ecgkt.prediction import Label, Prediction, Score
from ecgkt.results import numbers
from ecgkt.ui import keys
from ecgkt.ui.session import Opened
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.html import CHOSEN
from ecgkt.ui.widgets.theme import palette


def record_of(opened: Opened) -> Record | None:
    """What the collection knows of the patient besides the tracing; None for an upload."""
    if opened.entry is None:
        return None
    entry = opened.entry
    return Record(frozenset(entry.findings), frozenset(entry.diagnoses), measured_labs(opened.clinical))


def found(opened: Opened, prediction: Prediction) -> Interpretation:
    analyzed = opened.analyzed
    return interpret(analyzed.ecg, analyzed.intervals, analyzed.quantities, prediction, record_of(opened))


def show(told: Interpretation, chosen: Label) -> None:
    """The lines, those of `chosen` marked."""
    with st.container(key="lines"):
        with st.container(key="lines-head", horizontal=True, vertical_alignment="center"):
            st.html('<div class="rows-title" role="heading" aria-level="2">Interpretation</div>', width="stretch")
            order: Order = (
                st.segmented_control(
                    "Order of the lines",
                    ORDERS,
                    default=ORDERS[0],
                    required=True,
                    key="order_of_lines",
                    label_visibility="collapsed",
                    help="Urgent: what cannot wait first. Likely: by probability.",
                )
                or ORDERS[0]
            )
        lines = told.ordered(order)
        first = [line for line in lines if line.is_open]
        _lines(first, chosen, "line")
        if told.normal:
            words = "; ".join(f"{line.statement.lower()}, {line.figures}" for line in told.normal)
            st.html(f'<div class="quiet">{escape(words[0].upper() + words[1:])}</div>')
        rest = [line for line in lines if not line.is_open]
        if rest or told.missed:
            titles = [f"{len(rest)} less likely or not confirmed"] if rest else []
            titles += [f"{len(told.missed)} in the record, below threshold"] if told.missed else []
            with st.expander("; ".join(titles)):
                _lines(rest, chosen, "less")
                _missed(told.missed, chosen)


def _lines(lines: Sequence[Line], chosen: Label, name: str) -> None:
    style = ""
    for number, line in enumerate(lines):
        words = " · ".join(part for part in (*_told(line), line.contradiction) if part)
        if line.score is None:
            small = f"<em>{escape(words)}</em>" if words else ""
            st.html(f'<div class="line"><span>{escape(line.statement)}</span>{small}</div>')
            continue
        key = f"line-{name}-{number}"
        is_chosen = chosen.code in {line.score.label.code, *(other.label.code for other in line.others)}
        _button(key, line.statement, line.score, words, is_chosen)
        style += _style(key, is_chosen, bool(line.urgency) and line.is_open)
    if style:
        st.html(f"<style>{style}</style>")


def _told(line: Line) -> list[str]:
    """Figures, verdict and record in a few quiet words."""
    verdict = line.score.verdict if line.score is not None else None
    urgent = "urgent" if line.urgency and line.is_open else ""
    return [urgent, line.figures, f"verdict {verdict}" if verdict else "", line.record]


def _missed(scores: Sequence[Score], chosen: Label) -> None:
    style = ""
    for score in scores:
        key = f"line-missed-{re.sub('[^A-Za-z0-9_-]', '-', score.label.code)}"
        is_chosen = chosen.code == score.label.code
        _button(key, score.label.name, score, "in the record, below threshold", is_chosen)
        style += _style(key, is_chosen, False)
    if style:
        st.html(f"<style>{style}</style>")


def _button(key: str, statement: str, score: Score, words: str, is_chosen: bool) -> None:
    small = f" *{html.literal(words)}*" if words else ""
    small += CHOSEN if is_chosen else ""
    st.button(
        f"{html.literal(statement)} **{numbers.percent(score.probability)}**{small}",
        key=key,
        type="tertiary",
        width="stretch",
        on_click=_choose,
        args=(score.label.code,),
    )


def press(key: str, title: str, words: str, code: str, chooses: str = keys.TARGET) -> str:
    """A node with a title and quiet words under it, that chooses the label `code`; its key. chooses: the name under
    which the session keeps the choice."""
    st.button(
        f"{html.literal(title)} *{html.literal(words)}*" if words else html.literal(title),
        key=key,
        width="stretch",
        on_click=_choose,
        args=(code, chooses),
    )
    return key


def pressed(key: str, is_chosen: bool) -> None:
    """Mark the node of the chosen label."""
    if is_chosen:
        p = palette()
        st.html(f"<style>.st-key-{key} button{{background-color:{p.wash};border-color:{p.accent}}}</style>")


def _choose(code: str, kept_as: str = keys.TARGET) -> None:
    st.session_state[kept_as] = code


def _style(key: str, is_chosen: bool, is_urgent: bool) -> str:
    p = palette()
    edge = p.models[2] if is_urgent else p.accent if is_chosen else "transparent"
    wash = f"background-color:{p.wash};" if is_chosen else ""
    return f".st-key-{key} button{{{wash}box-shadow:inset 3px 0 0 {edge}}}"
