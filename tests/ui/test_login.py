"""Who is let in: everybody where nothing is configured, nobody but who logged in where it is."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.ui import login
from tests.ui.pages import ROOT

pytestmark = pytest.mark.usefixtures("stand_in")


def _app(file: str = "app.py", **user: Any) -> AppTest:
    app = AppTest.from_file(str(ROOT / file), default_timeout=60)
    app.user = user
    return app.run()


def _shows_an_ecg(app: AppTest) -> bool:
    return bool(app.get("plotly_chart"))


def _buttons(app: AppTest) -> set[str]:
    return {button.label for button in [*app.button, *app.sidebar.button]}


def test_without_a_login_everybody_sees_the_pages() -> None:
    app = _app()
    assert _shows_an_ecg(app)
    assert not {"Log in", "Log out"} & _buttons(app)


@pytest.mark.parametrize("file", ["app.py", "pages/browse.py", "pages/upload.py", "pages/model.py"])
def test_who_has_not_logged_in_sees_a_button_and_nothing_else(file: str) -> None:
    pytest.importorskip("authlib", reason="the extra ecgkt[login] is not installed")
    app = _app(file, is_logged_in=False)
    assert not app.exception
    assert _buttons(app) == {"Log in"}
    assert not _shows_an_ecg(app)
    assert not app.get("file_uploader")


def test_who_has_logged_in_sees_the_pages_and_the_way_out() -> None:
    app = _app(is_logged_in=True, name="Jane Doe")
    assert _shows_an_ecg(app)
    assert "Log out" in _buttons(app)


def test_a_login_that_is_required_and_not_configured_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(login.REQUIRED, "required")
    app = _app()
    assert not _shows_an_ecg(app)
    assert "lets nobody in" in app.error[0].value


def test_a_login_without_its_package_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "find_spec", lambda name: None)
    app = _app(is_logged_in=False)
    assert not _shows_an_ecg(app)
    assert "Authlib" in app.error[0].value
