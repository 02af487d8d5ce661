"""A tab that sends without pause is taken slower, and one that a person uses is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ecgkt.ui import paced_sockets
from ecgkt.ui.paced_sockets import A_SECOND, AT_ONCE, PacedSockets


def taken(monkeypatch: pytest.MonkeyPatch, count: int, every: float, kind: str = "websocket") -> list[float]:
    """When (s) each of `count` messages reaches the app that are sent every so many s."""
    now, times = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def receive() -> dict[str, Any]:
        nonlocal now
        now = max(now, len(times) * every)
        return {"type": f"{kind}.receive"}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(count):
            assert await receive() == {"type": f"{kind}.receive"}
            times.append(now)

    monkeypatch.setattr(paced_sockets, "sleep", sleep)
    monkeypatch.setattr(paced_sockets, "monotonic", lambda: now)
    asyncio.run(PacedSockets(app)({"type": kind}, receive, None))
    return times


def test_messages_without_pause_are_taken_at_their_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    times = taken(monkeypatch, 430, 0.0)
    assert times[AT_ONCE - 1] == 0.0
    assert times[-1] == pytest.approx(400 / A_SECOND)
    gaps = [later - sooner for sooner, later in zip(times[AT_ONCE:], times[AT_ONCE + 1 :], strict=False)]
    assert gaps == pytest.approx([1 / A_SECOND] * len(gaps))


def test_a_persons_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, 500, 0.2) == pytest.approx([0.2 * number for number in range(500)])


def test_what_is_no_socket_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, 500, 0.0, "http") == [0.0] * 500
