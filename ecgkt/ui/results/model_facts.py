"""The facts of the bundle on the Model page: use and limits, training data, build."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.model import facts
from ecgkt.results import sections
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model


def contents(listed: Sequence[sections.Section]) -> None:
    """Links to the sections of the page, by anchor."""
    st.markdown(" · ".join(f"[{section.short}](#{section.anchor})" for section in listed))


def use(model: Model) -> None:
    """What it is meant for, and beside it what it must not be used for and where it ends."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Intended use")
        html.text(model.card.intended_use, "lead-in")
        st.subheader("Limitations")
        _list(model.card.limits)
    with right:
        st.subheader("Not to be used for")
        _list(model.card.not_for)


def training_data(model: Model) -> None:
    """Each data set with the size of its training split, its license, and whether its patients were simulated."""
    st.subheader("Training data")
    _list(facts.learned_from(model.card))
    html.show(facts.training_data(model.card))


def build(model: Model) -> None:
    """How it was made and which files it is: architecture, seeds, hashes."""
    html.section(sections.BUILD)
    html.show(facts.build(model.card, model.sha256))
    with st.expander("Architecture and files"):
        html.show(facts.architecture(model.card))
        html.show(facts.stages(model.card))
        html.show(facts.files(model.card))


def _list(items: Sequence[str]) -> None:
    for item in items:
        html.text(f"– {item}", "lead-in")
