"""WFDB headers and samples of format 16, held against wfdb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb

from ecgkt.ecg import LEADS
from tests.training.cohort.signals.written_records import MIMIC_LEADS, read, write_record


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
