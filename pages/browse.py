"""Browse: example ECGs, each on its paper with what the model says of it and what that rests on."""

import streamlit as st

from ecgkt.ui import session
from ecgkt.ui.reading import page as reading_page
from ecgkt.ui.sources import examples
from ecgkt.ui.widgets import theme

theme.frame("Browse")
model = session.model_if_loaded()
collection = session.collection_or_stop()
entry = examples.choose(collection, model)
reading_page.show(session.open_entry(collection, entry), model)
# The model came while the tracing was on the page already; the filters do not have its words yet.
if model is None and session.model_if_loaded() is not None:
    st.rerun()
