"""Records as MIMIC-IV-ECG keeps them, written for a test, and read and converted as preparation does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb

from ecgkt.ecg import ECG, ECGError
from training.cohort.signals import convert as signals_convert
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
