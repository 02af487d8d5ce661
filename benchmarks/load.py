"""How the dashboard stands many visitors: writes load.json and load.md.

    python -m benchmarks.load                      # all parts, each below 6 minutes
    python -m benchmarks.load --part pages         # processor seconds of one page run, by what was done
    python -m benchmarks.load --part people --people 30 --seconds 300
    python -m benchmarks.load --part people --processes 2 --name "two processes"
    python -m benchmarks.load --part reruns --reruns 2000
    python -m benchmarks.load --part sessions --sessions 500
    python -m benchmarks.load --part people --checkout ../other --name before   # another checkout's dashboard

`people` drives tabs over Streamlit's websocket: each does one thing every 1.5 to 4.5 s, in turn the next ECG and a
score pressed; every fifth has uploaded a tracing of its own. A tab's sheet must show its own ECG at every step. Speaks
to a server it starts itself, on loopback. Parts that are not run keep the figures of their last run.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np

from benchmarks.browser_session import ROOT, Server, Tab
from ecgkt.datasets.collection import open_collection
from ecgkt.ecg import LEADS

HERE = Path(__file__).parent
EVERY = 3.0  # s between two actions of a person, in the mean
OWN = 5  # every fifth person has a tracing of their own
WARM = 240.0  # s at most that a server is given to explain its examples
SETTLED = 40.0  # s after the last tab closed: sessions are freed by then


def own_tracing(number: int) -> dict[str, bytes]:
    """A WFDB record like nobody else's: an example at a size of its own. Names say nothing."""
    example = open_collection(ROOT / "assets" / "examples")
    ecg = example.read(example.entries[number % len(example.entries)].key).resampled(500.0)
    whole = np.rint(1000 * np.nan_to_num(ecg.signal[:, :5000]) * (0.6 + 0.02 * (number % 30))).astype("<i2")
    lines = [f"r{number} 12 500 {whole.shape[1]}"]
    for lead, row in zip(LEADS, whole, strict=True):
        total = int(row.astype(np.int64).sum()) & 0xFFFF
        lines.append(f"r{number}.dat 16 1000(0)/mV 16 0 {row[0]} {total - 65536 * (total > 32767)} 0 {lead}")
    return {f"r{number}.hea": ("\n".join(lines) + "\n").encode(), f"r{number}.dat": whole.T.tobytes()}


def drawn(tab: Tab) -> str:
    """What tells a sheet's tracing from any other's."""
    figure = json.loads(tab.charts["sheet"])
    traces = {trace.get("name"): trace.get("y") for trace in figure["data"]}
    return hashlib.sha256(json.dumps([traces[lead] for lead in LEADS]).encode()).hexdigest()


def settle(server: Server) -> None:
    """Wait until the server has done what it does before visitors come."""
    until = time.monotonic() + WARM
    quiet = 0
    while quiet < 3 and time.monotonic() < until:
        before = server.processor_seconds()
        time.sleep(2.0)
        quiet = quiet + 1 if server.processor_seconds() - before < 0.1 else 0


class Measured:
    """Latencies (s) and what went wrong, of all tabs."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors: list[str] = []
        self.mixed = 0
        self.sheets: dict[str, str] = {}  # key of an ECG -> its tracing, as first drawn

    async def act(self, tab: Tab, what: Callable[[], Awaitable[float]], own: str = "") -> None:
        try:
            self.seconds.append(await what())
            key = own or parse_qs(tab.query)["ecg"][0]
            self.mixed += self.sheets.setdefault(key, drawn(tab)) != drawn(tab)
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
        self.errors += tab.errors
        tab.errors.clear()


async def person(server: Server, number: int, until: float, measured: Measured) -> None:
    try:
        await visit(server, number, until, measured)
    except Exception as error:
        measured.errors.append(f"{type(error).__name__}: {error}")


async def visit(server: Server, number: int, until: float, measured: Measured) -> None:
    dice, own = random.Random(number), f"own-{number}" if number % OWN == 0 else ""
    await asyncio.sleep(dice.random() * EVERY)
    tab = Tab(server.address)
    if own:
        await tab.open("upload")
        await measured.act(tab, lambda: tab.upload("upload", own_tracing(number)), own)
    else:
        await measured.act(tab, tab.open)
    step = 0
    while time.monotonic() < until:
        began = time.monotonic()
        step += 1
        if own or step % 2:
            rows = tab.keys("row-")
            if rows:
                key = dice.choice(rows)
                await measured.act(tab, lambda key=key: tab.press(key), own)  # type: ignore[misc]
        else:
            await measured.act(tab, lambda: tab.press("next"), own)
        # At intervals of their own: with one that is the same for all, those who wait for each other once go on at the
        # same moment for ever.
        pause = EVERY * dice.uniform(0.5, 1.5)
        await asyncio.sleep(max(0.0, pause - (time.monotonic() - began)))
    await tab.close()


def pages(checkout: Path, count: int) -> dict[str, Any]:
    """Processor seconds of the server, median over `count` examples, for one tab that is alone."""
    spent: dict[str, list[float]] = {}

    async def go(server: Server) -> None:
        async def timed(what: str, asked: Awaitable[float]) -> None:
            before = server.processor_seconds()
            await asked
            await asyncio.sleep(0.2)
            spent.setdefault(what, []).append(server.processor_seconds() - before)

        tab = Tab(server.address)
        await tab.open()
        for _ in range(count):
            await timed("next_example", tab.press("next"))
            await timed("score_pressed", tab.press(tab.keys("row-")[4]))
            await timed("score_pressed_again", tab.press(tab.keys("row-")[4]))
            await tab.press("previous")
            await timed("next_example_again", tab.press("next"))
            await timed("whole_page_again", tab.again())
        await tab.close()
        for number in range(count):
            tab = Tab(server.address)
            await tab.open("upload")
            await timed("own_tracing_uploaded", tab.upload("upload", own_tracing(number)))
            await timed("own_tracing_score_pressed", tab.press(tab.keys("row-")[4]))
            await timed("own_tracing_page_again", tab.again())
            await tab.close()

    with Server(checkout) as server:
        settle(server)
        asyncio.run(go(server))
    found: dict[str, Any] = {f"{what}_s": float(np.median(values)) for what, values in spent.items()}
    return {"examples": count, **found, "load_of_the_machine": os.getloadavg()[1]}


def people(checkout: Path, count: int, seconds: float, processes: int = 1) -> dict[str, Any]:
    """Latency, errors and cross-talk of `count` people over `seconds`, shared out evenly among so many servers, as
    deploy/'s proxy does, which keeps each visitor with one."""
    measured = Measured()
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(checkout)) for _ in range(processes)]
        for server in servers:
            settle(server)

        async def all_of_them() -> None:
            until = time.monotonic() + seconds
            where = (servers[number % processes] for number in range(count))
            await asyncio.gather(*(person(server, n, until, measured) for n, server in enumerate(where)))

        used = sum(server.processor_seconds() for server in servers)
        asyncio.run(all_of_them())
        used = sum(server.processor_seconds() for server in servers) - used
    latency = np.array(measured.seconds)
    return {
        "people": count, "processes": processes, "seconds": seconds, "actions": len(latency),
        "p50_s": float(np.median(latency)), "p95_s": float(np.quantile(latency, 0.95)), "most_s": float(latency.max()),
        "processor_s_an_action": used / len(latency), "errors": len(measured.errors),
        "first_errors": sorted(set(measured.errors))[:5], "sheets_of_another_ecg": measured.mixed,
        "load_of_the_machine": os.getloadavg()[1],
    }  # fmt: skip


