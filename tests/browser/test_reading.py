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
