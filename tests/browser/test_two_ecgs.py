"""Two ECGs of one patient in a real browser: drawn to scale, reached from the reading page, two real files compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ecgkt.datasets.collection import Collection
from tests.browser.looking import script, settled, size, wait

pytestmark = pytest.mark.browser

PLOT = "document.querySelector('.js-plotly-plot')"
TEXT = "document.body.innerText"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_beats_are_drawn_to_scale_beside_the_changes(address: str, browser: Any, width: int, height: int) -> None:
    size(browser, width, height)
    browser.get(f"{address}/serial")
    settled(browser, ".scatterlayer path")
    axes = [f"{PLOT}._fullLayout.{axis}" for axis in ("xaxis", "yaxis")]
    per_mm = [script(browser, f"{a}._length / ({a}.range[1] - {a}.range[0])") for a in axes]
    assert per_mm[0] == pytest.approx(per_mm[1], rel=0.01)
    sheet = script(browser, f"{PLOT}.getBoundingClientRect().toJSON()")
    assert sheet["width"] > 0.6 * width
    assert sheet["bottom"] < height
    dashes = script(browser, f"{PLOT}.data.map(trace => [trace.name, trace.line.dash ?? 'solid'])")
    assert dict(dashes)["before"] != dict(dashes)["now"] == "solid"
    row = script(browser, "document.querySelector('ul.changes li').getBoundingClientRect().toJSON()")
    assert row["left"] > sheet["right"]
    assert row["bottom"] < height
    for part in ("document.documentElement", "document.querySelector('.stMain')"):
        assert script(browser, f"{part}.scrollWidth <= {part}.clientWidth")


def test_a_narrow_window_has_the_scores_under_the_beats_and_nothing_cut(address: str, browser: Any) -> None:
    """A tablet upright, and a laptop at 200 %."""
    size(browser, 720, 900)
    browser.get(f"{address}/serial")
    settled(browser, "ul.changes li")
    settled(browser, ".scatterlayer path")
    sheet = script(browser, f"{PLOT}.getBoundingClientRect().toJSON()")
    assert sheet["width"] > 0.9 * 720
    row = script(browser, "document.querySelector('ul.changes li').getBoundingClientRect().toJSON()")
    assert row["top"] > sheet["bottom"]
    assert script(browser, "document.querySelector('.stMain').scrollWidth <= innerWidth")
    switch = "document.querySelector('.st-key-serial_view button:last-of-type')"
    assert script(browser, f"{switch}.scrollWidth <= {switch}.clientWidth + 1")


def test_on_a_phone_no_word_over_the_beats_lies_on_another(address: str, browser: Any) -> None:
    size(browser, 390, 844)
    browser.get(f"{address}/serial")
    settled(browser, ".st-key-serial-beats-box .scatterlayer path")
    words = (
        "[...document.querySelectorAll('.st-key-serial-beats-box :is(.annotation-text, .legendtext)')]"
        ".map(word => word.getBoundingClientRect().toJSON())"
    )
    boxes = script(browser, words)
    assert len(boxes) == 12 + 1 + 3, "leads, scale, legend"
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            apart_x = a["right"] <= b["left"] or b["right"] <= a["left"]
            assert apart_x or a["bottom"] <= b["top"] or b["bottom"] <= a["top"], (a, b)
    legend = [box for box in boxes if box["top"] == min(each["top"] for each in boxes)]
    assert all(box["left"] >= 0 and box["right"] <= 390 for box in legend), "seen without scrolling"


def test_the_reading_page_leads_there_and_the_address_comes_back(
    address: str, browser: Any, shipped_examples: Collection
) -> None:
    size(browser, 1440, 900)
    several = next(entry for entry in shipped_examples.entries if len(shipped_examples.of_same_patient(entry.key)) > 1)
    browser.get(f"{address}/?{urlencode({'ecg': several.key})}")
    offer = "document.querySelector('.st-key-serial_offer button')"
    wait(lambda: script(browser, f"Boolean({offer})"))
    settled(browser, ".scatterlayer path")
    script(browser, f"{offer}.click()")
    wait(lambda: "earlier=" in browser.current_url)
    settled(browser, "ul.changes li")
    wait(lambda: " apart" in script(browser, TEXT))
    place = browser.current_url
    before = script(browser, "document.querySelector('table.data').innerText")
    browser.get("about:blank")
    browser.get(place)
    settled(browser, "ul.changes li")
    wait(lambda: script(browser, "document.querySelector('table.data')?.innerText") == before)
    script(browser, "document.querySelector('.st-key-serial_swap button').click()")
    wait(lambda: "in reverse order" in script(browser, TEXT))


def test_two_real_files_are_compared(address: str, browser: Any, shared: Path) -> None:
    files = [shared / "formats" / name for name in ("guangxi_teaching_sinus_rhythm.dcm", "philips_sierra_1_03.xml")]
    if not all(file.is_file() for file in files):
        pytest.skip("the recorders' files are not among the shared recordings")
    size(browser, 1440, 1200)
    browser.get(f"{address}/serial")
    settled(browser, ".scatterlayer path")
    own = "[...document.querySelectorAll('button')].find(b => b.innerText.trim() == 'Your files')"
    script(browser, f"{own}.click()")
    for at, file in enumerate(files):
        wait(lambda: len(browser.find_elements("css selector", "input[type=file]")) == 2)
        browser.find_elements("css selector", "input[type=file]")[at].send_keys(str(file))
        wait(lambda suffix=file.suffix: suffix in script(browser, TEXT))
    wait(lambda: "time between the two unknown" in script(browser, TEXT))
    wait(lambda: "may not be of the same patient" in script(browser, TEXT))  # they are not
    settled(browser, ".scatterlayer path")
    wait(lambda: "QT interval" in script(browser, TEXT))
