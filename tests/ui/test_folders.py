"""Folders of one's own: those named at the start and what lies below them; no word on any other."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.datasets.mimic import tables
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


def test_no_file_beside_another_leads_out_either(tmp_path: Path) -> None:
    """What is no DICOM file is taken for a part of the WFDB record of its name; and a header's text is not always
    UTF-8, as the names of files are."""
    example = next((ROOT / "assets" / "examples").rglob("*.hea"))
    signal = next(file for file in example.parent.glob(f"{example.stem}.*") if file.suffix in (".dat", ".mat"))
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "b").mkdir()
    (root / "a" / f"{example.stem}.dcm").write_bytes(b"no DICOM file")
    (root / "a" / example.name).symlink_to(example)
    (root / "a" / signal.name).symlink_to(signal)
    named = signal.name.replace(example.stem, "\N{LATIN SMALL LETTER E WITH ACUTE}")
    (root / "b" / named).symlink_to(signal)
    header = example.read_text().replace(signal.name, named)
    (root / "b" / example.name).write_bytes(header.encode("latin-1"))
    collection = session.open_collection(root)
    assert len(collection.entries) == 2
    for entry in collection.entries:
        with pytest.raises(ECGError, match="leads out"):
            collection.read(entry.key)


def test_links_that_lead_back_do_not_double_the_folders(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"link{number}").symlink_to(tmp_path)
    (tmp_path / "below" / "hosp").mkdir(parents=True)
    found = [folder.name for folder in tables.folders(tmp_path)]
    assert found.count("hosp") == 1
    assert len(found) == 1 + 200 + 2


@pytest.mark.parametrize("header", folders.PROXIES)
def test_behind_a_proxy_on_the_same_machine_others_may_reach_it(
    named: Path, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    assert folders.roots() == [named]
    monkeypatch.setattr(folders.st, "context", SimpleNamespace(ip_address=None, headers={header: "203.0.113.5"}))
    assert folders.roots() == []
