"""WFDB records -> signals.i16, in one resumable pass.

wfdb reads any record but takes 3 ms for one; format 16, which MIMIC-IV-ECG and PTB-XL use throughout, is a header line
a lead and an array of int16, and takes 0.07 ms (the tests hold it against wfdb).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ecgkt.ecg import ECG, ECGError
from ecgkt.model_input import MODEL_SAMPLES, MODEL_SECONDS, model_view
from training.cohort.prepared import ECG_BYTES, SHAPE

CHUNK = 128  # records between two notes of progress
MISSING = -32768  # WFDB's mark of a missing sample in format 16
_UNITS = {"mv": 1.0, "uv": 1e-3, "v": 1e3}
_GAIN = re.compile(r"^([-+\d.eE]+)(?:\(([-+\d]+)\))?(?:/(\S+))?$")


def read_format16(record: Path) -> ECG:
    """A WFDB record of format 16 (path without extension) -> ECG in mV, leads by name, NaN where samples are missing.

    Raises ECGError with a reason fit for counting: it never names the record.
    """
    try:
        lines = [
            line for line in record.with_suffix(".hea").read_text("latin-1").splitlines() if line and line[0] != "#"
        ]
    except OSError:
        raise ECGError("no header file") from None
    try:
        _, count, rate, samples = lines[0].split()[:4]
        leads, length, hertz = int(count), int(samples), float(rate.split("/")[0].split("(")[0])
        fields = [line.split(maxsplit=8) for line in lines[1 : leads + 1]]
        names = [f[8].strip() for f in fields]
        gains, baselines = np.empty(leads, np.float32), np.empty(leads, np.float32)
        for i, f in enumerate(fields):
            matched = _GAIN.match(f[2])
            gain, baseline, unit = matched.groups() if matched else ("", "", "")
            scale = _UNITS[(unit or "mV").lower()]
            # WFDB: a gain of 0 means that none was stated, and 200 per mV is then assumed.
            gains[i] = (float(gain) or 200.0) / scale
            baselines[i] = float(baseline) if baseline else float(f[4])
    except (ValueError, IndexError, KeyError):
        raise ECGError("unreadable header") from None
    if len({f[0] for f in fields}) != 1 or any(f[1] != "16" for f in fields):
        raise ECGError("not WFDB format 16")
    if Path(fields[0][0]).name != fields[0][0]:
        raise ECGError("unreadable header")
    try:
        raw = np.fromfile(record.parent / fields[0][0], dtype="<i2", count=leads * length)
    except OSError:
        raise ECGError("no signal file") from None
    if raw.size != leads * length or length < 2:
        raise ECGError("truncated signal file")
    raw = raw.reshape(length, leads).T
    signal = (raw.astype(np.float32) - baselines[:, None]) / gains[:, None]
    signal[raw == MISSING] = np.nan
    try:
        return ECG.from_leads(names, signal, hertz)
    except ECGError:
        raise ECGError("leads missing or twice") from None


def longest_gap(signal: npt.NDArray[np.floating]) -> int:
    """Length (samples) of the longest stretch without a sample in any lead."""
    missing = np.pad(~np.isfinite(signal), ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(missing.ravel())
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return int((ends - starts).max(initial=0))


def convert(record: Path, max_gap: float) -> npt.NDArray[np.int16]:
    """A record -> int16 [12, 1000] uV as the model sees it. max_gap: seconds. Raises ECGError with a reason."""
    ecg = read_format16(record).crop(0, MODEL_SECONDS)
    if ecg.seconds < MODEL_SECONDS:
        raise ECGError("shorter than 10 s")
    if longest_gap(ecg.signal) > max_gap * ecg.rate:
        raise ECGError(f"more than {max_gap:g} s of samples missing")
    if (np.nanmax(ecg.signal, axis=1) == np.nanmin(ecg.signal, axis=1)).any():
        raise ECGError("a lead without signal")
    view = model_view(ecg)[:, :MODEL_SAMPLES] * 1000
    if np.abs(view).max() > np.iinfo(np.int16).max:
        raise ECGError("amplitude beyond 32 mV")
    return np.rint(view).astype("<i2")


def _convert_chunk(task: tuple[list[str], float]) -> tuple[bytes, list[str]]:
    """The bytes of the usable ECGs of a chunk, and per record "" or the reason why it is left out."""
    records, max_gap = task
    good, reasons = [], []
    for record in records:
        try:
            good.append(convert(Path(record), max_gap).tobytes())
            reasons.append("")
        except ECGError as error:
            reasons.append(str(error))
    return b"".join(good), reasons


def _stamp(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError:
        return (-1, -1)
    return (stat.st_size, stat.st_mtime_ns)


def convert_all(records: Sequence[Path], out: Path, max_gap: float, workers: int) -> list[str]:
    """Write OUT/signals.i16 with every usable record in order; per record "" or the reason why it was left out.

    Progress is kept in OUT/signals.progress: killed at any moment and started again with the same, unchanged records,
    it goes on after the last chunk that was noted, and the bytes are those of an uninterrupted run.
    """
    paths = [str(record) for record in records]
    stamps = [_stamp(record.with_suffix(".dat")) for record in records]
    key = hashlib.sha256(json.dumps([paths, stamps, max_gap, CHUNK, SHAPE]).encode()).hexdigest()
    noted, progress = out / "signals.i16", out / "signals.progress"
    reasons: list[str] = []
    lines = progress.read_text().splitlines(keepends=True) if progress.is_file() else []
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    if whole and whole[0] == key and noted.is_file():
        for entry in whole[1:]:
            reasons += entry
        if noted.stat().st_size < reasons.count("") * ECG_BYTES:
            reasons = []
    if not reasons:
        progress.write_text(json.dumps(key) + "\n")
        noted.write_bytes(b"")
    elif not lines[-1].endswith("\n"):
        progress.write_text("".join(lines[:-1]))
    with noted.open("r+b") as signals, progress.open("a") as notes:
        signals.truncate(reasons.count("") * ECG_BYTES)
        signals.seek(0, 2)
        tasks = [(paths[i : i + CHUNK], max_gap) for i in range(len(reasons), len(paths), CHUNK)]
        with tqdm(total=len(paths), initial=len(reasons), unit="ECG", desc="signals") as bar:
            pool = get_context("spawn").Pool(workers) if workers > 1 and len(tasks) > 8 else None
            try:
                for data, why in (pool.imap if pool else map)(_convert_chunk, tasks):
                    signals.write(data)
                    signals.flush()
                    # Noted after the bytes are out, so a note never promises bytes that are not there.
                    notes.write(json.dumps(why) + "\n")
                    notes.flush()
                    reasons += why
                    bar.update(len(why))
            finally:
                if pool:
                    pool.terminate()
    return reasons
