"""Names, files and parts that somebody made to harm: each record keeps its row, and nothing waits for ever."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from ecgkt.__main__ import main
from ecgkt.batch import workers
from ecgkt.batch.durable import UNFINISHED, whole
from ecgkt.batch.folder import explain_folder
from ecgkt.batch.journal import Journal
from ecgkt.batch.records import load
from ecgkt.batch.rows import Wanted
from ecgkt.batch.table import OtherRun, parts_folder
from ecgkt.batch.watch import EVERY, PATIENCE, SETTLED
from ecgkt.model import model as models
from ecgkt.readers import MAX_FILE_BYTES
from tests.batch.batches import Quick, folder, write
from tests.batch.test_folder import explain, table
from tests.batch.test_watch import Folders
from tests.limits import limited
from tests.readers import written_files as written
from tests.readers.written_files import counts
from tests.stand_in import beats

MOST_SECONDS = 2.0  # of the processor


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def _endless(file: Path) -> None:
    """A file of a terabyte, without a block on the disk."""
    file.touch()
    os.truncate(file, 2**40)


def test_two_names_that_look_alike_have_a_row_each(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is spelled out, which another file may be called like, letter by letter."""
    root = tmp_path / "ecgs"
    root.mkdir()
    names = [b"a\xff.xml", b"a\\xff.xml", b"a\\\\xff.xml", b"a\n.xml"]
    for name in names:
        with open(os.fsencode(root) + b"/" + name, "wb") as file:
            file.write(written.muse(counts()))
    out = tmp_path / "out.csv"
    outcome = explain(root, out)
    assert (outcome.finished, outcome.read) == (True, 4)
    rows = list(csv.DictReader(io.StringIO(out.read_text(), newline="")))
    assert len({row["file"] for row in rows}) == 4


def test_a_name_is_one_cell_whatever_separates_cells(tmp_path: Path) -> None:
    root = tmp_path / "ecgs"
    root.mkdir()
    (root / "a;=1+1.xml").write_bytes(written.muse(counts()))
    out = tmp_path / "out.csv"
    explain(root, out)
    assert out.read_text().splitlines()[1].startswith('"a;=1+1.xml",')


@pytest.mark.parametrize("name", ["r[1].parquet", "r*.csv", "r?.jsonl", "file=1.parquet"])
def test_a_table_called_like_a_pattern_is_written(tmp_path: Path, name: str) -> None:
    root = folder(tmp_path / "ecgs", 2)
    (tmp_path / "r1.parquet.parts").mkdir()
    (tmp_path / "rx.csv.parts").mkdir()
    explain(root, tmp_path / name)
    assert not parts_folder(tmp_path / name).exists()
    plain = tmp_path / f"plain{Path(name).suffix}"
    shutil.copy(tmp_path / name, plain)
    assert {row["file"] for row in table(plain)} == {"0/r000.hea", "1/r001.hea"}


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"null", b'{"root": 1}'])
def test_parts_that_do_not_say_whose_they_are_are_not_gone_on_from(tmp_path: Path, content: bytes) -> None:
    root, out = folder(tmp_path / "ecgs", 2), tmp_path / "out.parquet"
    parts_folder(out).mkdir()
    (parts_folder(out) / "run.json").write_bytes(content)
    for stray in ("0x1.parquet", "1_0.parquet", "\u00b2.parquet"):  # a digit, but no number
        (parts_folder(out) / stray).write_bytes(b"PAR1")
    (parts_folder(out) / "00000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(OtherRun, match="parts of another run"):
        explain(root, out)
    (parts_folder(out) / "00000001.parquet").unlink()
    assert explain(root, out).read == 2


def test_an_endless_file_is_refused_in_no_time(tmp_path: Path) -> None:
    root = folder(tmp_path / "ecgs", 1)
    _endless(root / "big.dcm")
    _endless(root / "big.xml")
    with limited(2 * MOST_SECONDS, 200 * 2**20):
        outcome = explain(root, tmp_path / "out.parquet")
    assert outcome.refused == {f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.": 2}
    begins = hashlib.sha256(bytes(MAX_FILE_BYTES + 1)).hexdigest()
    assert {row["sha256"] for row in table(tmp_path / "out.parquet") if row["status"] == "refused"} == {begins}


def test_a_folder_whose_name_becomes_a_link_is_still_the_one_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("own", "theirs"):
        folder(tmp_path / name, 2)
    given = tmp_path / "given"
    given.symlink_to(tmp_path / "own")

    class Turning(Quick):
        """Its first ECG is the moment at which the name leads elsewhere."""

        def predict_many(self, ecgs):  # type: ignore[no-untyped-def]
            given.unlink()
            given.symlink_to(tmp_path / "theirs")
            return super().predict_many(ecgs)

    outcome = explain_folder(Turning(), None, given, tmp_path / "out.parquet", Wanted(), 1, io.StringIO())
    assert outcome.read == 2
    content = load(tmp_path / "own" / "0" / "r000.hea", (tmp_path / "theirs").resolve())
    assert (content.sha256, content.files) == (None, {})  # of a file outside not even the hash
    assert "leads out" in content.reason


def test_a_header_that_names_what_no_file_can_be_called_is_refused(folders: Folders) -> None:
    write(folders.arriving / "good", beats(70))
    for number, name in enumerate(("x" * 300 + ".dat", "a\0b.dat", "good.hea/x.dat")):
        header = (folders.arriving / "good.hea").read_text().replace("good.dat", name)
        (folders.arriving / f"bad{number}.hea").write_text(header)
    folders.later(EVERY)
    folders.later(SETTLED + 1)
    assert folders.later(PATIENCE + 1) == (0, 0)
    assert sorted(folders.outcomes) == ["begun"] * 4 + ["done"] + ["refused"] * 3
    assert "again" not in folders.said.getvalue()


def test_endless_files_and_pipes_keep_no_watch_waiting(folders: Folders) -> None:
    write(folders.arriving / "good", beats(70))
    _endless(folders.arriving / "big.dcm")
    os.mkfifo(folders.arriving / "pipe.dcm")
    os.mkfifo(folders.arriving / "piped.dat")
    header = (folders.arriving / "good.hea").read_text().replace("good", "piped")
    (folders.arriving / "piped.hea").write_text(header)
    before = time.process_time()
    folders.settle()
    folders.later(PATIENCE + 1)
    assert folders.later(EVERY) == (0, 0)
    assert time.process_time() - before < 2 * MOST_SECONDS
    outcomes = [json.loads(line)["outcome"] for line in (folders.out / "journal.jsonl").read_text().splitlines()]
    assert sorted(outcomes) == ["begun"] * 3 + ["done"] + ["refused"] * 2


def test_a_file_that_becomes_a_pipe_when_it_is_looked_into(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folders.arriving / "good", beats(70))
    header, opened = folders.arriving / "good.hea", os.open

    def open_(path: str, *arguments: int, **options: int) -> int:
        if Path(path).name == "good.hea" and header.is_file():
            header.unlink()
            os.mkfifo(header)
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_)
    folders.later(EVERY)  # comes back
    assert folders.later(EVERY) == (1, 0)  # for the signal a header may still come


def test_a_link_under_the_name_of_what_is_being_written_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"theirs")
    (tmp_path / f"result{UNFINISHED}").symlink_to(tmp_path / "other")
    with whole(tmp_path / "result") as path:
        path.write_bytes(b"ours")
    assert (tmp_path / "other").read_bytes() == b"theirs"
    assert (tmp_path / "result").read_bytes() == b"ours"
    assert not (tmp_path / "result").is_symlink()


