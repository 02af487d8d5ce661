"""Who may see the pages: everybody, or those who log in by OIDC where `.streamlit/secrets.toml` has an [auth] section.

With ECGKT_LOGIN=required a server whose secrets are missing shows nothing, rather than everything to everybody.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import streamlit as st

from ecgkt import NOTICE

REQUIRED = "ECGKT_LOGIN"  # environment variable: "required", or anything else for as the secrets say


def require() -> None:
    """Stop the page for a visitor who has not logged in, where logging in is configured; else offer to log out."""
    logged_in = _logged_in()
    if logged_in is None:
        if os.environ.get(REQUIRED) == "required":
            st.error("This server lets nobody in: logging in is required, and not configured.")
            st.stop()
        return
    if logged_in:
        st.sidebar.button("Log out", key="logout", on_click=st.logout)
        return
    st.title("ecgkt")
    st.caption(NOTICE)
    if find_spec("authlib") is None:
        st.error("This server lets nobody in: logging in needs the package Authlib, and it is not installed.")
    else:
        st.button("Log in", key="login", type="primary", on_click=st.login)
    st.stop()


def _logged_in() -> bool | None:
    """None where logging in is not configured."""
    said = st.user.to_dict().get("is_logged_in")
    return None if said is None else said is True
