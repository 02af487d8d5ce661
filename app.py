"""The dashboard: `streamlit run app.py`. Four pages and one navigation bar."""

import streamlit as st

st.navigation(
    [
        st.Page("pages/browse.py", title="Browse", default=True),
        st.Page("pages/upload.py", title="Upload"),
        st.Page("pages/compare.py", title="Compare"),
        st.Page("pages/model.py", title="Model"),
    ],
    position="top",
).run()