def test_a_journal_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(OSError, match="not a file"):
        Journal(tmp_path / "journal.jsonl")


def test_a_table_whose_name_is_no_text_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["explain", ".", "--out", os.fsdecode(b"\xff.csv")])
    assert "no text in UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["0", "-1", "1e3", "1001", "9" * 5000, "\N{ARABIC-INDIC DIGIT THREE}"])
def test_so_many_workers_are_none(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain", ".", "--out", "a.csv", "--workers", workers])
    assert "must be 1 to 1000" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["a table's", "a watched folder's"])
def test_a_link_under_the_name_of_a_lock_is_not_followed(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be opened for writing, and made if it were not there."""
    root, theirs = folder(tmp_path / "ecgs", 1), tmp_path / "theirs"
    theirs.write_text("theirs")
    out = tmp_path / "out.csv"
    locks = parts_folder(out) if place == "a table's" else out
    locks.mkdir()
    monkeypatch.setattr(models, "load", lambda folder: Quick())
    for target in (theirs, tmp_path / "nothing"):
        (locks / "lock").unlink(missing_ok=True)
        (locks / "lock").symlink_to(target)
        command = ["explain", str(root)] if place == "a table's" else ["explain", "--once", "--watch", str(root)]
        assert main([*command, "--out", str(out)]) == 1
        assert "cannot be written" in capsys.readouterr().err.splitlines()[-1]
    assert theirs.read_text() == "theirs"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("stopped", [True, False])
def test_workers_that_are_told_to_end_with_all_are_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """A service manager sends SIGTERM to every process, and they may be ended before this one hears of it."""
    names = [f"{number}.hea" for number in range(2 * workers.CHUNK)]
    asked: list[bool] = []

    def wait(*arguments: object, **options: object) -> None:
        asked.append(stopped)
        raise BrokenProcessPool

    class Pool:
        def __init__(self, *arguments: object) -> None: ...
        def submit(self, *arguments: object) -> object:
            return object()

        def shutdown(self, cancel_futures: bool) -> None: ...

    monkeypatch.setattr(workers, "wait", wait)
    monkeypatch.setattr(workers, "ProcessPoolExecutor", Pool)
    rows = workers.all_rows(Quick(), None, tmp_path, names, Wanted(), 2, lambda: any(asked))  # type: ignore[arg-type]
    if stopped:
        assert list(rows) == []
    else:
        with pytest.raises(BrokenProcessPool):
            list(rows)
