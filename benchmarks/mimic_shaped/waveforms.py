"""Waveform files in MIMIC-IV-ECG's layout, and its zip as PhysioNet packs it."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

import ecgkt
from benchmarks.mimic_shaped.cohort import SEED
from benchmarks.real_data import REAL_DATA
from training.simulation import simulate
from training.simulation.writer import record_path, write_record

RATE, SAMPLES = 500, 5000
FOLDER = "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0"  # PhysioNet's name, also within the zip
ZIP = f"{FOLDER}.zip"
SIMULATED_PATIENTS = 100  # at most, where there are no real recordings
Signal = npt.NDArray[np.float32]


def _open_recordings() -> list[Signal]:
    """[12, >= 5000] mV at 500 Hz of LUDB and of the PhysioNet Challenge; none where they are not on this machine."""
    found = []
    for header in sorted([*REAL_DATA.glob("ludb/data/*.hea"), *REAL_DATA.glob("cinc/*.hea")]):
        try:
            ecg = ecgkt.read(header)
        except ecgkt.ECGError:
            continue
        # A flat lead would be left out by preparation, and then the two sides would not have the same to do.
        whole = np.isfinite(ecg.signal).all() and (np.ptp(ecg.signal[:, :SAMPLES], axis=1) > 0).all()
        if ecg.rate == RATE and ecg.samples >= SAMPLES and whole:
            found.append(ecg.signal)
    return found


def _simulated_recordings(folder: Path, patients: int) -> list[Signal]:
    simulate(patients, SEED, folder)
    return [ecgkt.read(header).signal for header in sorted((folder / "mimic-iv-ecg").rglob("*.hea"))]


def write_waveforms(folder: Path, records: Sequence[tuple[int, int, datetime]], simulated: Path) -> str:
    """Write the file of each record (subject, study, time) below `folder`; returns in words what they were cut from.

    Each is a recording of LUDB or of the Challenge, where there are none a simulated one (kept in `simulated`), times a
    factor of its own, and begins somewhere where the recording is longer than 10 s.
    """
    sources = _open_recordings()
    origin = f"cut from {len(sources)} real recordings of LUDB and the PhysioNet/CinC Challenge, amplitudes varied"
    if not sources:
        sources = _simulated_recordings(simulated, min(SIMULATED_PATIENTS, len(records)))
        origin = f"cut from {len(sources)} simulated recordings, amplitudes varied"
    rng = np.random.default_rng([SEED, 4])
    for subject, study, time in tqdm(records, desc="waveforms", unit="file"):
        source, factor, at = sources[rng.integers(len(sources))], rng.uniform(0.6, 1.5), rng.random()
        start = int(at * (source.shape[1] - SAMPLES + 1))
        # The header is written after the signal.
        if not (folder / record_path(subject, study)).with_suffix(".hea").exists():
            write_record(folder, subject, study, time, factor * source[:, start : start + SAMPLES], RATE)
    return origin


def write_zip(target: Path, folder: Path) -> None:
    """Pack `folder` below PhysioNet's leading folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in tqdm(files, desc="zip", unit="file"):
            packed.write(path, f"{FOLDER}/{path.relative_to(folder)}")
