"""Model: what it is for and not for, what it learnt from, and how well it does. All of it from the bundle."""

import streamlit as st

from ecgkt.ui import facts, performance, resources, theme

theme.frame("Model")
model = resources.model_or_stop()

st.header(model.name)
facts.use(model)
facts.training_data(model)

st.header("Performance on held-out patients")
performance.summary(model.metrics)
performance.by_label(model)

facts.build(model)
