"""Which heads follow their own cause and which do not, over many simulated patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.results import simulated
from ecgkt.simulation.levers import LEVERS
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model


def show(model: Model) -> None:
    """Nothing where the bundle has no such figures."""
    if not model.metrics.responses:
        return
    kinds = {"labs": ", lab", "diagnoses": ", diagnosis", "findings": ""}
    names = {label.code: label.name + kinds[head] for head in model.labels for label in model.labels[head]}
    with st.expander("Does each head follow its own cause?"):
        html.text(simulated.RESPONSES_EXPLAINED)
        html.show(simulated.responses(model.metrics, names, {lever.key: (lever.name, lever.unit) for lever in LEVERS}))
