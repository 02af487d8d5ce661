"""The Upload page as a user goes through it: real files of three recorders, and a table with its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.looking import script, settled, size, wait

pytestmark = pytest.mark.browser

TEXT = "document.body.innerText"
NOTE = "document.querySelector('.patient')?.innerText ?? ''"


def choose(browser: Any, files: list[Path]) -> None:
    settled(browser, "input[type=file]")
    browser.find_element("css selector", "input[type=file]").send_keys("\n".join(str(file) for file in files))


def test_real_files_together_are_told_apart_and_read(address: str, browser: Any, shared: Path) -> None:
    names = {"SCP-ECG": "scp_example.scp", "HL7 aECG": "hl7_aecg_example.xml", "GE MUSE XML": "synthetic_muse.xml"}
    files = [shared / "formats" / name for name in names.values()]
    if not all(file.is_file() for file in files):
        pytest.skip("the recorders' files are not among the shared recordings")
    size(browser, 1440, 900)
    browser.get(f"{address}/upload")
    choose(browser, files)
    settled(browser, ".scatterlayer path")
    wait(lambda: "(SCP-ECG)" in script(browser, NOTE))
    field = ".st-key-upload_record [role=combobox], .st-key-upload_record input"
    wait(lambda: browser.find_element("css selector", field).click() is None)
    wait(lambda: len(browser.find_elements("css selector", "[role=option]")) == 3)
    options = browser.find_elements("css selector", "[role=option]")
    assert [option.text for option in options] == [f"Upload {i} ({name})" for i, name in enumerate(names, start=1)]
    options[2].click()
    wait(lambda: "(GE MUSE XML)" in script(browser, NOTE))
    for name in names.values():  # the uploader lists the file chosen; the page does not name it
        assert name not in script(browser, "document.querySelector('.patient').closest('.stColumn').innerText")


def test_a_table_is_read_as_its_form_says(address: str, browser: Any, tmp_path: Path) -> None:
    time = np.arange(2500) / 250
    beats = sum(np.exp(-(((time - r) / 0.02) ** 2)) for r in np.arange(0.5, 9.8, 0.8))
    table = np.round(np.outer(beats, np.linspace(400, 1500, 12)))
    file = tmp_path / "table.csv"
    np.savetxt(file, table, fmt="%d", delimiter=";")
    size(browser, 1024, 900)
    browser.get(f"{address}/upload")
    choose(browser, [file])
    # As it stands in the form, 500 Hz and mV, the numbers make no sense, and the page says so.
    wait(lambda: "beyond all measure" in script(browser, TEXT) or "is the unit right" in script(browser, TEXT))
    unit = "[class*=st-key-layout_unit]"
    field = f"{unit} [role=combobox], {unit} input"
    wait(lambda: browser.find_element("css selector", field).click() is None)
    wait(lambda: len(browser.find_elements("css selector", "[role=option]")) == 3)
    next(each for each in browser.find_elements("css selector", "[role=option]") if each.text == "µV").click()
    wait(lambda: "5.0 s at 500 Hz" in script(browser, TEXT))
    rate = browser.find_element("css selector", "[class*=st-key-layout_rate] input")
    rate.send_keys(Keys.CONTROL, "a")
    rate.send_keys("250", Keys.ENTER)
    wait(lambda: "10.0 s at 250 Hz" in script(browser, TEXT))
    settled(browser, ".scatterlayer path")
    wait(lambda: "RATE 75" in script(browser, "document.querySelector('.strip').innerText").upper().replace("\n", " "))
    assert "is the unit right" not in script(browser, TEXT)
