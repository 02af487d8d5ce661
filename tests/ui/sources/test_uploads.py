"""Uploaded files: one record of several files, rubbish, and a header alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.pages import open_page, sheet, words_of

pytestmark = pytest.mark.usefixtures("stand_in")


def test_upload_of_one_record_and_of_rubbish(shared: Path) -> None:
    app = open_page("upload")
    assert not app.get("plotly_chart")
    record = [(p.name, p.read_bytes(), "application/octet-stream") for p in sorted((shared / "cinc").glob("JS00001.*"))]
    app.file_uploader(key="upload").set_value([*record, ("note.txt", b"not an ECG", "text/plain")]).run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.startswith("Upload 2: ")
    assert {"V1", "V6"} <= {trace["name"] for trace in sheet(app)["data"]}
    assert "JS00001" not in words_of(app)
    assert "Upload 1 (WFDB)" in words_of(app)


def test_upload_of_a_header_alone_names_what_is_missing(shared: Path) -> None:
    app = open_page("upload")
    header = (shared / "cinc" / "JS00001.hea").read_bytes()
    app.file_uploader(key="upload").set_value([("JS00001.hea", header, "text/plain")]).run()
    assert len(app.error) == 1
    assert not app.get("plotly_chart")
    assert not app.exception
