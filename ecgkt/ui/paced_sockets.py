"""No tab keeps the others waiting, however fast it asks: Streamlit begins a page run for each message that it is sent.

400 at once kept everybody else waiting for 24 s.
"""

from __future__ import annotations

from asyncio import sleep
from time import monotonic
from typing import Any

A_SECOND = 8.0  # messages of one tab, in the long run; a slider that is dragged sends fewer
AT_ONCE = 30  # that it may send before the others


class PacedSockets:
    """ASGI middleware for `st.App`: what a websocket sends beyond that is taken later, and meanwhile no more from it.

    The server reads nothing of a socket whose last message has not been taken, so nothing piles up here.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        left, seen = float(AT_ONCE), monotonic()

        async def paced() -> Any:
            nonlocal left, seen
            message = await receive()
            if message["type"] == "websocket.receive":
                now = monotonic()
                left, seen = min(AT_ONCE, left + (now - seen) * A_SECOND) - 1, now
                if left < 0:
                    await sleep(-left / A_SECOND)
            return message

        await self._app(scope, paced if scope["type"] == "websocket" else receive, send)
