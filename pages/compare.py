"""Compare: what learning from labs and vitals changed, on one ECG and over the test cohort."""

import streamlit as st

from ecgkt.ui import choose, comparison, label_curve, performance, resources, theme

theme.frame("Compare")
model = resources.model_or_stop()

st.header("On this ECG")
collection = resources.collection_or_stop()
entry = choose.example(collection, model)
comparison.side_by_side(resources.open_entry(collection, entry), model)

label_curve.section(model.metrics)

st.header("Over the test cohort")
performance.gap_closed(model.metrics)
performance.by_label(model)
