"""What was asked of a name is true of what is read, whatever becomes of the name meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgkt.ecg import ECGError
from ecgkt.readers import MAX_FILE_BYTES, opening, record_files
from ecgkt.readers.opening import content_of, open_file
from tests.limits import limited

SECRET = b"128 other people's bytes"
pytestmark = pytest.mark.skipif(not opening.STEPWISE, reason="this system cannot open a file below an open folder")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file two folders below it, and outside of it the same names with a secret."""
    for place, content in (("root", b"own"), ("outside", SECRET)):
        (tmp_path / place / "a" / "b").mkdir(parents=True)
        (tmp_path / place / "a" / "b" / "x.dcm").write_bytes(content)
    return (tmp_path / "root").resolve()


def _meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Let `change` happen behind the last question about a path, before anything is opened."""
    opened, done = os.open, []

    def open_(*arguments: Any, **options: Any) -> int:
        if not done:
            done.append(True)
            change()
        return opened(*arguments, **options)

    monkeypatch.setattr(os, "open", open_)


def _becomes_a_link(path: Path, target: Path) -> Callable[[], None]:
    def change() -> None:
        path.rename(path.with_name("away"))
        path.symlink_to(target)

    return change


@pytest.mark.parametrize("part", ["a/b/x.dcm", "a/b", "a", ""])
def test_a_name_that_becomes_a_link_out_is_not_followed(root: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _meanwhile(monkeypatch, _becomes_a_link(root / part, root.parent / "outside" / part))
    with pytest.raises((OSError, ECGError)):
        content_of(root / "a" / "b" / "x.dcm", root)


def test_a_folder_that_was_named_is_not_another_later(root: Path) -> None:
    assert content_of(root / "a" / "b" / "x.dcm", root / "a") == b"own"
    _becomes_a_link(root / "a", root.parent / "outside" / "a")()
    with pytest.raises(ECGError, match="leads out"):
        content_of(root / "a" / "b" / "x.dcm", root / "a")


def test_links_inside_are_followed(root: Path) -> None:
    (root / "link.dcm").symlink_to(root / "a" / "b" / "x.dcm")
    (root / "c").symlink_to(root / "a")
    assert content_of(root / "link.dcm", root) == content_of(root / "c" / "b" / "x.dcm", root) == b"own"
    (root / "out.dcm").symlink_to(root.parent / "outside" / "a" / "b" / "x.dcm")
    with pytest.raises(ECGError, match="leads out"):
        content_of(root / "out.dcm", root)
    assert content_of(root / "out.dcm") == SECRET  # where no folder is named, as on the command line


def test_a_folder_that_may_be_passed_but_not_listed(root: Path) -> None:
    (root / "a").chmod(0o111)
    try:
        assert content_of(root / "a" / "b" / "x.dcm", root) == b"own"
    finally:
        (root / "a").chmod(0o755)


@pytest.mark.parametrize("within", [True, False])
def test_a_file_that_becomes_a_pipe_keeps_nobody_waiting(
    root: Path, within: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = root / "a" / "b" / "x.dcm"

    def change() -> None:
        file.unlink()
        os.mkfifo(file)

    _meanwhile(monkeypatch, change)
    with pytest.raises(ECGError, match="cannot be opened"):
        record_files(file, root if within else None)


def test_a_folder_and_a_device_are_no_files(root: Path) -> None:
    for path in (root, Path(os.devnull)):
        with pytest.raises(OSError, match="not a file"):
            open_file(path)


def test_a_file_that_grows_is_not_read_for_ever(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = root / "grows"
    file.write_bytes(b"x" * 100)
    asked = os.fstat
    sizes = iter((100, 2**40))  # without blocks, so nothing is written

    def fstat(descriptor: int) -> os.stat_result:
        found = asked(descriptor)
        os.truncate(file, next(sizes))  # behind the question whether it is a file; behind that for its size
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    with limited(2.0, 3 * MAX_FILE_BYTES):
        with pytest.raises(ECGError, match="is being written to"):
            content_of(file)
        monkeypatch.undo()
        with pytest.raises(ECGError, match="larger than"):
            content_of(file)


def test_a_file_that_the_system_makes_up_is_read_to_no_end() -> None:
    """Of a size of 0, as it says, with content all the same."""
    made_up = Path("/proc/self/maps")
    if not made_up.exists():
        pytest.skip("this system has no such file")
    with pytest.raises(ECGError, match="is being written to"):
        content_of(made_up)
