"""Model: what it is for and not for, what it learned from, and how well it does. All of it from the bundle."""

import streamlit as st

from ecgkt.results.explained import of_bundle
from ecgkt.results.sections import BUILD, EXPLAINED, LABEL_CURVE, PERFORMANCE, PROBES, SECTIONS
from ecgkt.ui import session
from ecgkt.ui.results import abstention, calibration, explained, model_facts, performance, probes, real_ecgs, subgroups
from ecgkt.ui.widgets import html, theme

theme.frame("Model")
model = session.model_or_stop()

with st.container(width=1120):
    st.header(f"Model {html.literal(model.name)}")
    # The label-efficiency curve stands on Compare.
    truth = of_bundle(model.sha256)
    told = (*SECTIONS[:-1], PROBES, *([EXPLAINED] if truth else []), BUILD)
    parts = [part for part in told if part.measured(model.metrics)]
    model_facts.contents([part for part in parts if part != LABEL_CURVE])
    model_facts.use(model)
    model_facts.training_data(model)

    html.section(PERFORMANCE)
    performance.summary(model.metrics)
    performance.urgent(model)
    st.subheader("Label by label")
    performance.by_label(model)

    real_ecgs.findings(model.metrics)
    calibration.section(model.metrics)
    subgroups.section(model.metrics)
    abstention.section(model.metrics)
    real_ecgs.labs(model)
    probes.section(model.metrics)
    explained.section(truth)
    model_facts.build(model)
