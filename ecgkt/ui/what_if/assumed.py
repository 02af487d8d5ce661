"""What the simulator lets the causes on the page do to the ECG, effect by effect, with where the size comes from."""

from __future__ import annotations

import streamlit as st

from ecgkt.simulation.levers import CONDITIONS, LEVERS, PARAMETERS
from ecgkt.simulation.tables import conditions
from ecgkt.simulation.what_if import Changed, Subject
from ecgkt.ui.widgets import html

LOG = {"log": "log units", "0-1": "of a full-blown change (1)"}
EXPLAINED = (
    "Everything here is simulated: the patient, the tracing and the effects. An effect is a slope from a table "
    "(ecgkt/simulation/effects.csv, expression.csv) times a sensitivity of this patient; where no source is named the "
    "size was chosen. Setting one cause leaves all others as they are, even where disease would bring them together. "
    "What the simulator leaves out, such as the sine wave of severe hyperkalemia, no score can follow. A curve shows "
    "what the network learned of simulated patients, not what happens in a person."
)


def named(source: str) -> str:
    """A cause in words."""
    lever = next((lever.name for lever in LEVERS if lever.key == source), None)
    title = lever or CONDITIONS.get(source) or next(c.title for c in conditions() if c.name == source)
    return title.replace("aem", "em")  # conditions.csv spells ischaemia and its like as the labels' codes do


def show(subject: Subject, changed: Changed) -> None:
    with st.expander("What the simulator assumes of these causes"):
        html.text(EXPLAINED)
        rows = [
            (
                named(each.effect.source),
                PARAMETERS.get(each.effect.parameter, each.effect.parameter),
                _size(each.size, each.unit) if each.size else "silent in this patient",
                _size(each.mean, each.unit),
                each.source or "size chosen",
            )
            for each in subject.acting(changed)
        ]
        if rows:
            html.table(("Cause", "Changes", "In this patient", "On average", "Source"), rows)
        else:
            html.text("No cause acts on this ECG at present.")


def silent(subject: Subject, changed: Changed) -> list[str]:
    """Causes of which no effect shows in this patient, in words."""
    by_source: dict[str, list[float]] = {}
    for each in subject.acting(changed):
        by_source.setdefault(each.effect.source, []).append(each.size)
    return [named(source) for source, sizes in by_source.items() if not any(sizes)]


def _size(value: float, unit: str) -> str:
    return f"{value:+.2g} {LOG.get(unit, unit)}".replace("-", "−")
