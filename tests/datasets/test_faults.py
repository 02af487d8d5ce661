"""A folder with something in it that cannot be opened shows the rest, and says what it left out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ecgkt.datasets.collection import open_collection
from ecgkt.datasets.ptbxl import DATABASE
from ecgkt.ecg import ECGError
from tests.readers import written_files as written
from tests.readers.written_files import counts

HEADER = "ecg_id,patient_id,age,sex,scp_codes,recording_date,filename_lr,filename_hr"
ROW = "{0},{0},61,1,\"{{'NORM': 100.0}}\",2001-01-0{0} 10:00:00,records100/{0}_lr,"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two ECGs, one of them in a folder of its own."""
    (tmp_path / "more").mkdir()
    (tmp_path / "a.xml").write_bytes(written.muse(counts()))
    (tmp_path / "more" / "b.scp").write_bytes(written.scp(counts()))
    return tmp_path


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of folders and files that the system will not open, whoever asks: root, too."""
    names: set[str] = set()
    scan, opened = os.scandir, os.open

    def scandir(path: Any = ".") -> Any:
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    def open_(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "open", open_)
    return names


def test_one_bad_subfolder_and_one_bad_file(folder: Path, closed: set[str]) -> None:
    (folder / "locked").mkdir()
    (folder / "c.xml").write_bytes(written.muse(counts()))
    closed |= {"locked", "c.xml"}
    collection = open_collection(folder)
    assert len(collection.entries) == 2
    assert collection.left_out == (
        "1 folder cannot be opened and is left out.",
        "1 file cannot be opened and is left out.",
    )
    assert all(collection.read(entry.key).samples == 600 for entry in collection.entries)


def test_a_folder_without_fault_leaves_nothing_out(folder: Path) -> None:
    assert open_collection(folder).left_out == ()


def test_looping_links(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "self.hea").symlink_to(folder / "self.hea")
    (folder / "one.xml").symlink_to(folder / "two.xml")
    (folder / "two.xml").symlink_to(folder / "one.xml")
    assert len(open_collection(folder).entries) == 2


def test_a_folder_of_nothing_but_what_cannot_be_opened_says_so(tmp_path: Path, closed: set[str]) -> None:
    closed.add("locked")
    (tmp_path / "locked").mkdir()
    with pytest.raises(ECGError, match=r"no ECG in this folder\. 1 folder cannot be opened"):
        open_collection(tmp_path)


def ptbxl(folder: Path, rows: list[str]) -> Path:
    (folder / "records100").mkdir()
    lines = "\n".join(f"r.dat 16 200(0)/mV 16 0 0 0 0 {lead}" for lead in written.LEADS)
    for number in range(1, 4):
        (folder / "records100" / f"{number}_lr.hea").write_text(f"{number}_lr 12 100 600\n{lines}\n")
    (folder / DATABASE).write_text("\n".join([HEADER, *rows]) + "\n")
    return folder


@pytest.mark.parametrize(
    "bad",
    [
        "2,2,inf,1,\"{'NORM'\",2001-01-02,records100/2_lr,",
        "2,2,61,1," + '"' + "[" * 3000 + '"' + ",2001-01-02T10:00:00+02:00,records100/2_lr,",
        "2,2,61,1,\"{'NORM': 1, [1]: 2}\",yesterday,records100/2_lr,",
        "2",
        "2,2,61,1,x,x,../../etc/passwd,",
        "2,2,61,1,x,x," + "y" * 5000 + ",",
    ],
)
def test_a_bad_row_of_ptbxl_leaves_the_others(tmp_path: Path, bad: str) -> None:
    collection = open_collection(ptbxl(tmp_path, [ROW.format(1), bad, ROW.format(3)]))
    assert {"Recording 1", "Recording 2"} <= {entry.title for entry in collection.entries}
    assert collection.left_out == ()
    assert collection.entries[0].age == 61


def test_a_row_of_ptbxl_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    endless = '2,2,61,1,"' + "x" * 200_000 + '",2001,records100/2_lr,'
    collection = open_collection(ptbxl(tmp_path, [ROW.format(1), endless, ROW.format(3)]))
    assert len(collection.entries) == 2
    assert collection.left_out == ("1 line of its table cannot be read and is left out.",)


def test_bytes_that_are_no_text_in_ptbxl(tmp_path: Path) -> None:
    folder = ptbxl(tmp_path, [ROW.format(1), ROW.format(2)])
    content = (folder / DATABASE).read_bytes().replace(b"NORM", b"N\xffRM", 1)
    (folder / DATABASE).write_bytes(content)
    assert len(open_collection(folder).entries) == 2


def test_a_bad_row_and_a_looping_link_in_mimic(tmp_path: Path) -> None:
    lines = ["subject_id,study_id,file_name,ecg_time,path"]
    for number in range(1, 4):
        place = tmp_path / "files" / f"{number}"
        place.mkdir(parents=True)
        signals = "\n".join(f"r.dat 16 200(0)/mV 16 0 0 0 0 {lead}" for lead in written.LEADS)
        (place / f"{number}.hea").write_text(f"{number} 12 500 600\n{signals}\n")
        lines.append(f"{number},{number},{number},2180-05-06 12:00:00,files/{number}/{number}")
    lines[2:2] = ["7,8", "7,8,9,10,11,12,13", "x,x,x,x,x", "9,9,9,2180-05-06 12:00:00,files/loop"]
    (tmp_path / "files" / "loop.hea").symlink_to(tmp_path / "files" / "loop.hea")
    (tmp_path / "record_list.csv").write_text("\n".join(lines) + "\n")
    collection = open_collection(tmp_path)
    assert len(collection.entries) == 3
    assert collection.left_out == ("2 lines of its tables cannot be read and are left out.",)
