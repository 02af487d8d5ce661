"""Compare: what learning from labs and vitals changed, on one ECG and over the test cohort."""

import streamlit as st

from ecgkt.ui import address, session
from ecgkt.ui.results import label_curve, performance, side_by_side
from ecgkt.ui.sources import examples
from ecgkt.ui.widgets import theme

theme.frame("Compare")
model = session.model_or_stop()

st.header("On this ECG")
collection = session.collection_or_stop()
entry = examples.choose(collection, model)
if not session.is_own_folder():
    address.write(ecg=entry.key)
side_by_side.show(session.open_entry(collection, entry), model)

label_curve.section(model.metrics, model.labels["diagnoses"])

st.header("Across the test cohort")
performance.gap_closed(model.metrics)
performance.by_label(model)
