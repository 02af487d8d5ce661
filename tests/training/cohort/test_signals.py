"""WFDB records -> signals.i16: held against wfdb, and against being killed."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from signal import SIGKILL

import numpy as np
import pytest
import wfdb

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.model.preprocessing import model_view
from ecgkt.readers import read as read_any
from training.cohort.signals import convert as signals_convert
from training.cohort.signals import zip_archive
from training.cohort.signals.batched_preprocessing import model_views
from training.cohort.signals.convert import Limits, RecordFiles
from training.cohort.signals.wfdb16 import read_header, samples_of

LIMITS = Limits(max_gap_seconds=0.2, flat_millivolts=0.005, max_millivolts=20)
MIMIC_LEADS = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"]


def write_record(folder: Path, name: str, seed: int = 0, seconds: float = 10.0, leads: list[str] = MIMIC_LEADS) -> Path:
    """A record with MIMIC-IV-ECG's lead order, rate, gain and format; lead n is a sine of n + 1 Hz with noise."""
    folder.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * 500)) / 500
    lead = np.array([MIMIC_LEADS.index(n) for n in leads])
    signal = np.sin(2 * np.pi * (lead + 1) * time[:, None]) + np.random.default_rng(seed).normal(
        0, 0.05, (len(time), len(leads))
    )
    n = len(leads)
    wfdb.wrsamp(
        name,
        fs=500,
        units=["mV"] * n,
        sig_name=leads,
        p_signal=signal,
        fmt=["16"] * n,
        adc_gain=[200.0] * n,
        baseline=[0] * n,
        write_dir=str(folder),
    )
    return folder / name


def set_samples(record: Path, lead: int, start: int, stop: int, value: int) -> None:
    file = record.with_suffix(".dat")
    raw = np.fromfile(file, dtype="<i2").reshape(-1, 12)
    raw[start:stop, lead] = value
    raw.tofile(file)


def read(record: Path) -> ECG:
    layout = read_header(record.with_suffix(".hea").read_bytes(), record.name)
    return layout.ecg(samples_of(layout, record.with_suffix(".dat").read_bytes()))


def convert(record: Path) -> np.ndarray:
    """int16 [12, 1000]; raises the reason against a record."""
    data, (reason,) = signals_convert.convert(RecordFiles(str(record.parent), [record.name]), LIMITS)
    if reason:
        raise ECGError(reason)
    return np.frombuffer(data, "<i2").reshape(12, 1000)


def test_reads_what_wfdb_reads(tmp_path: Path) -> None:
    record = write_record(tmp_path, "a")
    oracle = wfdb.rdrecord(str(record))
    ecg = read(record)
    assert ecg.rate == 500
    for i, lead in enumerate(LEADS):
        np.testing.assert_allclose(ecg.signal[i], oracle.p_signal[:, MIMIC_LEADS.index(lead)], atol=1e-6)


def test_reads_real_records_as_wfdb_does(shared: Path) -> None:
    for header in sorted((shared / "ptbxl" / "records100").rglob("*.hea"))[:5]:
        record = header.with_suffix("")
        oracle = wfdb.rdrecord(str(record))
        names = [name.upper() for name in oracle.sig_name]
        ecg = read(record)
        for i, lead in enumerate(LEADS):
            np.testing.assert_allclose(ecg.signal[i], oracle.p_signal[:, names.index(lead.upper())], atol=1e-6)


def test_baselines_units_and_offsets_in_the_header(tmp_path: Path) -> None:
    raw = np.random.default_rng(1).integers(-500, 500, (1000, 12)).astype("<i2")
    raw.tofile(tmp_path / "b.dat")
    gains = ["1000(20)/mV", "2(-7)/uV", "0", "200"] * 3
    lines = [f"b.dat 16 {gain} 16 5 0 0 0 {lead}" for gain, lead in zip(gains, LEADS, strict=True)]
    (tmp_path / "b.hea").write_text("# comment\nb 12 100/200 1000\n" + "\n".join(lines) + "\n# Age: 3\n")
    signal = read(tmp_path / "b").signal
    np.testing.assert_allclose(signal[0], (raw[:, 0] - 20) / 1000, atol=1e-5)
    np.testing.assert_allclose(signal[1], (raw[:, 1] + 7) / 2000, atol=1e-5)
    np.testing.assert_allclose(signal[2], (raw[:, 2] - 5) / 200, atol=1e-5)
    np.testing.assert_allclose(signal[3], (raw[:, 3] - 5) / 200, atol=1e-5)


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


