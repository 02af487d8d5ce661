"""The address names what is shown: a view can be shared, and the browser's Back leads to the one before.

A page writes what it shows in one step, or Back would stop halfway. What stands in the address otherwise than it was
written came with a link or with Back, and goes before what the session remembers.
"""

from __future__ import annotations

import streamlit as st

from ecgkt.ui import keys


def asked(parameter: str) -> str | None:
    """What a link or Back asks for; None where the address says what was written there, or nothing."""
    value = st.query_params.get(parameter)
    return None if value == st.session_state.get(keys.WRITTEN, {}).get(parameter) else value


def write(**shown: str) -> None:
    st.session_state.setdefault(keys.WRITTEN, {}).update(shown)
    changed = {parameter: value for parameter, value in shown.items() if st.query_params.get(parameter) != value}
    if changed:
        st.query_params.update(changed)


def forget(*parameters: str) -> None:
    """Take parameters out: they name what is no longer there."""
    for parameter in parameters:
        st.session_state.get(keys.WRITTEN, {}).pop(parameter, None)
        st.query_params.pop(parameter, None)
