"""A watched folder: each ECG once, when it is whole, whatever ends the program; bad ones without their patient."""

from __future__ import annotations

import io
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ecgkt.batch.journal import FINAL, MOST_ATTEMPTS, Journal
from ecgkt.batch.watch import EVERY, JOURNAL, PATIENCE, SETTLED, Watch
from tests.batch.batches import BAD, Quick, folder, write
from tests.stand_in import beats

ROOT = Path(__file__).resolve().parents[2]
NAME = "Doe_Jane_4711"


class Folders:
    """A folder that is watched and one for the results; time passes when `later` says so."""

    def __init__(self, root: Path) -> None:
        self.arriving, self.out = root / "export", root / "results"
        self.arriving.mkdir()
        self.out.mkdir()
        self.now = 1000.0
        self.said = io.StringIO()
        self.start()

    def start(self, model: Any = None, **more: Any) -> None:
        """The program anew, with what it finds on the disk."""
        self.watch = Watch(model or Quick(), self.arriving, self.out, tell=self.said, **more)

    def later(self, seconds: float) -> tuple[int, int]:
        self.now += seconds
        return self.watch.look(self.now)

    def settle(self) -> tuple[int, int]:
        self.later(EVERY)
        return self.later(SETTLED + 1)

    @property
    def results(self) -> list[Path]:
        return sorted(self.out.glob("*.json"))

    @property
    def outcomes(self) -> list[str]:
        lines = (self.out / JOURNAL).read_text().splitlines()
        return [json.loads(line)["outcome"] for line in lines]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_an_ecg_is_handled_once_and_its_copy_not_again(folders: Folders) -> None:
    write(folders.arriving / "one", beats(70))
    assert folders.later(EVERY) == (1, 0)
    assert not folders.results
    assert folders.later(SETTLED + 1) == (0, 0)
    (result,) = folders.results
    said = json.loads(result.read_text())
    assert said["sha256"] == result.stem
    assert said["file"] == "one.hea"
    assert said["model"]["sha256"] == Quick.sha256
    assert said["diagnoses"][0]["code"] == "I50"
    folders.start()
    (folders.arriving / "copies").mkdir()
    write(folders.arriving / "copies" / "one", beats(70))
    assert folders.settle() == (0, 0)
    assert folders.outcomes == ["begun", "done"]


def test_a_file_that_grows_and_a_record_that_lacks_its_signal_are_waited_for(folders: Folders) -> None:
    write(folders.arriving / "one", beats(70))
    signal = folders.arriving / "one.dat"
    content = signal.read_bytes()
    signal.unlink()
    folders.later(EVERY)
    assert folders.later(SETTLED + 1) == (1, 0)
    for size in (1000, 50_000, len(content)):
        signal.write_bytes(content[:size])
        assert folders.later(SETTLED + 1) == (1, 0)
        assert not folders.results
    assert folders.later(SETTLED + 1) == (0, 0)
    assert folders.outcomes == ["begun", "done"]


def test_a_signal_that_came_before_its_header_is_waited_for(folders: Folders) -> None:
    write(folders.arriving / "one", beats(70))
    header = folders.arriving / "one.hea"
    content = header.read_bytes()
    header.unlink()
    folders.later(EVERY)
    assert folders.later(SETTLED + 1) == (1, 0)
    header.write_bytes(content)
    assert folders.settle() == (0, 0)
    assert folders.outcomes == ["begun", "done"]


def test_a_bad_file_is_named_once_without_its_patient_and_done_when_it_is_whole(folders: Folders) -> None:
    write(folders.arriving / NAME, beats(70), cut=8)
    folders.settle()
    folders.start()
    folders.settle()
    assert folders.outcomes == ["begun", "refused"]
    journal = (folders.out / JOURNAL).read_text()
    assert json.loads(journal.splitlines()[-1])["reason"] == BAD
    assert "Doe" not in journal + folders.said.getvalue()
    write(folders.arriving / NAME, beats(70))
    assert folders.settle() == (0, 0)
    assert folders.outcomes[-1] == "done"


