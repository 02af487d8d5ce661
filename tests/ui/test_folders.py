"""Folders of one's own: those named at the start and what lies below them; no word on any other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.ecg import ECGError
from ecgkt.ui import folders, session

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "named"
    (root / "below").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root / "loop")
    monkeypatch.setenv(folders.NAMED, str(root))
    return root


def test_only_a_named_folder_and_what_lies_below_it(named: Path) -> None:
    assert folders.below_a_root(str(named)) == named
    assert folders.below_a_root(str(named / "below")) == folders.below_a_root("below") == named / "below"


def test_the_same_words_whether_another_folder_exists_or_not(named: Path) -> None:
    there, absent = named.parent / "elsewhere", named.parent / "nowhere"
    for path in (there, absent, named / "link", named / ".." / "elsewhere", Path("/"), Path("~"), named / "loop" / "x"):
        with pytest.raises(ECGError) as refused:
            folders.below_a_root(str(path))
        assert str(refused.value) == folders.OUTSIDE, path
    with pytest.raises(ECGError):
        folders.below_a_root("a\0b")


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "", None, "ecg.example.org"])
def test_a_server_that_others_reach_opens_none_unless_told_to(
    named: Path, monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.setattr(folders.st, "get_option", lambda name: address)
    assert folders.roots() == []
    with pytest.raises(ECGError, match="not a folder"):
        folders.below_a_root(str(named))
    monkeypatch.setenv(folders.ON_NETWORK, "1")
    assert folders.roots() == [named]


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.0.0.2", "::1"])
def test_loopback(address: str) -> None:
    assert folders.is_loopback(address)


def test_without_a_named_folder_no_page_asks_for_one(monkeypatch: pytest.MonkeyPatch, stand_in: None) -> None:
    monkeypatch.delenv(folders.NAMED, raising=False)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.session_state["folder"] = str(ROOT / "assets" / "examples")  # a forged state opens none either
    app.run()
    assert not app.text_input
    assert folders.OUTSIDE in app.error[0].value


def test_links_out_of_the_folder_are_not_followed(named: Path) -> None:
    """A recording, the signal file beside a header, and a table."""
    example = next((ROOT / "assets" / "examples").rglob("*.hea"))
    signal = next(file for file in example.parent.glob(f"{example.stem}.*") if file.suffix in (".dat", ".mat"))
    shutil.copy(example, named / "below")
    (named / "below" / signal.name).symlink_to(signal)
    collection = session.open_collection(named)
    with pytest.raises(ECGError, match="leads out"):
        collection.read(collection.entries[0].key)
    (named / "below" / signal.name).unlink()
    shutil.copy(signal, named / "below")
    assert collection.read(collection.entries[0].key).samples > 0
    (named.parent / "elsewhere" / "record_list.csv").write_text("subject_id,study_id,ecg_time,path\n1,1,,a\n")
    with pytest.raises(ECGError, match="leads out"):
        session.open_collection(named)
