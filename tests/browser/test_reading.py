"""Reading an ECG in a real browser: the first seconds, narrow windows, wave boundaries, intervals and the beat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.looking import script, settled, size, wait

pytestmark = pytest.mark.browser

SHEET = "document.querySelector('.st-key-sheet')"
PLACE = f"JSON.stringify({SHEET}.getBoundingClientRect().toJSON())"
PLOT = "document.querySelector('.st-key-ecg-sheet .js-plotly-plot')"
BRACKETS = f"({PLOT}?.data ?? []).filter(trace => trace.meta === 'boundaries').length"


def test_a_newcomer_sees_an_example_and_its_explanation_without_a_click(address: str, browser: Any) -> None:
    size(browser, 1440, 900)
    browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 4})  # a slow laptop shows what moves on loading
    browser.get(address)
    wait(lambda: script(browser, f"Boolean({SHEET}) && getComputedStyle({SHEET}).backgroundImage.includes('svg')"))
    before = json.loads(script(browser, PLACE))
    settled(browser, ".scatterlayer path")
    wait(lambda: script(browser, "document.querySelector('.lead-in')?.innerText ?? ''") != "")
    after = json.loads(script(browser, PLACE))
    assert {k: after[k] for k in ("x", "y", "width")} == {k: before[k] for k in ("x", "y", "width")}, "the sheet moved"
    assert abs(after["height"] - before["height"]) < 1
    said = script(browser, "document.querySelector('.lead-in').innerText")
    chosen = script(browser, "document.body.innerText")
    assert "above its threshold" in said
    assert said.split(":")[0] in chosen
    assert "simulated patient" in chosen
    assert "ecg=" in browser.current_url
    assert "target=" in browser.current_url
    bottom = script(browser, "document.querySelector('.lead-in').getBoundingClientRect().bottom")
    strip = script(browser, "document.querySelector('.strip').getBoundingClientRect().bottom")
    assert bottom < 900
    assert strip <= after["y"]  # the numbers stand over the tracing


def test_a_tablet_upright_has_the_sheet_over_its_whole_width_and_the_lists_under_it(address: str, browser: Any) -> None:
    for width, height in ((820, 1180), (720, 450)):  # the second: a laptop of 1440 x 900 at 200 %
        size(browser, width, height)
        browser.get(address)
        settled(browser, "[class*=st-key-row-]")
        wait(lambda: script(browser, f"Boolean({SHEET}) && Boolean(document.querySelector('.st-key-below'))"))
        wait(lambda width=width: json.loads(script(browser, PLACE))["width"] > 0.9 * width)
        sheet = json.loads(script(browser, PLACE))
        rows = script(browser, "document.querySelector('.st-key-rows').getBoundingClientRect().top")
        tabs = script(browser, "document.querySelector('.st-key-below').getBoundingClientRect().top")
        assert sheet["bottom"] < rows < tabs
        for part in ("document.documentElement", "document.querySelector('.stMain')"):
            assert script(browser, f"{part}.scrollWidth <= {part}.clientWidth")


def test_wave_boundaries_come_and_go_by_their_key_and_stand_in_the_address(address: str, browser: Any) -> None:
    size(browser, 1440, 900)
    browser.get(f"{address}/?waves=true")
    settled(browser, ".scatterlayer path")
    wait(lambda: script(browser, BRACKETS) == 1)
    assert "Onset and end of" in script(browser, "document.querySelector('.st-key-ecg-sheet').outerHTML")
    browser.find_element("tag name", "body").send_keys("w")
    wait(lambda: script(browser, BRACKETS) == 0)


def test_the_beat_is_drawn_with_square_boxes_and_its_numbers(address: str, browser: Any) -> None:
    size(browser, 1440, 900)
    browser.get(f"{address}/?tab=Beat")
    plot = "document.querySelector('.st-key-median-beat .js-plotly-plot')"
    settled(browser, ".st-key-median-beat .scatterlayer path")
    lengths = [
        script(browser, f"{plot}._fullLayout.{a}._length / ({plot}.layout.{a}.range[1] - {plot}.layout.{a}.range[0])")
        for a in ("xaxis", "yaxis")
    ]
    assert abs(lengths[0] / lengths[1] - 1) < 0.02
    assert "ST at J + 60 ms" in script(browser, "document.body.innerText")
    assert "Median of" in script(browser, "document.querySelector('.st-key-median-beat').outerHTML")


def test_a_phone_has_the_tracing_first_with_its_leads_as_wide_as_the_screen(address: str, browser: Any) -> None:
    size(browser, 390, 844)
    browser.get(address)
    settled(browser, ".st-key-sheet .scatterlayer path")
    settled(browser, "[class*=st-key-row-]")
    sheet = json.loads(script(browser, PLACE))
    assert sheet["width"] <= 390
    assert sheet["top"] < 200
    assert sheet["bottom"] < 844, "three leads and the rhythm strip at once"
    axis = f"{PLOT}._fullLayout.xaxis"
    wait(lambda: script(browser, f"{axis}._length / ({axis}.range[1] - {axis}.range[0])") > 4)  # px a mm
    assert script(browser, f"{SHEET}.scrollWidth > 3 * {SHEET}.clientWidth")
    for part in ("document.documentElement", "document.querySelector('.stMain')"):
        assert script(browser, f"{part}.scrollWidth <= {part}.clientWidth")
    before = script(
        browser,
        "[...document.querySelectorAll('.stMainBlockContainer button')].filter(button => {"
        f"const box = button.getBoundingClientRect(); return box.width && box.bottom <= {sheet['top']}}}).length",
    )
    assert before <= 4, "previous, next, filters and the list"
    top = "document.querySelector('{}').getBoundingClientRect().top"
    assert sheet["bottom"] <= script(browser, top.format(".st-key-numbers"))
    assert sheet["bottom"] < script(browser, top.format(".st-key-measure"))
    assert script(browser, top.format(".st-key-measure")) < script(browser, top.format(".st-key-lines"))


def test_the_page_is_read_by_wheel_keyboard_and_back(address: str, browser: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    size(browser, 1440, 900)
    browser.get(address)
    settled(browser, ".scatterlayer path")
    settled(browser, ".st-key-below button")
    # The wheel over the sheet scrolls the page and leaves the sheet as it is.
    box, ranges = json.loads(script(browser, PLACE)), script(browser, f"{PLOT}._fullLayout.xaxis.range")
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "deltaX": 0, "deltaY": 240}
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseWheel", **at})
    wait(lambda: script(browser, "document.querySelector('.stMain').scrollTop") > 0)
    assert script(browser, f"{PLOT}._fullLayout.xaxis.range") == ranges
    # Scores come before the tables, one heading of the first level before others, and one row is the chosen one.
    order = "document.querySelector('.st-key-rows').compareDocumentPosition(document.querySelector('.st-key-below'))"
    assert script(browser, order) == 4  # DOCUMENT_POSITION_FOLLOWING
    assert script(browser, "document.querySelectorAll('h1, [aria-level=\"1\"]').length") == 1
    told = "[...document.querySelectorAll('[class*=st-key-row-] button')].filter(b => b.innerText.includes('shown on'))"
    assert script(browser, f"{told}.length") == 1
    row = browser.find_elements("css selector", "[class*=st-key-row-] button")[1]
    row.send_keys(Keys.ENTER)
    name = script(browser, "document.activeElement.innerText")
    wait(lambda: script(browser, "document.activeElement.innerText").endswith("shown on the tracing"))
    wait(lambda: name.split("\n")[0] in script(browser, "document.querySelector('[role=status]').innerText"))
    # Back: to the score before, then from the next ECG to this one.
    there = browser.current_url
    text = "document.querySelector('.st-key-tracing')?.innerText"
    shown = script(browser, text)
    script(browser, "void document.querySelector('.st-key-next button').click()")
    wait(lambda: browser.current_url != there and script(browser, text) != shown)
    settled(browser, ".scatterlayer path")
    browser.back()
    wait(lambda: browser.current_url == there)
    wait(lambda: script(browser, text) == shown)
