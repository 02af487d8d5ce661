"""WFDB records -> signals.i16: held against wfdb, and against being killed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.model_input import model_view
from training.cohort import signals

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


def test_reads_what_wfdb_reads(tmp_path: Path) -> None:
    record = write_record(tmp_path, "a")
    oracle = wfdb.rdrecord(str(record))
    ecg = signals.read_format16(record)
    assert ecg.rate == 500
    for i, lead in enumerate(LEADS):
        np.testing.assert_allclose(ecg.signal[i], oracle.p_signal[:, MIMIC_LEADS.index(lead)], atol=1e-6)


def test_reads_real_records_as_wfdb_does(shared: Path) -> None:
    for header in sorted((shared / "ptbxl" / "records100").rglob("*.hea"))[:5]:
        record = header.with_suffix("")
        oracle = wfdb.rdrecord(str(record))
        names = [name.upper() for name in oracle.sig_name]
        ecg = signals.read_format16(record)
        for i, lead in enumerate(LEADS):
            np.testing.assert_allclose(ecg.signal[i], oracle.p_signal[:, names.index(lead.upper())], atol=1e-6)


def test_baselines_units_and_offsets_in_the_header(tmp_path: Path) -> None:
    raw = np.random.default_rng(1).integers(-500, 500, (1000, 12)).astype("<i2")
    raw.tofile(tmp_path / "b.dat")
    gains = ["1000(20)/mV", "2(-7)/uV", "0", "200"] * 3
    lines = [f"b.dat 16 {gain} 16 5 0 0 0 {lead}" for gain, lead in zip(gains, LEADS, strict=True)]
    (tmp_path / "b.hea").write_text("# comment\nb 12 100/200 1000\n" + "\n".join(lines) + "\n# Age: 3\n")
    signal = signals.read_format16(tmp_path / "b").signal
    np.testing.assert_allclose(signal[0], (raw[:, 0] - 20) / 1000, atol=1e-5)
    np.testing.assert_allclose(signal[1], (raw[:, 1] + 7) / 2000, atol=1e-5)
    np.testing.assert_allclose(signal[2], (raw[:, 2] - 5) / 200, atol=1e-5)
    np.testing.assert_allclose(signal[3], (raw[:, 3] - 5) / 200, atol=1e-5)


def test_the_model_s_view_in_microvolts(tmp_path: Path) -> None:
    record = write_record(tmp_path, "a", seconds=12)
    oracle = wfdb.rdrecord(str(record), sampto=5000)
    order = [MIMIC_LEADS.index(lead) for lead in LEADS]
    view = model_view(ECG(oracle.p_signal.T[order].astype(np.float32), 500))
    converted = signals.convert(record, 0.2)
    assert converted.shape == (12, 1000)
    np.testing.assert_allclose(converted / 1000, view, atol=0.0011)
    # aVL is the sixth lead of the file and the fifth of ours: its sine has 6 Hz.
    assert np.abs(np.fft.rfft(converted[LEADS.index("aVL")])).argmax() == 60


def test_missing_samples_are_counted_not_read_as_microvolts(tmp_path: Path) -> None:
    record = write_record(tmp_path, "a")
    set_samples(record, 3, 1000, 1100, -32768)
    signal = signals.read_format16(record).signal
    assert np.isnan(signal[3, 1000:1100]).all()
    assert np.isfinite(np.delete(signal, 3, axis=0)).all()
    assert np.abs(signals.convert(record, 0.2)).max() < 2000
    set_samples(record, 3, 1000, 1101, -32768)
    with pytest.raises(ECGError, match=r"more than 0\.2 s"):
        signals.convert(record, 0.2)


def test_longest_gap_does_not_join_leads() -> None:
    signal = np.zeros((12, 10))
    signal[0, 7:] = np.nan
    signal[1, :2] = np.nan
    assert signals.longest_gap(signal) == 3
    assert signals.longest_gap(np.zeros((12, 10))) == 0


def test_reasons_to_leave_a_record_out(tmp_path: Path) -> None:
    short = write_record(tmp_path, "short", seconds=9.9)
    lacking = write_record(tmp_path, "lacking", leads=MIMIC_LEADS[:-1])
    flat = write_record(tmp_path, "flat")
    set_samples(flat, 2, 0, 5000, 0)
    cut = write_record(tmp_path, "cut")
    cut.with_suffix(".dat").write_bytes(cut.with_suffix(".dat").read_bytes()[:-2])
    garbled = tmp_path / "garbled"
    garbled.with_suffix(".hea").write_text("garbled 12 500\n")
    escape = write_record(tmp_path, "escape")
    header = escape.with_suffix(".hea")
    header.write_text(header.read_text().replace("escape.dat", "../escape.dat"))
    for record, reason in (
        (short, "shorter than 10 s"),
        (lacking, "leads missing"),
        (flat, "a lead without signal"),
        (cut, "truncated"),
        (garbled, "unreadable header"),
        (escape, "unreadable header"),
        (tmp_path / "absent", "no header file"),
    ):
        with pytest.raises(ECGError, match=reason):
            signals.convert(record, 0.2)


def test_killed_and_started_again_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "CHUNK", 3)
    records = [write_record(tmp_path / "wfdb", f"r{i}", seed=i) for i in range(8)]
    records.insert(4, tmp_path / "wfdb" / "absent")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    reasons = signals.convert_all(records, whole, 0.2, workers=1)
    assert [r != "" for r in reasons] == [i == 4 for i in range(9)]

    real, calls = signals._convert_chunk, []

    def dies_in_the_third(task: tuple[list[str], float]) -> tuple[bytes, list[str]]:
        calls.append(task)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(task)

    monkeypatch.setattr(signals, "_convert_chunk", dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        signals.convert_all(records, broken, 0.2, workers=1)
    # What a kill between the bytes and their note, and in the middle of a note, leaves behind.
    with (broken / "signals.i16").open("ab") as file:
        file.write(b"half a chunk")
    with (broken / "signals.progress").open("a") as file:
        file.write('["", "')
    calls.clear()
    calls.extend([([], 0.0)] * 3)
    assert signals.convert_all(records, broken, 0.2, workers=1) == reasons
    assert len(calls) == 3 + 1, "only the last chunk is converted again"
    assert (broken / "signals.i16").read_bytes() == (whole / "signals.i16").read_bytes()
    assert (broken / "signals.progress").read_bytes() == (whole / "signals.progress").read_bytes()


def test_changed_records_are_not_taken_from_an_old_run(tmp_path: Path) -> None:
    record = write_record(tmp_path / "wfdb", "r")
    signals.convert_all([record], tmp_path, 0.2, workers=1)
    before = (tmp_path / "signals.i16").read_bytes()
    write_record(tmp_path / "wfdb", "r", seed=9)
    signals.convert_all([record], tmp_path, 0.2, workers=1)
    assert (tmp_path / "signals.i16").read_bytes() != before
