"""Files: WFDB records, table rows of a shard, and the shards put together into MIMIC's tables.

A shard is a fixed range of patients. It is written to a temporary folder and renamed when complete, so that what stands
under its final name is whole, and a run that was stopped goes on with the missing shards only.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from training.simulation.layout import FROM_STANDARD, GAIN, LEAD_ORDER, TABLES, TRUTH, VERSION

Rows = dict[str, list[Sequence[object]]]


def record_path(subject: int, study: int) -> str:
    """MIMIC-IV-ECG's path of a record, without suffix."""
    return f"files/p{str(subject)[:4]}/p{subject}/s{study}/{study}"


def write_record(folder: Path, subject: int, study: int, time: datetime, signal: np.ndarray, rate: int) -> str:
    """Write a WFDB record (format 16) from signal [12, samples] in mV, standard lead order; returns its path."""
    path = record_path(subject, study)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    digital = np.clip(np.rint(signal[list(FROM_STANDARD)] * GAIN), -32767, 32767).astype("<i2")
    sums = digital.sum(axis=1, dtype=np.int64)
    lines = [f"{study} {len(LEAD_ORDER)} {rate} {digital.shape[1]} {time:%H:%M:%S} {time:%d/%m/%Y}"]
    for name, row, total in zip(LEAD_ORDER, digital, sums, strict=True):
        checksum = (int(total) + 32768) % 65536 - 32768
        lines.append(f"{study}.dat 16 {GAIN}.0(0)/mV 16 0 {int(row[0])} {checksum} 0 {name}")
    target.with_suffix(".dat").write_bytes(digital.T.tobytes())
    target.with_suffix(".hea").write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def write_shard(folder: Path, rows: Rows) -> None:
    """Write a shard's rows (keys of TABLES, and "truth/" + keys of TRUTH) and give the folder its final name."""
    building = folder.with_name(folder.name + f".{os.getpid()}.tmp")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for table in TABLES:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows.get(table, []))
        (building / f"{table.replace('/', '.')}.csv").write_text(text.getvalue(), encoding="utf-8")
    for table, columns in TRUTH.items():
        frame = pd.DataFrame([tuple(row) for row in rows.get(f"truth/{table}", [])], columns=list(columns))
        frame.to_parquet(building / f"{table}.parquet", index=False)
    os.replace(building, folder)


def merge(out: Path, shards: Iterable[Path], dictionaries: Rows) -> None:
    """Put the shards together, in order; `dictionaries` holds the rows of tables that belong to no patient."""
    shards = list(shards)
    for table, columns in TABLES.items():
        suffix = ".csv" if table.startswith("mimic-iv-ecg/") else ".csv.gz"
        target = out / f"{table}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, *dictionaries.get(table, [])])
        temporary = target.with_name(target.name + ".tmp")
        with open(temporary, "wb") as raw:
            # No name and no time in the gzip header: the same cohort has the same bytes.
            packed = gzip.GzipFile("", "wb", 4, raw, mtime=0) if suffix.endswith(".gz") else raw
            packed.write(text.getvalue().encode())
            for shard in shards:
                packed.write((shard / f"{table.replace('/', '.')}.csv").read_bytes())
            if packed is not raw:
                packed.close()
        os.replace(temporary, target)
    (out / "truth").mkdir(exist_ok=True)
    for table in TRUTH:
        frames = [pd.read_parquet(shard / f"{table}.parquet") for shard in shards]
        full = pd.concat([f for f in frames if len(f)] or frames, ignore_index=True)
        full.to_parquet(out / "truth" / f"{table}.parquet", index=False)


def write_note(out: Path, patients: int, seed: int) -> None:
    """SIMULATED.md: says to everybody who opens the folder that nobody in it exists."""
    (out / "SIMULATED.md").write_text(
        "# Simulated cohort\n\n"
        "Nobody in this folder exists. Every patient, tracing, laboratory value and diagnosis was simulated by\n"
        "`python -m training simulate`; the file layout is MIMIC-IV's so that the same code reads both.\n"
        "It shows what a method can learn from a known truth, and says nothing about real patients.\n\n"
        f"- version {VERSION}\n- seed {seed}\n- patients {patients}\n"
        "- `truth/` holds what only a simulator knows: state, all lab values, findings, intervals, waves, effects\n"
        "- effect sizes and their sources: `ecgkt/simulation/effects.csv`, `expression.csv`\n",
        encoding="utf-8",
    )