def test_a_record_that_never_becomes_whole_is_refused_in_the_end(folders: Folders) -> None:
    write(folders.arriving / "one", beats(70))
    (folders.arriving / "one.dat").unlink()
    folders.later(EVERY)
    assert folders.later(PATIENCE + 1) == (0, 0)
    assert folders.outcomes == ["begun", "refused"]


class Dies(Quick):
    def predict(self, analyzed: Any) -> Any:
        raise SystemExit  # as good as a kill: nothing after it is done


def test_an_ecg_that_ends_the_program_each_time_is_given_up(folders: Folders) -> None:
    write(folders.arriving / "one", beats(70))
    for _ in range(MOST_ATTEMPTS):
        folders.start(Dies())
        folders.later(EVERY)
        with pytest.raises(SystemExit):
            folders.later(SETTLED + 1)
    folders.start()
    assert folders.settle() == (0, 0)
    assert folders.outcomes == ["begun"] * MOST_ATTEMPTS + ["refused"]
    assert not folders.results


@pytest.mark.parametrize("line", [b'{"sha256": "a", "outcome": []}', b"[" * 100_000, b"1", b"\xff\xfe", b"null"])
def test_a_line_of_the_journal_that_is_none_is_passed_over(line: bytes, tmp_path: Path) -> None:
    whole = b'{"sha256": "b", "outcome": "done"}'
    (tmp_path / JOURNAL).write_bytes(line + b"\n" + whole + b"\n")
    assert Journal(tmp_path / JOURNAL).is_final("b")


@pytest.mark.parametrize("left", ["a torn line", "a result without its line"])
def test_what_a_power_cut_leaves_is_put_right(left: str, folders: Folders) -> None:
    write(folders.arriving / "one", beats(70))
    folders.settle()
    journal = folders.out / JOURNAL
    lines = journal.read_text().splitlines(keepends=True)
    (result,) = folders.results
    if left == "a torn line":
        result.unlink()
        journal.write_text(lines[0] + lines[1][:30])
    else:
        journal.write_text(lines[0])
    folders.start()
    before = result.read_bytes() if result.exists() else b""
    assert folders.settle() == (0, 0)
    assert result.exists()
    assert not before or result.read_bytes() == before, "it was worked on again"
    assert json.loads(journal.read_text().splitlines()[-1])["outcome"] == "done"
    assert Journal(journal).is_final(result.stem)


def test_a_full_disk_is_waited_out(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folders.arriving / "one", beats(70))
    folders.later(EVERY)

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        for _ in range(2 * MOST_ATTEMPTS):
            assert folders.later(SETTLED + 1) == (0, 1)
    assert folders.said.getvalue().count("No space left") == 1
    assert folders.later(EVERY) == (0, 0)
    assert folders.outcomes[-1] == "done"
    assert not [*folders.out.glob("*.unfinished")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_random_it_handles_each_ecg_once(tmp_path: Path) -> None:
    """Through the command line with the shipped model; the last run is let finish."""
    arriving, out = folder(tmp_path / "export", 12, bad=2), tmp_path / "results"
    command = [sys.executable, "-m", "ecgkt", "explain", "--watch", str(arriving), "--out", str(out), "--once"]
    chance = random.Random(5)
    for _ in range(2):
        run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        before, until = len([*out.glob("*.json")]), time.monotonic() + 120
        while len([*out.glob("*.json")]) == before and run.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        run.kill()
        assert run.wait() == -signal.SIGKILL, "it was done before it could be killed"
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    lines = [json.loads(line) for line in (out / JOURNAL).read_text().splitlines()]
    final = [line["sha256"] for line in lines if line["outcome"] in FINAL]
    assert len(final) == len(set(final)) == 12
    assert sum(line["outcome"] == "refused" for line in lines) == 2
    results = {path.stem for path in out.glob("*.json")}
    assert results == {line["sha256"] for line in lines if line["outcome"] in ("done", "abstained")}
    assert all(json.loads((out / f"{name}.json").read_text())["sha256"] == name for name in results)


def test_a_report_instead_of_json(folders: Folders) -> None:
    write(folders.arriving / NAME, beats(70))
    folders.start(report=True)
    folders.settle()
    (result,) = folders.out.glob("*.pdf")
    content = result.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"Doe" not in content
