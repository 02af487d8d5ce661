"""The pages and the bar that leads to them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ecgkt.ui import keys, login


def bar() -> StreamlitPage:
    """The navigation bar; the page that was asked for, not run yet. Nothing for who must log in and has not."""
    login.require()
    st.session_state[keys.HAS_BAR] = True
    return st.navigation(
        [
            st.Page("pages/browse.py", title="Browse", default=True),
            st.Page("pages/upload.py", title="Upload"),
            st.Page("pages/serial.py", title="Serial"),
            st.Page("pages/what_if.py", title="What if"),
            st.Page("pages/compare.py", title="Compare"),
            st.Page("pages/model.py", title="Model"),
        ],
        position="top",
    )


def ensure() -> None:
    """Start again by app.py when Streamlit ran a file of `pages/` alone.

    It does so for a page opened by its address as long as nothing in the server has called `st.navigation`.
    """
    if keys.HAS_BAR not in st.session_state:
        bar()
        st.rerun()
