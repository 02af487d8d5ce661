"""The report's buttons in a real browser: a file arrives, it is what the screen shows, and its name tells nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from ecgkt import NOTICE
from tests.browser.looking import script, settled, size, wait

pytestmark = pytest.mark.browser


def test_pressing_a_button_brings_the_report_of_what_is_on_the_screen(
    address: str, browser: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    size(browser, 1024, 768)
    browser.get(f"{address}/?layout=12x1&order=cabrera&target=E875")
    settled(browser, ".scatterlayer path")
    menu = "[...document.querySelectorAll('button')].find(b => b.innerText.trim().startsWith('Report'))"
    wait(lambda: script(browser, f"Boolean({menu})"))
    script(browser, f"{menu}.click()")
    for suffix in ("pdf", "json"):
        button = f"document.querySelector('.st-key-report_{suffix} button:enabled')"
        wait(lambda found=f"Boolean({button})": script(browser, found))
        script(browser, f"{button}.click()")
        wait(lambda name=f"ecg-report.{suffix}": (folder / name).is_file())
    data = json.loads((folder / "ecg-report.json").read_text())
    assert (data["paper"]["layout"], data["paper"]["order"]) == ("12x1", "cabrera")
    assert data["attribution"]["code"] == "E875"
    pages = PdfReader(folder / "ecg-report.pdf").pages
    assert all(NOTICE in page.extract_text() for page in pages)
    assert f"What contributes to the score: {data['attribution']['name'][:10]}" in pages[2].extract_text()
    shown = script(browser, "document.querySelector('.lead-in').innerText")
    assert shown.startswith(data["attribution"]["name"])
    assert data["attribution"]["sentence"] in shown
