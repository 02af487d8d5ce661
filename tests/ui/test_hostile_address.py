"""Links made by somebody else: what no page knows is passed over, without a word in the server's log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from benchmarks.browser_session import ROOT, Server, Tab

pytestmark = pytest.mark.slow
PARAMETERS = (
    "ecg", "target", "earlier", "patient", "labeled", "layout", "gain", "speed", "order", "rhythm", "filter", "overlay",
    "way", "strength", "method", "waves", "start", "beat", "tab", "serial_view", "serial_tab", "folder", "unknown",
)  # fmt: skip
KNOWN = {
    "way": "bars", "layout": "12x1", "gain": "20", "speed": "50", "rhythm": "V5", "waves": "true", "overlay": "false",
    "strength": "50", "beat": "All 12", "filter": "monitor", "order": "Cabrera",
}  # fmt: skip
HOSTILE = (
    "", "\0", "<script>alert(1)</script>", "../../../etc/passwd", "9" * 5000, "1e999", "nan", "true", "=1+1",
    "\u202e\ud7ff\uffff", "[1,2]", "%",
)  # fmt: skip


def test_links_are_quiet_and_harmless(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file, Server(ROOT, file) as server:

        async def follow(page: str, query: dict[str, str], again: bool = False) -> Tab:
            tab = Tab(server.address)
            await tab.open(page, **query)
            if again:
                await tab.again()
            assert tab.errors == [], (page, query)
            await tab.close()
            return tab

        async def visits() -> None:
            plain = parse_qs((await follow("", {})).query)
            shown = parse_qs((await follow("", KNOWN, again=True)).query)
            assert shown["ecg"] == plain["ecg"]
            for value in HOSTILE:
                shown = parse_qs((await follow("", dict.fromkeys(PARAMETERS, value), again=value == "nan")).query)
                assert shown["ecg"] == plain["ecg"], value
                assert value == "true" or not {"way", "layout", "gain", "speed", "rhythm", "order"} & set(shown), value
            for page in ("serial", "compare", "what_if", "upload", "model"):
                for value in ("<script>", "\0", "9" * 400):
                    await follow(page, dict.fromkeys(PARAMETERS, value))

        asyncio.run(visits())
    said = log.read_text()
    assert str(ROOT) not in said, said
    assert "Warning" not in said, said
    assert "Traceback" not in said, said
