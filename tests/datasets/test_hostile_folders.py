"""Folders made by somebody who has read the code: nothing of other folders, nothing without an end."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ecgkt.datasets import files, ptbxl, table_files
from ecgkt.datasets.collection import open_collection
from ecgkt.datasets.files import ecg_files
from ecgkt.datasets.mimic import records
from ecgkt.ecg import ECGError
from tests.datasets.test_collection import record
from tests.limits import limited
from tests.readers import written_files as written
from tests.readers.written_files import counts

LISTED = "subject_id,study_id,ecg_time,path"
MOST_SECONDS, MOST_BYTES = 4.0, 400 * 2**20


@pytest.fixture
def bounded() -> Iterator[None]:
    with limited(MOST_SECONDS, MOST_BYTES):
        yield


def _cohort(folder: Path, patient: int, name: str) -> None:
    record(folder / "files" / name)
    (folder / "record_list.csv").write_text(f"{LISTED}\n{patient},{patient},2020-01-01 10:00:00,files/{name}\n")


@pytest.mark.parametrize("pattern", ["on?", "*", "[o]ne", "**"])
def test_a_folder_called_like_a_pattern_is_itself(tmp_path: Path, pattern: str) -> None:
    """And not whatever the pattern fits, such as a link out of the folder."""
    (tmp_path / "outside").mkdir()
    _cohort(tmp_path / "outside", 2, "theirs")
    root = tmp_path / "root"
    _cohort(root / pattern, 1, "own")
    (root / "one").symlink_to(tmp_path / "outside")
    (root / pattern / "files" / "theirs.hea").write_bytes((root / pattern / "files" / "own.hea").read_bytes())
    collection = open_collection(root / pattern)
    assert len(collection.entries) == 1
    rows = duckdb.sql(f"SELECT subject_id FROM {table_files.csv(root / pattern / 'record_list.csv')}").fetchall()
    assert rows == [("1",)]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_folder_called_like_a_column_is_none(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "subject_id=9"
    folder.mkdir()
    file = folder / f"t{suffix}"
    one = duckdb.sql("SELECT 1 AS subject_id")
    (one.write_csv if suffix == ".csv" else one.write_parquet)(str(file))
    reader = table_files.csv(file) if suffix == ".csv" else table_files.parquet(file)
    ((found,),) = duckdb.sql(f"SELECT subject_id FROM {reader}").fetchall()
    assert int(found) == 1


def test_a_folder_that_was_opened_is_not_another_later(tmp_path: Path) -> None:
    for name in ("root/a", "outside"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.xml").write_bytes(written.muse(counts()))
    collection = open_collection(tmp_path / "root" / "a")
    (entry,) = collection.entries
    assert collection.read(entry.key).samples == 600
    (tmp_path / "root" / "a").rename(tmp_path / "root" / "b")
    (tmp_path / "root" / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(ECGError, match="leads out"):
        collection.read(entry.key)


def test_a_small_file_of_very_many_rows_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some kilobytes that hold more rows than can be sorted in memory, and than can be read in time."""
    record(tmp_path / "files" / "a")
    rows = "SELECT 1 AS subject_id, 1 AS study_id, TIMESTAMP '2020-01-01' AS ecg_time, 'files/a' AS path"
    duckdb.sql(f"{rows} FROM range(3000000)").write_parquet(str(tmp_path / "record_list.parquet"), compression="zstd")
    assert (tmp_path / "record_list.parquet").stat().st_size < 2**18
    monkeypatch.setattr(records, "MEMORY", "50MB")
    here = set(Path.cwd().iterdir())
    with pytest.raises(ECGError, match="larger than can be opened here"):
        open_collection(tmp_path)
    assert set(Path.cwd().iterdir()) == here  # nothing of the tables was put aside on disk
    monkeypatch.undo()
    monkeypatch.setattr(records, "SECONDS", 0.0)
    monkeypatch.setattr(records, "EVERY", 0.01)
    with pytest.raises(ECGError, match="larger than can be opened here"):
        open_collection(tmp_path)


def test_a_table_of_one_line_without_end(tmp_path: Path, bounded: None) -> None:
    database = tmp_path / ptbxl.DATABASE
    database.write_text("ecg_id,age,sex,scp_codes,filename_lr\n" + "x" * 30_000_000)
    with pytest.raises(ECGError, match="no ECG"):
        open_collection(tmp_path)
    os.truncate(database, 2**40)
    with pytest.raises(ECGError, match="larger than 64 MB"):
        open_collection(tmp_path)


def test_a_table_of_very_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounded: None) -> None:
    monkeypatch.setattr("ecgkt.datasets.collection.MOST_LINES", 10_000)
    (tmp_path / ptbxl.DATABASE).write_text("ecg_id,age,sex,scp_codes,filename_lr\n" + "1,,,,x\n" * 2_000_000)
    with pytest.raises(ECGError, match="no ECG"):
        open_collection(tmp_path)


