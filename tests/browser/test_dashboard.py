"""The dashboard in a real browser: nothing scrolls sideways, the tracing is drawn to scale and is the largest thing.

Needs Debian's chromium and chromium-driver and the bundle and examples of assets/; skipped with a word without them.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.looking import script as _script
from tests.browser.looking import settled as _settled
from tests.browser.looking import size as _size
from tests.browser.looking import wait as _wait

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_no_page_scrolls_sideways(address: str, browser: Any, width: int, height: int) -> None:
    _size(browser, width, height)
    for page, landmark in (
        ("", ".scatterlayer path"),
        ("upload", "input[type=file]"),
        ("what_if", ".st-key-what-if-curve .scatterlayer path"),
        ("compare", "table.data"),
        ("model", "table.data"),
    ):
        browser.get(f"{address}/{page}")
        _settled(browser, landmark)
        for part in ("document.documentElement", "document.querySelector('.stMain')"):
            assert _script(browser, f"{part}.scrollWidth <= {part}.clientWidth"), page
        assert "Not a medical device" in _script(browser, "document.body.innerText"), page


@pytest.mark.parametrize("page", ["model", "compare"])
def test_a_phone_shows_all_words_of_a_chart_and_of_a_caption(address: str, browser: Any, page: str) -> None:
    _size(browser, 390, 844)
    browser.get(f"{address}/{page}")
    _settled(browser, ".js-plotly-plot .ytick text")
    _settled(browser, "table.data caption")
    outside = (
        "[...document.querySelectorAll('.js-plotly-plot svg text')].filter(text => text.textContent.trim() && "
        "(text.getBoundingClientRect().left < 0 || text.getBoundingClientRect().right > innerWidth))"
        ".map(text => text.textContent)"
    )
    _wait(lambda: _script(browser, outside) == [])
    bold = (
        "[...document.querySelectorAll('.ytick tspan')].filter(line => getComputedStyle(line).fontWeight > 400).length"
    )
    assert _script(browser, bold) == 0, "a rule for lines of the interpretation caught the lines of a name"
    captions = (
        "[...document.querySelectorAll('table.data caption')].filter(caption => {const words = document.createRange(); "
        "words.selectNodeContents(caption); return words.getBoundingClientRect().right > innerWidth}).length"
    )
    assert _script(browser, captions) == 0


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_the_tracing_is_drawn_to_scale_with_the_lists_beside_it(
    address: str, browser: Any, width: int, height: int
) -> None:
    _size(browser, width, height)
    browser.get(address)
    _settled(browser, ".scatterlayer path")
    assert _script(browser, "document.querySelectorAll('.scatterlayer .trace').length") >= 14
    plot = "document.querySelector('.js-plotly-plot')"
    per_mm = (
        f"{plot}._fullLayout.xaxis._length / ({plot}._fullLayout.xaxis.range[1] - {plot}._fullLayout.xaxis.range[0])"
    )
    other = per_mm.replace("xaxis", "yaxis")
    assert _script(browser, per_mm) == pytest.approx(_script(browser, other), rel=0.01)
    sheet = _script(browser, f"{plot}.getBoundingClientRect().toJSON()")
    assert sheet["width"] > 0.6 * width
    assert sheet["bottom"] < height
    # The sheet fills its box: no empty band above or below the paper.
    assert _script(browser, f"{plot}._fullLayout.yaxis._length") > 0.95 * sheet["height"]
    row = _script(browser, "document.querySelector('[class*=st-key-row-]').getBoundingClientRect().toJSON()")
    assert row["left"] > sheet["right"]
    assert row["bottom"] < height


def test_pressing_a_row_lays_its_relevance_over_the_tracing(address: str, browser: Any) -> None:
    _size(browser, 1440, 900)
    browser.get(address)
    _settled(browser, ".scatterlayer path")
    alt = "document.querySelector('[class*=st-key-ecg-sheet]')?.outerHTML ?? ''"
    row = "document.querySelectorAll('[class*=st-key-row-diagnoses]')[1]"
    _wait(lambda: _script(browser, f"Boolean({row} && {row}.querySelector('button p'))"))
    name = _script(browser, f"{row}.querySelector('button p').firstChild.textContent.trim()")
    _script(browser, f"{row}.querySelector('button').click()")
    _wait(lambda: f"contributions to the score for {name}" in _script(browser, alt))
    _wait(lambda: _script(browser, "document.querySelector('.lead-in')?.innerText ?? ''").startswith(name))


def test_relevance_is_drawn_in_three_ways(address: str, browser: Any) -> None:
    """The second and the third are pressed in the menu; the address follows, and the words stay the same."""
    _size(browser, 1440, 900)
    browser.get(address)
    _settled(browser, ".scatterlayer path")
    sheet = "document.querySelector('.st-key-ecg-sheet')"
    traces = "document.querySelector('.js-plotly-plot').data.filter(trace => trace.meta === 'relevance')"
    words = "document.querySelector('.lead-in').innerText"
    said = _script(browser, words)
    assert _script(browser, f"{traces}.every(trace => trace.type === 'scatter' && trace.line.width > 2)")
    menu = "[...document.querySelectorAll('button')].find(button => button.innerText.startsWith('Relevance'))"
    _script(browser, f"{menu}.click()")
    for way, mark in (("band", ".heatmaplayer image"), ("bars", ".scatterlayer .js-fill")):
        press = f"[...document.querySelectorAll('button')].find(button => button.innerText.trim() === '{way}')"
        _wait(lambda press=press: _script(browser, f"Boolean({press})"))
        _script(browser, f"{press}.click()")
        _wait(lambda mark=mark: _script(browser, f"{sheet}.querySelectorAll('{mark}').length") > 0)
        _wait(lambda way=way: f"way={way}" in browser.current_url)
        assert _script(browser, words) == said
    assert not _script(browser, f"{sheet}.querySelectorAll('.heatmaplayer image').length")


def test_an_address_restores_the_view_and_a_key_changes_it(address: str, browser: Any) -> None:
    _size(browser, 1024, 768)
    browser.get(f"{address}/?layout=6x2&order=cabrera&filter=monitor&gain=11&overlay=false")
    _settled(browser, ".scatterlayer path")
    names = "document.querySelector('.js-plotly-plot')?.data.slice(1).map(trace => trace.name).join(' ') ?? ''"
    _wait(lambda: _script(browser, names).startswith("aVL I −aVR II aVF III V1"))
    assert "10 mm/mV" in _script(browser, "document.querySelector('.js-plotly-plot').innerHTML")
    browser.find_element("tag name", "body").send_keys("1")
    _wait(lambda: "layout" not in browser.current_url)  # the usual layout is not written out
    _wait(lambda: _script(browser, names).endswith("V6 II"))


def test_a_dragged_box_is_measured_drawn_and_listed(address: str, browser: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    _size(browser, 1440, 900)
    browser.get(f"{address}/?layout=12x1&overlay=false")
    _settled(browser, ".scatterlayer path")
    browser.find_element("tag name", "body").send_keys("m")
    plot = "document.querySelector('.js-plotly-plot')"
    _wait(lambda: _script(browser, f"{plot}?._fullLayout?.dragmode") == "select")
    surface = browser.find_element("css selector", ".js-plotly-plot .nsewdrag")
    axis = f"{plot}._fullLayout.xaxis"
    per_mm = _script(browser, f"{axis}._length / ({axis}.range[1] - {axis}.range[0])")
    ActionChains(browser).move_to_element(surface).click_and_hold().move_by_offset(50, 4).move_by_offset(
        50, 4
    ).release().perform()
    _wait(lambda: _script(browser, "document.querySelectorAll('.st-key-ecg-sheet .shapelayer path').length") == 1)
    row = "[...document.querySelectorAll('table.data')].find(t => t.innerText.includes('Caliper measurements'))"
    _wait(lambda: _script(browser, f"Boolean({row})"))
    milliseconds = float(_script(browser, f"{row}.querySelectorAll('tbody td')[3].innerText"))
    assert milliseconds == pytest.approx(100 / per_mm / 25 * 1000, rel=0.03)
