"""Which folders of the computer that runs the dashboard may be opened from a page: those named when it was started.

`ECGKT_ECGS` names them, several with the system's separator of paths. Nothing else is opened, and nothing said of
whether it is there. A server that others can reach opens none unless `ECGKT_ECGS_ON_NETWORK` is set as well.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import streamlit as st

from ecgkt.ecg import ECGError

NAMED, ON_NETWORK = "ECGKT_ECGS", "ECGKT_ECGS_ON_NETWORK"
PROXIES = ("X-Forwarded-For", "X-Real-IP", "Forwarded")  # headers that one sends along
OUTSIDE = "This is not a folder that the dashboard was started with, or one below it."


def roots() -> list[Path]:
    """The folders named at the start, links followed; none where they must not be opened."""
    visitor = st.context.ip_address  # None for one on this computer
    passed_on = any(header in st.context.headers for header in PROXIES)  # by a proxy that listens for others
    is_local = is_loopback(st.get_option("server.address")) and not isinstance(visitor, str) and not passed_on
    if not is_local and os.environ.get(ON_NETWORK, "") in ("", "0"):
        return []
    named = os.environ.get(NAMED, "").split(os.pathsep)
    return [Path(path.strip()).expanduser().resolve() for path in named if path.strip()]


def is_loopback(address: str | None) -> bool:
    """Is a server that listens there out of others' reach? Without an address it listens everywhere."""
    try:
        return address == "localhost" or ip_address(address or "").is_loopback
    except ValueError:
        return False


def below_a_root(named: str) -> Path:
    """The folder itself, links followed; a relative path begins at the first root. Raises ECGError, in the same words
    whether or not there is such a folder elsewhere."""
    allowed = roots()
    try:
        folder = (allowed[0] / Path(named).expanduser()).resolve()
    except (IndexError, OSError, RuntimeError, ValueError):
        raise ECGError(OUTSIDE) from None
    if not any(folder.is_relative_to(root) for root in allowed):
        raise ECGError(OUTSIDE)
    return folder
