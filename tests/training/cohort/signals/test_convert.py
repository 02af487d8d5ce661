"""WFDB records -> signals.i16: what is left out and why, and that being killed costs only what was not yet noted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGKILL

import numpy as np
import pytest
import wfdb

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.model.preprocessing import model_view
from tests.training.cohort.signals.written_records import LIMITS, MIMIC_LEADS, convert, read, set_samples, write_record
from training.cohort.signals import convert as signals_convert
from training.cohort.signals import zip_archive
from training.cohort.signals.convert import Limits, RecordFiles


def test_the_model_s_view_in_microvolts(tmp_path: Path) -> None:
    record = write_record(tmp_path, "a", seconds=12)
    oracle = wfdb.rdrecord(str(record), sampto=5000)
    order = [MIMIC_LEADS.index(lead) for lead in LEADS]
    view = model_view(ECG(oracle.p_signal.T[order].astype(np.float32), 500))
    converted = convert(record)
    assert converted.shape == (12, 1000)
    np.testing.assert_allclose(converted / 1000, view[:, :1000], atol=0.001)
    # aVL is the sixth lead of the file and the fifth of ours: its sine has 6 Hz.
    assert np.abs(np.fft.rfft(converted[LEADS.index("aVL")])).argmax() == 60


def test_missing_samples_are_counted_not_read_as_microvolts(tmp_path: Path) -> None:
    record = write_record(tmp_path, "a")
    set_samples(record, 3, 1000, 1100, -32768)
    signal = read(record).signal
    assert np.isnan(signal[3, 1000:1100]).all()
    assert np.isfinite(np.delete(signal, 3, axis=0)).all()
    assert np.abs(convert(record)).max() < 2000
    set_samples(record, 3, 1000, 1101, -32768)
    with pytest.raises(ECGError, match=r"more than 0\.2 s"):
        convert(record)


def test_longest_gap_does_not_join_leads() -> None:
    signal = np.zeros((12, 10))
    signal[0, 7:] = np.nan
    signal[1, :2] = np.nan
    assert signals_convert.longest_gap(signal) == 3
    assert signals_convert.longest_gap(np.zeros((12, 10))) == 0


def test_reasons_to_leave_a_record_out(tmp_path: Path) -> None:
    short = write_record(tmp_path, "short", seconds=9.9)
    lacking = write_record(tmp_path, "lacking", leads=MIMIC_LEADS[:-1])
    derivable = write_record(tmp_path, "derivable", leads=[n for n in MIMIC_LEADS if n not in ("III", "aVR")])
    unrecorded = write_record(tmp_path, "unrecorded")
    set_samples(unrecorded, 2, 0, 5000, -32768)
    large = write_record(tmp_path, "large")
    set_samples(large, 2, 1000, 1100, 12000)
    flat = write_record(tmp_path, "flat")
    set_samples(flat, 2, 0, 5000, 0)
    cut = write_record(tmp_path, "cut")
    cut.with_suffix(".dat").write_bytes(cut.with_suffix(".dat").read_bytes()[:-2])
    garbled = tmp_path / "garbled"
    garbled.with_suffix(".hea").write_text("garbled 12 500\n")
    garbled.with_suffix(".dat").write_bytes(b"")
    escape = write_record(tmp_path, "escape")
    header = escape.with_suffix(".hea")
    header.write_text(header.read_text().replace("escape.dat", "../escape.dat"))
    for record, reason in (
        (short, "shorter than 10 s"),
        (lacking, "a lead missing"),
        (derivable, "leads missing"),
        (unrecorded, "a lead without signal"),
        (large, "amplitude beyond 20 mV"),
        (flat, "a lead without signal"),
        (cut, "truncated"),
        (garbled, "unreadable header"),
        (escape, "unreadable header"),
        (tmp_path / "absent", "no header file"),
    ):
        with pytest.raises(ECGError, match=reason):
            convert(record)


def test_killed_and_started_again_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals_convert, "CHUNK", 3)
    names = [write_record(tmp_path / "wfdb", f"r{i}", seed=i).name for i in range(8)]
    names.insert(4, "absent")
    records = RecordFiles(str(tmp_path / "wfdb"), names)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    reasons = signals_convert.convert_all(records, whole, LIMITS, workers=1)
    assert [r != "" for r in reasons] == [i == 4 for i in range(9)]

    real, calls = signals_convert.convert, []

    def dies_in_the_third(chunk: signals_convert.Records, limits: Limits) -> tuple[bytes, list[str]]:
        calls.append(chunk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(chunk, limits)

    monkeypatch.setattr(signals_convert, "convert", dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        signals_convert.convert_all(records, broken, LIMITS, workers=1)
    # What a kill between the bytes and their note, and in the middle of a note, leaves behind.
    with (broken / "signals.i16").open("ab") as file:
        file.write(b"half a chunk")
    with (broken / "signals.progress").open("a") as file:
        file.write('["", "')
    calls.clear()
    calls.extend([records] * 3)
    assert signals_convert.convert_all(records, broken, LIMITS, workers=1) == reasons
    assert len(calls) == 3 + 1, "only the last chunk is converted again"
    assert (broken / "signals.i16").read_bytes() == (whole / "signals.i16").read_bytes()
    assert (broken / "signals.progress").read_bytes() == (whole / "signals.progress").read_bytes()


def test_changed_records_are_not_taken_from_an_old_run(tmp_path: Path) -> None:
    record = write_record(tmp_path / "wfdb", "r")
    signals_convert.convert_all(RecordFiles(str(record.parent), ["r"]), tmp_path, LIMITS, workers=1)
    before = (tmp_path / "signals.i16").read_bytes()
    write_record(tmp_path / "wfdb", "r", seed=9)
    signals_convert.convert_all(RecordFiles(str(record.parent), ["r"]), tmp_path, LIMITS, workers=1)
    assert (tmp_path / "signals.i16").read_bytes() != before


def _children(parent: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above = stat.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(above) == parent and state != "Z":
            found.add(int(stat.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for the workers in /proc")
def test_sigkill_with_two_workers_leaves_nothing_behind_and_is_resumed(
    zipped: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, paths = zipped
    script, progress = tmp_path / "run.py", tmp_path / "signals.progress"
    script.write_text(f"""
