"""Model: what it is for and not for, what it learnt from, and how well it does. All of it from the bundle."""

import streamlit as st

from ecgkt.ui import abstention, calibration, facts, performance, real_ecgs, resources, subgroups, theme

theme.frame("Model")
model = resources.model_or_stop()

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
    facts.contents({anchor: title for anchor, (title, needs) in SECTIONS.items() if model.metrics.get(needs)})
    facts.use(model)
    facts.training_data(model)

    st.header("Performance on held-out patients", anchor="performance")
    performance.summary(model.metrics)
    real_ecgs.findings(model.metrics)
    st.subheader("Label by label")
    performance.by_label(model)

    calibration.section(model.metrics)
    subgroups.section(model.metrics)
    abstention.section(model.metrics)
    real_ecgs.labs(model)

    facts.build(model)