def test_a_packed_table_that_is_none(tmp_path: Path, bounded: None) -> None:
    record(tmp_path / "files" / "a")
    with gzip.open(tmp_path / "record_list.csv.gz", "wb", compresslevel=1) as file:
        file.write(f"{LISTED}\n".encode())
        for _ in range(12):
            file.write(b" " * 2**20)
    with pytest.raises(ECGError):
        open_collection(tmp_path)


def test_very_many_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounded: None) -> None:
    (tmp_path / "first").mkdir()
    first = tmp_path / "first" / "0.xml"
    first.write_bytes(b"<?xml version='1.0'?><x>" + b" " * files.XML_HEAD)
    for number in range(1, 3000):
        os.link(first, tmp_path / "first" / f"{number}.xml")
    monkeypatch.setattr(files, "MOST_OPENED", 2000)
    left_out = files.LeftOut()
    assert ecg_files(tmp_path, 5000, left_out=left_out) == []
    assert left_out.sentences() == ("The folder holds more than is listed here.",)
    monkeypatch.setattr(files, "MOST_FOLDERS", 100)
    for number in range(200):
        (tmp_path / "folders" / f"{number}").mkdir(parents=True)
    (tmp_path / "folders" / "199" / "a.xml").write_bytes(written.muse(counts()))
    left_out = files.LeftOut()
    assert ecg_files(tmp_path / "folders", 5000, left_out=left_out) == []
    assert left_out.is_cut


def test_folders_in_folders_as_deep_as_the_system_goes(tmp_path: Path, bounded: None) -> None:
    (tmp_path / "a.xml").write_bytes(written.muse(counts()))
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(250):
            os.mkdir("d" * 20)
            os.chdir("d" * 20)
    finally:
        os.chdir(here)
    collection = open_collection(tmp_path)
    assert len(collection.entries) == 1
    assert collection.left_out == ("1 folder cannot be opened and is left out.",)


@pytest.mark.parametrize(
    "name",
    ["a\nb.xml", "=1+1.xml", "<script>alert(1)</script>.xml".replace("/", "-"), "x" * 251 + ".xml", "\u202exml.xml"],
)
def test_no_name_of_a_file_is_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(written.muse(counts()))
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.scp", "wb") as file:
        file.write(written.scp(counts()))
    collection = open_collection(tmp_path)
    assert [entry.title for entry in collection.entries] == ["Recording 1", "Recording 2"]
    assert [collection.read(entry.key).samples for entry in collection.entries] == [600, 600]


def test_the_table_of_another_is_not_read_through_a_link(tmp_path: Path) -> None:
    _cohort(tmp_path / "outside", 2, "theirs")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "record_list.csv").symlink_to(tmp_path / "outside" / "record_list.csv")
    with pytest.raises(ECGError, match="leads out"):
        open_collection(tmp_path / "root")


@pytest.mark.parametrize("name", ["record_list.csv", ptbxl.DATABASE])
def test_a_table_that_becomes_a_link_before_it_is_opened(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _table_of(tmp_path / "outside", name, "theirs")
    _table_of(tmp_path / "root", name, "own")
    (tmp_path / "root" / "files" / "theirs.hea").write_bytes((tmp_path / "root" / "files" / "own.hea").read_bytes())

    def swapped(file: Path, root: Path) -> bool:
        answer = files.leads_out(file, root)
        _swap(file, tmp_path / "outside" / name)
        return answer

    monkeypatch.setattr("ecgkt.datasets.collection.leads_out", swapped)
    with pytest.raises(ECGError, match="leads out"):
        open_collection(tmp_path / "root")


@pytest.mark.skipif(not table_files.OPEN_FILES.is_dir(), reason="only Linux has open files by name")
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_table_that_becomes_a_link_once_it_is_open(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB opens a table by its path, several times."""
    for place, patient, name in (("outside", 2, "theirs"), ("root", 1, "own")):
        _cohort(tmp_path / place, patient, name)
        if suffix != ".csv":
            plain = tmp_path / place / "record_list.csv"
            table, packed = duckdb.sql(f"FROM {table_files.csv(plain)}"), str(plain.with_name(f"record_list{suffix}"))
            table.write_parquet(packed) if suffix == ".parquet" else table.write_csv(packed, compression="gzip")
            plain.unlink()
    (tmp_path / "root" / "files" / "theirs.hea").write_bytes((tmp_path / "root" / "files" / "own.hea").read_bytes())
    hold = table_files.Held.hold

    def swapped(held: table_files.Held, path: Path) -> tuple[Path, int]:
        found = hold(held, path)
        _swap(path, tmp_path / "outside" / path.name)
        return found

    monkeypatch.setattr(table_files.Held, "hold", swapped)
    opened = open_collection(tmp_path / "root")
    assert [item.path.stem for item in opened._items.values()] == ["own"]


def _table_of(folder: Path, name: str, record_name: str) -> None:
    _cohort(folder, 1, record_name)
    if name == ptbxl.DATABASE:
        (folder / "record_list.csv").unlink()
        (folder / name).write_text(f"ecg_id,age,sex,scp_codes,filename_lr\n1,60,0,,files/{record_name}\n")


def _swap(file: Path, target: Path) -> None:
    file.unlink()
    file.symlink_to(target)
