"""Scores before and after, those that moved most first, as rows to press."""

from __future__ import annotations

import re
from math import asin

import streamlit as st

from ecgkt.prediction import HEADS, TITLES, Label, Prediction, Score
from ecgkt.results import numbers
from ecgkt.ui import keys
from ecgkt.ui.reading.scores import by_threshold
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.html import CHOSEN
from ecgkt.ui.widgets.theme import palette

SHOWN = 8
LEAST = 0.01  # a change of probability that is worth a row


def scores(prediction: Prediction) -> dict[str, Score]:
    """Code -> score, of all heads."""
    return {score.label.code: score for head in HEADS for score in prediction.scores(head)}


def ranked(now: Prediction, before: Prediction) -> list[tuple[Score, float]]:
    """(score, probability before), by how far the probability moved, as Cohen's h measures the difference of two: a
    rare label's rise from 3 to 20% counts more than a common one's from 50 to 67. Where nothing moved by a percent,
    what stands out."""
    earlier = scores(before)
    pairs = [(s, earlier[code].probability) for code, s in scores(now).items() if code in earlier]
    moved = [pair for pair in pairs if abs(pair[0].probability - pair[1]) >= LEAST]
    if moved:
        return sorted(moved, key=lambda pair: -abs(_angle(pair[0].probability) - _angle(pair[1])))[:SHOWN]
    known = dict((score.label.code, was) for score, was in pairs)
    return [(score, known[score.label.code]) for score in by_threshold([score for score, _ in pairs])[:SHOWN]]


def _angle(probability: float) -> float:
    """Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 6."""
    return 2 * asin(min(max(probability, 0.0), 1.0) ** 0.5)


def chosen(rows: list[tuple[Score, float]], now: Prediction) -> Score:
    """The score that was pressed, or the first row's."""
    wanted = st.session_state.get(keys.WHAT_IF_TARGET)
    return scores(now).get(wanted or "", rows[0][0])


def show(rows: list[tuple[Score, float]], label: Label, is_changed: bool) -> None:
    """The rows; `label` is the one explained on the tracing and drawn as a curve."""
    moved = any(abs(score.probability - was) >= LEAST for score, was in rows)
    state = "those that moved most first" if moved else "none moved by a percent" if is_changed else "nothing changed"
    with st.container(key="rows-what-if"):
        title = f"Scores<span>{state}</span>"
        st.html(f'<div class="rows-title" role="heading" aria-level="2">{title}</div>')
        style = ""
        for score, was in rows:
            key = re.sub(r"[^A-Za-z0-9_-]", "-", f"row-what-if-{score.label.code}")
            quiet = [{"labs": "lab", "diagnoses": "diagnosis"}.get(score.label.head, "")]
            quiet += [f"was {numbers.percent(was)}"] if is_changed else []
            words = ", ".join(filter(None, quiet))
            is_chosen = score.label.code == label.code
            named = f"{html.literal(score.label.name)}{f' *{words}*' if words else ''}"
            st.button(
                f"{named} **{numbers.percent(score.probability)}**{CHOSEN if is_chosen else ''}",
                key=key,
                type="tertiary",
                width="stretch",
                on_click=_press,
                args=(score.label.code,),
                help=f"{TITLES[score.label.head][0]}: {TITLES[score.label.head][1]}",
            )
            style += _bar(key, score, was, is_chosen)
        st.html(f"<style>{style}</style>")
    html.text("Bar: the score now; the notch on it: before; the long mark: its threshold.")


def _press(code: str) -> None:
    st.session_state[keys.WHAT_IF_TARGET] = code


def _bar(key: str, score: Score, was: float, is_chosen: bool) -> str:
    p = palette()
    color = p.above if score.positive else p.bar
    layers = ",".join(
        (
            f"linear-gradient({p.text},{p.text}) {100 * score.label.threshold:.1f}% 100%/2px 9px no-repeat",
            f"linear-gradient({p.models[2]},{p.models[2]}) {100 * was:.1f}% calc(100% - 1px)/3px 6px no-repeat",
            f"linear-gradient({color},{color}) 0 calc(100% - 2px)/{100 * score.probability:.1f}% 4px no-repeat",
            f"linear-gradient({p.line},{p.line}) 0 calc(100% - 2px)/100% 4px no-repeat",
        )
    )
    wash = f";background-color:{p.wash};box-shadow:inset 3px 0 0 {p.accent}" if is_chosen else ""
    return f".st-key-{key} button{{background:{layers}{wash}}}.st-key-{key} button p{{color:{p.text}}}"
