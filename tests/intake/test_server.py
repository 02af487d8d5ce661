"""Uploads through the reading process: the same ECGs as without it; and faults that only it can hold."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ecgkt.ecg import LEADS, ECGError
from ecgkt.intake import read_upload, reading, server
from ecgkt.intake.reading import FULL, NOT_BEGUN, TOO_MUCH, listed, read_each
from ecgkt.readers import TableLayout, read, records
from tests.readers import written_files as written
from tests.readers.written_files import BY_FORMAT, counts

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no reading process without fork")
ROOT = Path(__file__).resolve().parents[2]


def test_the_reading_process_gives_what_reading_gives() -> None:
    files = {name: make(counts(2000)) for name, make in BY_FORMAT.items()}
    layout = TableLayout(500.0, 1.0)
    outcomes = read_upload(files, layout)
    assert [outcome.format for outcome in outcomes] == list(BY_FORMAT)
    assert [outcome.format for outcome in outcomes if outcome.is_table] == ["NumPy", "CSV"]
    for outcome, content in zip(outcomes, files.values(), strict=True):
        assert outcome.ecg is not None
        known = read(content, layout)
        np.testing.assert_array_equal(outcome.ecg.signal, known.signal)
        facts = ("rate", "age", "sex", "notes")
        assert [getattr(outcome.ecg, fact) for fact in facts] == [getattr(known, fact) for fact in facts]


def test_a_lost_sample_stays_lost_and_a_refusal_is_told() -> None:
    table = counts(2000)
    table[7, 100:200] = -32768
    bad = written.muse(counts(), LeadSampleCountTotal="599")
    first, second, third = read_upload({"a.ecg": written.ishne(table), "b.xml": bad, "c.txt": b"no ECG at all"})
    assert first.ecg is not None
    assert np.isnan(first.ecg.signal[7, 100:200]).all()
    assert (second.ecg, second.format) == (None, "GE MUSE XML")
    with pytest.raises(ECGError) as known:
        read(bad)
    assert second.refusal == str(known.value)
    assert third.format == ""
    assert "none of the formats" in third.refusal
    assert len({each.digest for each in (first, second, third)}) == 3


def test_after_its_share_of_time_an_upload_begins_no_further_record() -> None:
    found = records({f"{k}.xml": written.muse(counts()) for k in range(3)})
    said = list(read_each(found, None, begun=time.process_time() - 100))
    assert said == [NOT_BEGUN] * 3


def test_an_upload_holds_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a zip of few bytes unpacks to would else be held by the server."""
    found = records({f"{k}.xml": written.muse(counts()) for k in range(4)})
    one = read(written.muse(counts())).signal.nbytes
    monkeypatch.setattr(reading, "MOST_SAMPLES", 2 * one - 1)
    said = list(read_each(found, None, begun=time.process_time()))
    assert [isinstance(each, str) for each in said] == [False, False, True, True]
    assert said[2:] == [FULL] * 2


def test_records_that_share_a_file_are_told_apart_and_known_again() -> None:
    header = "r{0} 12 500 2\n" + "\n".join(f"s.dat 16 200 16 0 0 0 0 {name}" for name in LEADS)
    files = {f"r{k}.hea": header.format(k).encode() for k in range(3)} | {"s.dat": bytes(48)}
    digests = [[outcome.digest for outcome in listed(files)[1]] for _ in range(2)]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


def _faulty(handle: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.intake.faulty_worker", str(handle)]
    return subprocess.Popen(command, pass_fds=[handle], cwd=ROOT, env=server._environment())


@pytest.fixture(scope="module")
def faulty() -> Iterator[server._Reader]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_begun", _faulty)
        patch.setenv("A_SECRET", "17")
        reader = server._Reader()
        yield reader
        reader.close()


def ask(reader: server._Reader, fault: bytes) -> str:
    (outcome,) = reader.read({"a": fault}, None)
    return outcome.refusal


@pytest.mark.parametrize("fault", [b"spin", b"spin in a library", b"allocate", b"crash"])
def test_a_reader_that_would_take_the_server_down_is_ended_and_told(faulty: server._Reader, fault: bytes) -> None:
    with ThreadPoolExecutor() as side:
        held = side.submit(ask, faulty, fault)
        assert ask(faulty, b"fine") == "read"  # another is answered meanwhile
        assert held.result() == TOO_MUCH
    assert ask(faulty, b"fine") == "read"


def test_records_read_before_one_that_is_ended_are_kept(faulty: server._Reader) -> None:
    outcomes = faulty.read({"a": b"fine", "b": b"crash", "c": b"fine"}, None)
    assert [outcome.refusal for outcome in outcomes] == ["read", TOO_MUCH, TOO_MUCH]


def test_a_reading_process_that_is_gone_is_started_anew(faulty: server._Reader) -> None:
    assert ask(faulty, b"fine") == "read"
    before = faulty._process
    assert before is not None
    before.kill()
    before.wait()
    assert ask(faulty, b"fine") == "read"
    assert faulty._process is not before


def test_a_server_without_time_says_so_and_nothing_of_the_file(
    faulty: server._Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.5)
    with pytest.raises(ECGError, match="too busy"):
        ask(faulty, b"sleep")


def test_a_child_holds_no_secret_and_no_more_open_than_it_needs(faulty: server._Reader) -> None:
    assert int(ask(faulty, b"handles")) <= 6  # three standard streams, its socket, the folder that is listed
    variables = ask(faulty, b"environment").split(",")
    assert not {"HOME", "USER", "A_SECRET"} & set(variables)


def test_nothing_stays_on_disk_after_a_child_was_ended(
    faulty: server._Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path))
    assert ask(faulty, b"crash") == TOO_MUCH
    assert not list(tmp_path.iterdir())
