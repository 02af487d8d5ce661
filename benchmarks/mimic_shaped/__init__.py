"""A data set of MIMIC's layout and size to time things on: random tables, waveforms cut from open recordings.

    python -m benchmarks.mimic_shaped DIR [--scale 0.01]

At scale 1: 200,000 ECGs of which 5,000 have waveform files, about 20 million rows of `labevents`, and the other tables
of MIMIC-IV, MIMIC-IV-ED and MIMIC-IV-ECG in proportion. DIR gets

    unpacked/mimic-iv-ecg   record_list.csv, machine_measurements.csv, files/
    unpacked/mimic-iv/hosp, unpacked/mimic-iv-ed/ed    the tables, .csv.gz
    zipped/                 the ECGs as PhysioNet packs them, and links to the same tables
    data.json               what was made: rows, files, bytes, where the waveforms come from

The same seed gives the same rows. Each part is made once: a run that was stopped goes on with the missing ones.
Layout and size are MIMIC's, the values mean nothing: cohorts for training come from `python -m training simulate`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.mimic_shaped.cohort import FILES, SEED, draw_cohort, times
from benchmarks.mimic_shaped.labevents import write_labevents
from benchmarks.mimic_shaped.tables import ecg_tables, small_tables, write_table
from benchmarks.mimic_shaped.waveforms import ZIP, write_waveforms, write_zip
from ecgkt.datasets.mimic.tables import SIMULATED

NOTE = """# Data for benchmarks

Nobody in this folder exists. The tables are random numbers in MIMIC's layout (`python -m benchmarks.mimic_shaped`); the
waveforms belong to none of these patients: {origin}.
"""


def generate(folder: Path, scale: float = 1.0) -> dict[str, Any]:
    """Make what `folder` lacks of the data set; returns the content of its data.json.

    Raises ValueError when `folder` holds one of another scale or seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark, made, identity = folder / "identity.json", folder / "data.json", {"scale": scale, "seed": SEED}
    if mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) != identity:
        raise ValueError(f"{folder} holds data of another scale or seed; choose another folder.")
    mark.write_text(json.dumps(identity), encoding="utf-8")
    if made.is_file():
        return json.loads(made.read_text(encoding="utf-8"))
    tree, packed = folder / "unpacked", folder / "zipped"
    patients, stays, ecgs = draw_cohort(scale)
    listed = ecg_tables(stays, ecgs)
    for name, columns in small_tables(patients, stays).items():
        _once(tree / f"{name}.csv.gz", partial(write_table, table=name, columns=columns))
    for name, columns in listed.items():
        _once(tree / f"{name}.csv", partial(write_table, table=name, columns=columns))
    labevents = tree / "mimic-iv" / "hosp" / "labevents.csv.gz"
    counted = folder / "lab_rows.json"
    _once(labevents, lambda file: counted.write_text(json.dumps(write_labevents(file, stays))))
    files = round(FILES * scale)
    record_list = listed["mimic-iv-ecg/record_list"]
    moments = times(ecgs["time"][:files]).tolist()
    records = list(zip(record_list["subject_id"].tolist(), record_list["study_id"].tolist(), moments, strict=False))
    origin = write_waveforms(tree / "mimic-iv-ecg", records, folder / "simulated")
    packed.mkdir(exist_ok=True)
    _once(packed / ZIP, lambda file: write_zip(file, tree / "mimic-iv-ecg"))
    for name in ("mimic-iv", "mimic-iv-ed"):
        if not (packed / name).exists():
            (packed / name).symlink_to(tree.resolve() / name)
    for place in (tree, packed):
        (place / SIMULATED).write_text(NOTE.format(origin=origin), encoding="utf-8")
    data = {
        **identity,
        "patients": len(patients["subject_id"]),
        "stays": len(stays["stay_id"]),
        "ecgs": len(ecgs["time"]),
        "files": files,
        "lab_rows": json.loads(counted.read_text()),
        "labevents_bytes": labevents.stat().st_size,
        "zip_bytes": (packed / ZIP).stat().st_size,
        "waveforms": origin,
    }
    made.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return data


def _once(target: Path, make: Callable[[Path], object]) -> None:
    """Make a file under a temporary name, so that what stands under its own is whole."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        building = target.with_name(target.name + ".tmp")
        make(building)
        building.replace(target)
