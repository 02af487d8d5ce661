"""Looking at a page in the browser: waiting for it, asking it by JavaScript, setting its size."""

from __future__ import annotations

import re
import time
from typing import Any

try:
    from selenium.common.exceptions import JavascriptException, WebDriverException
except ImportError:  # then no browser test runs
    JavascriptException = WebDriverException = OSError

PATIENCE = 120  # s, for a loaded machine


def wait(ready: Any) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if ready():
                return
        except (OSError, WebDriverException):  # not listening yet, busy loading the model, or drawn anew meanwhile
            pass
        assert time.monotonic() < until, "nothing within the time allowed"
        time.sleep(0.2)


def size(browser: Any, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def script(browser: Any, code: str) -> Any:
    """The value of `code`. A slow machine is still putting the page together: what is not there yet is waited for."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return browser.execute_script(f"return {code}")
        except JavascriptException as error:
            if not re.search("of (null|undefined)", str(error)) or time.monotonic() > until:
                raise
        time.sleep(0.2)


def settled(browser: Any, selector: str) -> None:
    wait(lambda: script(browser, f"document.querySelectorAll({selector!r}).length") > 0)
    wait(lambda: script(browser, "document.querySelectorAll('[data-testid=\"stStatusWidget\"]').length") == 0)
