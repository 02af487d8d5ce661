"""Uploads are bounded in number and size, a session and a server; a file that has been read is let go."""

from __future__ import annotations

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from ecgkt.ui.sources import upload_limits
from ecgkt.ui.sources.upload_limits import FILES, OVER_SERVER, OVER_SESSION, SENTENCES
from tests.readers.written_files import BY_FORMAT, NAME, counts, millivolts
from tests.ui.pages import open_page


def bounded() -> MemoryUploadedFileManager:
    manager = MemoryUploadedFileManager("/upload")
    upload_limits.bound(manager)
    return manager


def put(manager: MemoryUploadedFileManager, session: str, number: int, data: bytes = b"x") -> UploadedFileRec:
    manager.add_file(session, UploadedFileRec(f"{session}-{number}", "name", "text/plain", data))
    return manager.get_files(session, [f"{session}-{number}"])[0]


def test_a_session_has_so_many_files_and_no_more() -> None:
    manager = bounded()
    assert all(put(manager, "a", k).data for k in range(FILES))
    over = put(manager, "a", FILES)
    assert (over.data, over.name, over.type) == (b"", "", OVER_SESSION)
    assert put(manager, "b", 0).data
    assert put(manager, "a", 0, b"again").data == b"again"  # in its own place
    manager.remove_file("a", "a-1")
    assert put(manager, "a", FILES + 1).data


def test_a_type_that_the_browser_makes_up_opens_no_way_round_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "SESSION_BYTES", 100)
    manager = bounded()
    for number in range(3):
        manager.add_file("a", UploadedFileRec(f"a-{number}", "name", OVER_SESSION, b"x" * 60))
    held = manager.get_files("a", [f"a-{number}" for number in range(3)])
    assert [len(file.data) for file in held] == [60, 0, 0]
    assert held[0].type == ""  # it is read like any other


@pytest.mark.usefixtures("stand_in")
def test_a_session_holds_so_many_tracings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was read is let go; the tracing stays, and a zip of few bytes may hold many."""
    monkeypatch.setattr(upload_limits, "TRACINGS", 2 * 12 * 5000 * 4)
    app = open_page("upload")
    files = [(f"{k}.xml", BY_FORMAT["GE MUSE XML"](counts(5000 - k)), "text/xml") for k in range(3)]
    app.file_uploader(key="upload").set_value(files).run()
    assert len(app.selectbox(key="upload_record").options) == 2
    assert [error.value for error in app.error] == [f"Upload 3 (GE MUSE XML): {upload_limits.FULL}"]


def test_a_session_and_the_server_hold_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "SESSION_BYTES", 100)
    monkeypatch.setattr(upload_limits, "SERVER_BYTES", 250)
    manager = bounded()
    assert put(manager, "a", 0, b"x" * 100).data
    assert put(manager, "a", 1).type == OVER_SESSION
    assert put(manager, "b", 0, b"x" * 100).data
    assert put(manager, "c", 0, b"x" * 51).type == OVER_SERVER
    assert put(manager, "c", 1, b"x" * 50).data
    manager.remove_session_files("a")
    assert put(manager, "c", 2, b"x" * 50).data


@pytest.mark.usefixtures("stand_in")
def test_the_page_says_which_limit_was_met() -> None:
    app = open_page("upload")
    good = BY_FORMAT["GE MUSE XML"](counts(5000))
    app.file_uploader(key="upload").set_value([("a.xml", good, "text/xml"), ("", b"", OVER_SESSION)]).run()
    assert [error.value for error in app.error] == [SENTENCES[OVER_SESSION]]
    assert app.get("plotly_chart")


@pytest.mark.usefixtures("stand_in")
def test_what_was_read_is_let_go_and_what_may_be_read_anew_waits() -> None:
    app = open_page("upload")
    scp, table = BY_FORMAT["SCP-ECG"](counts(5000)), BY_FORMAT["CSV"](millivolts(5000) / 0.005)
    header = b"x 12 500 5000 0 0 0\n"
    files = [(f"{NAME}.scp", scp, ""), ("a.csv", table, "text/csv"), ("x.hea", header, "")]
    app.file_uploader(key="upload").set_value(files).run()
    kept = {file.type: file for file in app.session_state["upload"]}
    assert (kept[upload_limits.READ].name, kept[upload_limits.READ].getvalue()) == ("", b"")
    assert {file.name for file in app.session_state["upload"]} == {"", "a.csv", "x.hea"}
    assert len(app.selectbox(key="upload_record").options) == 2
    app.number_input(key="layout_rate").set_value(250.0).run()
    assert len(app.selectbox(key="upload_record").options) == 2
    assert "250 Hz" in " ".join(part.proto.body for part in app.get("html"))
    assert not app.exception


@pytest.mark.usefixtures("stand_in")
def test_two_files_of_one_name_are_two_records() -> None:
    app = open_page("upload")
    files = [("ecg.xml", BY_FORMAT["GE MUSE XML"](counts(length)), "text/xml") for length in (5000, 4000)]
    app.file_uploader(key="upload").set_value(files).run()
    assert len(app.selectbox(key="upload_record").options) == 2