def test_views_are_the_model_s_view_on_real_records(shared: Path) -> None:
    headers = [*sorted((shared / "ptbxl" / "records100").rglob("*.hea"))[:20]]
    headers += [*sorted((shared / "ludb" / "data").glob("*.hea"))[:20], *sorted((shared / "cinc").glob("*.hea"))[:40]]
    compared = set()
    for header in headers:
        ecg = read_any(header).crop(0, 10)
        if ecg.seconds < 10 or not np.isfinite(ecg.signal).all():
            continue
        # Digits as MIMIC-IV-ECG keeps them, with the offset of a lead that drifts far from zero.
        raw = np.rint(ecg.signal * 200).T.astype(np.int16) + np.int16(20_000)
        expected = model_view(ECG(raw.T.astype(np.float32) / 200, ecg.rate)) * 1000
        view = model_views(raw[None], ecg.rate)[0] * 5
        assert np.abs(np.rint(view) - np.rint(expected)).max() <= 1, header.name
        compared.add(ecg.rate)
    assert {100, 500} <= compared


def test_edges_gaps_and_batches(tmp_path: Path) -> None:
    """A batch of unlike records gives for each what the record gives alone; steps at the edges are held as always."""
    names = []
    for i in range(5):
        record = write_record(tmp_path, f"r{i}", seed=i, seconds=10 + i % 2)
        names.append(record.name)
    set_samples(tmp_path / "r1", 0, 0, 5500, 1500)
    set_samples(tmp_path / "r1", 0, 10, 4990, 0)
    set_samples(tmp_path / "r2", 5, 100, 150, -32768)
    data, reasons = signals_convert.convert(RecordFiles(str(tmp_path), names), LIMITS)
    assert reasons == [""] * 5
    for name, got in zip(names, np.frombuffer(data, "<i2").reshape(-1, 12, 1000), strict=True):
        expected = model_view(read(tmp_path / name).crop(0, 10)) * 1000
        assert np.abs(got - np.rint(expected)).max() <= 1, name


@pytest.fixture
def zipped(tmp_path: Path) -> tuple[Path, list[str]]:
    """Five records below a folder in a zip, the last one stored; and their paths."""
    paths = [f"files/p{i}/{i}" for i in range(5)]
    file = tmp_path / "ecg.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as content:
        for i, path in enumerate(paths):
            record = write_record((tmp_path / path).parent, str(i), seed=i)
            for suffix in (".hea", ".dat"):
                how = zipfile.ZIP_STORED if i == 4 else zipfile.ZIP_DEFLATED
                content.write(record.with_suffix(suffix), f"top-1.0/{path}{suffix}", how)
        content.writestr("../../evil.txt", "x")
    return file, paths


def test_a_zip_gives_what_its_files_give(zipped: tuple[Path, list[str]], tmp_path: Path) -> None:
    file, paths = zipped
    wanted = [*paths, paths[0], "files/p9/9"]
    records = zip_archive.zipped_records(file, "top-1.0/", wanted)
    data, reasons = signals_convert.convert(records, LIMITS)
    assert (data, reasons) == signals_convert.convert(RecordFiles(str(tmp_path), wanted), LIMITS)
    assert reasons == [""] * 6 + ["no header file"]


def test_a_zip_larger_than_4_gb(tmp_path: Path) -> None:
    file = tmp_path / "large.zip"
    record = write_record(tmp_path / "files", "a")
    with file.open("wb") as hole:
        hole.truncate(5 * 2**30)  # sparse: takes no room, but the entries lie beyond 32 bits
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as content:
        for suffix in (".hea", ".dat"):
            content.write(record.with_suffix(suffix), f"files/a{suffix}")
    records = zip_archive.zipped_records(file, "", ["files/a"])
    assert records.places[0, 0, 0] >= 5 * 2**30
    assert records.read(0) == RecordFiles(str(tmp_path), ["files/a"]).read(0)


def test_damage_in_a_zip_is_counted(zipped: tuple[Path, list[str]]) -> None:
    file, paths = zipped
    records = zip_archive.zipped_records(file, "top-1.0/", paths)
    content = bytearray(file.read_bytes())
    for i, where in ((1, 500), (4, 300)):  # deflated and stored
        content[int(records.places[i, 1, 0]) + where] ^= 0xFF
    # An entry that unpacks to more than it says.
    central = content.find(b"PK\1\2", int(records.places[-1, 1, 0]))
    at = content.find(b"top-1.0/files/p2/2.dat", central) - 46
    struct.pack_into("<L", content, at + 24, 1000)
    file.write_bytes(content)
    _, reasons = signals_convert.convert(zip_archive.zipped_records(file, "top-1.0/", paths), LIMITS)
    assert reasons == ["", "damaged in the zip", "damaged in the zip", "", "damaged in the zip"]
    file.write_bytes(content[:-40])
    with pytest.raises(ValueError, match="not a complete zip"):
        zip_archive.zipped_records(file, "top-1.0/", paths)


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
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3]), "OPENBLAS_NUM_THREADS": "1"}
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
