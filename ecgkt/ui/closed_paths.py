"""Paths of Streamlit's server that nobody here needs: its metrics, and its interface for programs."""

from __future__ import annotations

from typing import Any

CLOSED = ("/_stcore/metrics", "/_stcore/agent")


class ClosedPaths:
    """ASGI middleware for `st.App`: 404 for what begins with one of `CLOSED`."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(CLOSED):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)
