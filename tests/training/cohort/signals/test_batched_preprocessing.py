"""Preprocessing of many records at once gives what inference's preprocessing gives for each alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgkt.ecg import ECG
from ecgkt.model.preprocessing import model_view
from ecgkt.readers import read as read_any
from tests.training.cohort.signals.written_records import LIMITS, read, set_samples, write_record
from training.cohort.signals import convert as signals_convert
from training.cohort.signals.batched_preprocessing import model_views
from training.cohort.signals.convert import RecordFiles


@pytest.mark.slow
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
