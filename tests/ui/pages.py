"""Pages run by Streamlit's AppTest: opened by name or by address, and asked what they show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


PAGES = ("browse", "upload", "serial", "what_if", "compare", "model")


def open_page(page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    if page != "browse":
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def linked(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def words_of(app: AppTest) -> str:
    """All HTML and text of the page."""
    return " ".join([*(str(part.proto.body) for part in app.get("html")), *(m.value for m in app.markdown)])


def titles(app: AppTest) -> str:
    return " ".join(part.value for part in [*app.header, *app.subheader])


def sheet(app: AppTest) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)  # type: ignore[no-any-return]


def relevance_key(app: AppTest) -> list[dict[str, Any]]:
    """The key of the relevance on the sheet, which is there whether or not the part shown has any."""
    return [shape for shape in sheet(app)["layout"].get("shapes", []) if shape.get("name") == "key"]


def notes(app: AppTest) -> list[str]:
    return [note["text"] for note in sheet(app)["layout"]["annotations"] if note.get("name") != "key"]
