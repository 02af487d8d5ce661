"""Why this diagnosis, through which labs: tracing, labs, diagnosis as nodes to press, and one sentence.

Pressing a lab shows its own relevance on the sheet; the picture stays, so that one comes back. Nothing is shown in a
bundle without links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.criteria.check import check
from ecgkt.interpretation.record import lab_words, measured_labs
from ecgkt.lab_links import story
from ecgkt.lab_links.links import Carried, LabExplanation, explain
from ecgkt.prediction import Label, Prediction
from ecgkt.results import numbers
from ecgkt.ui import keys
from ecgkt.ui.reading.interpretation import press, pressed
from ecgkt.ui.session import Opened, attribute, summarized
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

NODES = 3  # labs that are drawn


def show(
    opened: Opened, model: Model, prediction: Prediction, chosen: Label, method: str, chooses: str = keys.TARGET
) -> None:
    """The picture of the chosen diagnosis, or of the one from which the chosen lab was pressed.

    chooses: the name under which the session keeps which label is chosen.
    """
    if model.lab_links is None:
        return
    if chosen.head == "diagnoses":
        st.session_state[keys.EXPLAINED] = chosen.code
    found = explain(st.session_state.get(keys.EXPLAINED, ""), prediction, model.lab_links)
    if found is None or chosen.code not in _codes(found):
        return
    st.html('<div class="links-title" role="heading" aria-level="2">Through which labs</div>')
    if found.refusal:
        html.text(story.sentence(found, story.Seen("", "")))
        html.text(story.disagreement(found))
        return
    lab = found.carried[0].score
    relevance = attribute(opened, model, lab.label.code, method)
    summary = summarized(opened, model, relevance, lab.positive)
    seen = story.seen(summary, check(lab.label.code, opened.analyzed.quantities, opened.ecg.age))
    labs = measured_labs(opened.clinical)
    with st.container(key="links"):
        tracing, middle, last = st.columns([1.25, 1.5, 1], gap="medium", vertical_alignment="center")
        with tracing:
            _tracing(seen, lab.label, chosen, chooses)
        with middle:
            for number, carried in enumerate(found.carried[:NODES]):
                _lab(number, carried, chosen, labs, chooses)
        with last:
            words = f"score {numbers.percent(found.score.probability)}"
            style = press("link-diagnosis", found.score.label.name, words, found.score.label.code, chooses)
            pressed(style, found.score.label.code == chosen.code)
    html.text(story.sentence(found, seen), "lead-in")
    html.text(story.disagreement(found))
    with st.expander("What the model learned, and what physiology says"):
        header = ("Lab", "Learned by the model", "Table of physiology")
        html.table(header, [story.provenance(carried) for carried in found.carried])
        html.text(
            f"What a lab carries was learned from {model.lab_links.ecgs:,} ECGs of simulated patients; on others of "
            f"them labs tell {numbers.percent(found.r2)} of how this score varies (R²)."
        )


def _codes(found: LabExplanation) -> set[str]:
    return {found.score.label.code, *(carried.score.label.code for carried in found.carried)}


def _tracing(seen: story.Seen, lab: Label, chosen: Label, chooses: str) -> None:
    """What the tracing shows for the first lab; pressing it draws that lab's relevance."""
    style = press("link-tracing", seen.measured or "On the tracing", seen.where, lab.code, chooses)
    pressed(style, lab.code == chosen.code)


def _lab(number: int, carried: Carried, chosen: Label, labs: dict[str, float], chooses: str) -> None:
    label = carried.score.label
    measured = f"; {lab_words(label.lab, labs[label.lab])}" if label.lab in labs else ""
    share = f"carries {numbers.percent(carried.share)}"
    auroc = f"; AUROC {label.auroc[0]:.2f}" if label.auroc else ""
    words = f"{share}; {story.ROLES[carried.sense.role]}{measured}{auroc}"
    name = f"{carried.name} {numbers.percent(carried.score.probability)}"
    pressed(press(f"link-lab-{number}", name, words, label.code, chooses), label.code == chosen.code)
