"""Uploads by somebody who means ill: names that are obeyed, the same name many times, archives in archives."""

from __future__ import annotations

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.ui.sources import uploads
from tests.readers.written_files import BY_FORMAT, counts
from tests.ui.pages import open_page, words_of

pytestmark = pytest.mark.usefixtures("stand_in")
GOOD = BY_FORMAT["GE MUSE XML"](counts(5000))
NAMES = (
    "<img src=x onerror=alert(1)>.xml",
    "![a](http://a.example/b.png) **a** $a$ :red[a].xml",
    "\N{RIGHT-TO-LEFT OVERRIDE}lmx.gce",
    "a\x1b[2J\r\nb\0.xml",
    "../../../etc/passwd",
    "x" * 10_000 + ".xml",
    "\N{GRINNING FACE}" * 3_000 + ".hea",
)


def uploaded(*files: tuple[str, bytes]) -> AppTest:
    app = open_page("upload")
    app.file_uploader(key="upload").set_value([(name, content, "") for name, content in files]).run()
    assert not app.exception
    return app


def zipped(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def test_no_name_is_shown_or_in_the_way() -> None:
    app = uploaded(*((name, GOOD) for name in NAMES), ("", GOOD), ("", b""), (".", b"no ECG"))
    assert len(app.selectbox(key="upload_record").options) == len(NAMES) + 1
    shown = words_of(app) + " ".join(error.value for error in app.error)
    assert not [name for name in NAMES if name in shown]
    assert len(app.error) == 2
    kept = [file for file in app.session_state["upload"] if file.name]
    assert [file.name for file in kept] == []


def test_archives_in_archives_and_names_that_come_twice_in_one() -> None:
    inner = zipped(("a.xml", GOOD))
    app = uploaded(("a.zip", zipped(("b.zip", inner))), ("b.zip", zipped(("c/a.xml", GOOD), ("d/a.xml", GOOD))),
                   ("c.zip", inner + b"PK"))  # fmt: skip
    assert len(app.error) == 1
    assert "A zip within a zip is not read." in app.error[0].value
    assert len(app.selectbox(key="upload_record").options) == 3


def test_what_takes_too_long_together_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.0)
    app = uploaded(*(("a.xml", GOOD) for _ in range(4)))
    assert app.get("plotly_chart")
    assert [error.value for error in app.error] == [f"Upload {number}: {uploads.LATE}" for number in (2, 3, 4)]
