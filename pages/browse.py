"""Browse: example ECGs, each on its paper with what the model says of it and what that rests on."""

import streamlit as st

from ecgkt.ui import choose, reading, resources, theme

theme.frame("Browse")
model = resources.model_if_loaded()
collection = resources.collection_or_stop()
entry = choose.example(collection, model)
reading.show(resources.open_entry(collection, entry), model)
if model is None:  # it came while the tracing was on the page already; the filters do not have its words yet
    st.rerun()
