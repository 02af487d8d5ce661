"""Which files of a folder are listed: each format that can be opened at once, nothing else, nothing outside."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from ecgkt.datasets import files
from ecgkt.datasets.collection import open_collection
from ecgkt.datasets.files import ecg_files
from ecgkt.readers import FORMATS
from tests.datasets.test_collection import record, table
from tests.readers import written_files as written
from tests.readers.written_files import counts, millivolts

WRITERS = {
    "muse.xml": written.muse, "aecg.xml": written.aecg, "sierra.xml": written.sierra, "mortara.xml": written.mortara,
    "cardiosoft.xml": written.cardiosoft,
    "a.scp": written.scp, "a.ecg": written.ishne, "UPPER.EDF": written.edf,
}  # fmt: skip


def fill(folder: Path) -> set[str]:
    """One file of every format that is read, two bare tables among them; the names of those that can be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in WRITERS.items():
        (folder / name).write_bytes(write(counts()))
    (folder / "table.csv").write_bytes(written.csv(millivolts()))
    (folder / "table.npy").write_bytes(written.npy(millivolts()))
    record(folder / "wfdb")
    shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), folder / "d.dcm")
    return {*WRITERS, "wfdb.hea", "d.dcm"}


def names(found: list[Path]) -> set[str]:
    return {file.name for file in found}


def test_every_format_that_needs_no_question_is_listed_and_opens(tmp_path: Path) -> None:
    expected = fill(tmp_path / "a" / "b")
    assert names(ecg_files(tmp_path, 100)) == expected
    collection = open_collection(tmp_path)
    assert len(collection.entries) == len(expected) == len([form for form in FORMATS if form.read_as is None])
    for entry in collection.entries:
        assert collection.read(entry.key).signal.shape[0] == 12
    words = " ".join(f"{entry.key} {entry.title} {entry.source}" for entry in collection.entries)
    assert not any(Path(name).stem in words for name in expected - {"a.scp", "a.ecg", "d.dcm"})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pom.xml", b"<?xml version='1.0'?>\n<project><x/></project>"),
        ("notes.ecg", b"words"),
        ("a.scp", b"\0" * 900),
        ("a.edf", b"0       " + b"x" * 900),
        ("empty.xml", b""),
        ("a.zip", b"PK\x03\x04"),
        ("alone.dat", b"\0" * 900),
        ("._muse.xml", written.muse(counts())),
    ],
)
def test_other_files_of_the_same_name_are_not(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert ecg_files(tmp_path, 100) == []


def test_an_xml_file_behind_a_page_of_comments_is_found(tmp_path: Path) -> None:
    head, body = written.aecg(counts()).split(b">", 1)
    (tmp_path / "a.xml").write_bytes(head + b">" + b"<!-- words -->" * 1000 + body)
    assert names(ecg_files(tmp_path, 100)) == {"a.xml"}


def test_nothing_outside_is_reached_by_a_link(tmp_path: Path) -> None:
    fill(tmp_path / "outside")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "own.xml").write_bytes(written.muse(counts()))
    (inside / "same.xml").symlink_to(inside / "own.xml")
    (inside / "other.xml").symlink_to(tmp_path / "outside" / "muse.xml")
    (inside / "d.dcm").symlink_to(tmp_path / "outside" / "d.dcm")
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "pipe.xml")
    assert names(ecg_files(inside, 100)) == {"own.xml", "same.xml"}


def test_a_file_too_large_to_be_read_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xml").write_bytes(written.muse(counts()))
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    assert ecg_files(tmp_path, 100) == []


def test_what_is_looked_at_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        (tmp_path / f"{number:02d}.xml").write_bytes(b"<project/>")
        (tmp_path / f"{number:02d}.hea").write_text("not looked into")
    assert [file.name for file in ecg_files(tmp_path, 3)] == ["00.hea", "01.hea", "02.hea"]
    monkeypatch.setattr(files, "MOST_OPENED", 5)
    assert len(ecg_files(tmp_path, 100)) == 5
    monkeypatch.setattr(files, "MOST_ENTRIES", 4)
    assert len(ecg_files(tmp_path, 100)) == 2


def test_a_record_beside_a_cohort_may_be_of_any_format(tmp_path: Path) -> None:
    path = "files/p1000/p10000032/s40000001/40000001"
    record(tmp_path / "mimic-iv-ecg" / path)
    row = (10000032, 40000001, "2180-05-06 12:00:00", path)
    table(tmp_path / "mimic-iv-ecg" / "record_list.csv", "subject_id study_id ecg_time path", [row])
    (tmp_path / "mimic-iv-ecg" / "files" / "stray.xml").write_bytes(written.muse(counts()))
    (tmp_path / "own.xml").write_bytes(written.muse(counts()))
    assert [entry.key for entry in open_collection(tmp_path).entries] == ["mimic-1", "file-1"]
    assert [entry.key for entry in open_collection(tmp_path / "mimic-iv-ecg").entries] == ["mimic-1"]