from pathlib import Path
from training.cohort.signals import convert, zip_archive
if __name__ == "__main__":
    convert.CHUNK = 16
    wanted = [{paths!r}[i % 5] if i % 7 else "files/absent" for i in range(2400)]
    records = zip_archive.zipped_records(Path({str(file)!r}), "top-1.0/", wanted)
    convert.convert_all(records, Path({str(tmp_path)!r}), convert.Limits{tuple(LIMITS)!r}, workers=2)
""")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[4]), "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.Popen([sys.executable, str(script)], env=environment, stderr=subprocess.DEVNULL)
    while run.poll() is None and (not progress.is_file() or progress.read_bytes().count(b"\n") < 4):
        time.sleep(0.01)
    workers = _children(run.pid)
    run.send_signal(SIGKILL)
    assert run.wait() == -SIGKILL, "it was done before it could be killed"
    assert len(workers) >= 2
    noted = progress.read_bytes()
    deadline = time.monotonic() + 20
    while left := [worker for worker in workers if Path(f"/proc/{worker}").exists()]:
        assert time.monotonic() < deadline, f"{len(left)} workers outlived the process that was killed"
        time.sleep(0.05)
    monkeypatch.setattr(signals_convert, "CHUNK", 16)
    wanted = [paths[i % 5] if i % 7 else "files/absent" for i in range(2400)]
    signals_convert.convert_all(zip_archive.zipped_records(file, "top-1.0/", wanted), tmp_path, LIMITS, workers=1)
    assert progress.read_bytes().startswith(noted[: noted.rindex(b"\n") + 1]), "what was noted was not done again"
    data, _ = signals_convert.convert(RecordFiles(str(tmp_path), paths), LIMITS)
    views = np.frombuffer(data, np.uint8).reshape(5, -1)
    expected = views[[i % 5 for i in range(2400) if i % 7]]
    # Not as one comparison of bytes: pytest would take minutes to explain a difference of 50 MB.
    assert np.array_equal(np.fromfile(tmp_path / "signals.i16", np.uint8), expected.ravel())