def reruns(checkout: Path, count: int) -> dict[str, Any]:
    """Memory over `count` reruns of one session that goes through the examples and their scores."""

    async def go(server: Server) -> list[tuple[int, int]]:
        tab = Tab(server.address)
        await tab.open()
        for _ in range(100):  # every example seen once: caches are full
            await tab.press("next")
        seen = []
        for number in range(count):
            await (tab.press("next") if number % 4 == 0 else tab.again())
            if number % max(1, count // 40) == 0:
                seen.append((number, server.memory()))
        await tab.close()
        return seen

    return _slope(checkout, go, "reruns", count)


def sessions(checkout: Path, count: int) -> dict[str, Any]:
    """Memory over `count` sessions, opened and closed one after another, each tenth with an upload."""

    async def go(server: Server) -> list[tuple[int, int]]:
        seen = []
        for number in range(count):
            tab = Tab(server.address)
            await tab.open("upload" if number % 10 == 0 else "")
            if number % 10 == 0:
                await tab.upload("upload", own_tracing(number))
            await tab.close()
            if number % max(1, count // 40) == 0:
                seen.append((number, server.memory()))
        return seen

    return _slope(checkout, go, "sessions", count)


def _slope(checkout: Path, go: Callable[[Server], Awaitable[list[tuple[int, int]]]], what: str, count: int) -> Any:
    began = time.monotonic()
    with Server(checkout) as server:
        settle(server)
        seen = asyncio.run(go(server))  # type: ignore[arg-type]
        time.sleep(SETTLED)
        after = server.memory()
    late = np.array(seen[len(seen) // 4 :], float)
    slope = float(np.polyfit(late[:, 0], late[:, 1], 1)[0])
    return {
        what: count, "bytes_each": slope, "first_mb": seen[0][1] / 1e6, "last_mb": seen[-1][1] / 1e6,
        "settled_mb": after / 1e6, "minutes": (time.monotonic() - began) / 60,
    }  # fmt: skip


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "pages": lambda a: pages(a.checkout, 12),
    "people": lambda a: people(a.checkout, a.people, a.seconds, a.processes),
    "reruns": lambda a: reruns(a.checkout, a.reruns),
    "sessions": lambda a: sessions(a.checkout, a.sessions),
}


def page(results: dict[str, dict[str, Any]]) -> str:
    """results: "part" or "part, name" -> figures."""
    lines = ["# Many at once", "", "By `python -m benchmarks.load`; server and visitors share the machine.", ""]
    for title, figures in results.items():
        lines += [f"## {title}", "", "| | |", "|---|---|"]
        for name, value in figures.items():
            shown = f"{value:.3g}" if isinstance(value, float) else json.dumps(value)
            lines.append(f"| {name.replace('_', ' ')} | {shown} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--processes", type=int, default=1, help="servers that the people are shared out among")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--reruns", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--name", default="", help="under which the figures are kept, beside those without a name")
    asked = parser.parse_args()
    file = HERE / "load.json"
    for part in PARTS if asked.part == "all" else [asked.part]:
        found = PARTS[part](asked)
        results = json.loads(file.read_text()) if file.is_file() else {}
        results[f"{part}, {asked.name}" if asked.name else part] = found
        print(part, json.dumps(found, indent=2), flush=True)
        file.write_text(json.dumps(results, indent=2) + "\n")
        (HERE / "load.md").write_text(page(results))


if __name__ == "__main__":
    main()
