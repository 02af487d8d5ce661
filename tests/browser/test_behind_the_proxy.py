"""The dashboard behind deploy/nginx.conf in a real browser: the content security policy forbids nothing it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import FLAGS
from tests.browser.looking import script, settled, size, wait
from tests.deploy.serving import HOST, Proxied, proxied

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def proxy(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with proxied(tmp_path_factory.mktemp("proxy")) as made:
        yield made


@pytest.fixture
def browser(chromium: tuple[str, str], tmp_path: Path) -> Iterator[Any]:
    """As the others' window, but for the name of the host, and with all that the console says."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location, driver = chromium
    more = (f"--host-resolver-rules=MAP {HOST} 127.0.0.1", "--ignore-certificate-errors")
    for flag in (*FLAGS, *more, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield window
    window.quit()


def test_the_policy_breaks_no_page(proxy: Proxied, browser: Any, tmp_path: Path) -> None:
    size(browser, 1440, 900)
    address = f"https://{HOST}:{proxy.port}"
    for page, landmark in (
        ("", ".scatterlayer path"),
        ("?tab=Beat", ".st-key-median-beat .scatterlayer path"),
        ("upload", "input[type=file]"),
        ("serial", ".scatterlayer path"),
        ("compare", "table.data"),
        ("model", "table.data"),
    ):
        browser.get(f"{address}/{page}")
        settled(browser, landmark)
        said = [entry["message"] for entry in browser.get_log("browser")]
        assert not [line for line in said if "Content Security Policy" in line or "Refused to" in line], page
    # And it is in force: what it forbids is refused.
    script(
        browser, "void document.head.append(Object.assign(document.createElement('script'), {text: 'window.x = 1'}))"
    )
    assert script(browser, "window.x ?? null") is None
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


def test_an_upload_reaches_the_process_that_shows_it(proxy: Proxied, browser: Any, shared: Path) -> None:
    file = shared / "formats" / "waveform_ecg.dcm"
    if not file.is_file():
        pytest.skip("the DICOM file is not among the shared recordings")
    size(browser, 1440, 900)
    browser.get(f"https://{HOST}:{proxy.port}/upload")
    settled(browser, "input[type=file]")
    browser.find_element("css selector", "input[type=file]").send_keys(str(file))
    settled(browser, ".scatterlayer path")
    wait(lambda: "(DICOM ECG)" in script(browser, "document.querySelector('.patient')?.innerText ?? ''"))


def test_nobody_sees_an_ecg_who_has_not_logged_in(
    chromium: tuple[str, str], browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("authlib", reason="the extra ecgkt[login] is not installed")
    from tests.deploy.provider import provider

    size(browser, 1440, 900)
    with provider() as address, proxied(tmp_path_factory.mktemp("login"), address) as proxy:
        for page in ("", "upload", "model"):
            browser.get(f"https://{HOST}:{proxy.port}/{page}")
            settled(browser, ".st-key-login button")
            assert script(browser, "document.querySelectorAll('svg .trace, table.data, input[type=file]').length") == 0
        script(browser, "void document.querySelector('.st-key-login button').click()")
        settled(browser, ".scatterlayer path")
        assert browser.current_url.startswith(f"https://{HOST}:{proxy.port}/")
        wait(lambda: script(browser, "document.querySelector('.st-key-logout button') !== null"))
