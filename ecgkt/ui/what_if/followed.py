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
    names = {label.code: label.name for head in model.labels.values() for label in head}
    with st.expander("Does each head follow its own cause?"):
        html.text(simulated.RESPONSES_EXPLAINED)
        html.show(simulated.responses(model.metrics, names, {lever.key: (lever.name, lever.unit) for lever in LEVERS}))
