"""Model: what it is for and not for, what it learned from, and how well it does. All of it from the bundle."""

import streamlit as st

from ecgkt.ui import session
from ecgkt.ui.results import abstention, calibration, model_facts, performance, real_ecgs, subgroups
from ecgkt.ui.widgets import theme

theme.frame("Model")
model = session.model_or_stop()

SECTIONS = {  # anchor: title, and what in metrics.json it needs
    "performance": ("Performance", "models"),
    "calibration": ("Calibration", "calibration"),
    "subgroups": ("Age and sex", "subgroups"),
    "abstention": ("No answer", "conformal"),
    "labs": ("Labs on real ECGs", "lab_proxies"),
    "build": ("Build", "models"),
}

with st.container(width=1120):
    st.header(f"Model {model.name}")
    model_facts.contents({anchor: title for anchor, (title, needs) in SECTIONS.items() if model.metrics.get(needs)})
    model_facts.use(model)
    model_facts.training_data(model)

    st.header("Performance on held-out patients", anchor="performance")
    performance.summary(model.metrics)
    real_ecgs.findings(model.metrics)
    st.subheader("Label by label")
    performance.by_label(model)

    calibration.section(model.metrics)
    subgroups.section(model.metrics)
    abstention.section(model.metrics)
    real_ecgs.labs(model)

    model_facts.build(model)
