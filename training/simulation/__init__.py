"""A simulated cohort in MIMIC's file layout: patients with a latent clinical state, labs, vitals, diagnoses and ECGs.

    python -m training simulate --patients 2000 --seed 1 --out DIR

Everything in it is simulated. What the patients are made of, and what labs and conditions do to the ECG:
`ecgkt.simulation`.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ecgkt.processors import end_with_parent, processors
from ecgkt.simulation import tables
from ecgkt.simulation.diagnoses import titles
from training.simulation.cohort import simulate_patient
from training.simulation.layout import VERSION
from training.simulation.writer import Rows, merge, write_note, write_shard

SHARD = 100  # patients; part of the layout of a run that was stopped, not of the result

__all__ = ["VERSION", "simulate"]


def simulate(patients: int, seed: int, out: Path, workers: int | None = None) -> None:
    """Write a simulated cohort of `patients` under `out`: mimic-iv-ecg/, mimic-iv/, mimic-iv-ed/, truth/, SIMULATED.md.

    workers: processes, by default one for each processor. The same seed gives the same bytes, however many there are
    and however often the run was stopped: each patient has its own random numbers. Finished shards are kept in
    `out`/.shards and are not made again.
    Raises ValueError for less than one patient, for more than MIMIC's numbers have room for, for a negative seed, or
    when `out` already holds a cohort of another seed or version.
    """
    if not 1 <= patients <= 999_999:
        raise ValueError(f"The number of patients must be from 1 to 999999, not {patients}.")
    if seed < 0:
        raise ValueError("A seed is a whole number from 0.")
    out = Path(out)
    shards = out / ".shards"
    shards.mkdir(parents=True, exist_ok=True)
    identity = {"seed": seed, "version": VERSION}
    mark = shards / "cohort.json"
    if mark.exists() and json.loads(mark.read_text()) != identity:
        raise ValueError(f"{out} holds a simulated cohort of another seed or version; choose an empty folder.")
    mark.write_text(json.dumps(identity))
    workers = workers or processors()
    ranges = [(first, min(first + SHARD, patients)) for first in range(0, patients, SHARD)]
    folders = [shards / f"{first:06d}-{last:06d}" for first, last in ranges]
    missing = [r for r, folder in zip(ranges, folders, strict=True) if not folder.is_dir()]
    work = partial(_shard, seed, out)
    with tqdm(total=patients, initial=patients - sum(b - a for a, b in missing), unit=" patients") as bar:
        if workers <= 1 or len(missing) <= 1:
            for done in map(work, missing):
                bar.update(done)
        else:
            # A worker's own threads for 8 x 12 matrices would only stand in the other workers' way.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            os.environ.setdefault("OMP_NUM_THREADS", "1")
            with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), end_with_parent) as pool:
                for done in pool.map(work, missing):
                    bar.update(done)
    dictionaries: Rows = {
        "mimic-iv/hosp/d_labitems": [(lab.itemid, lab.label, lab.fluid, lab.category) for lab in tables.labs()],
        "mimic-iv/hosp/d_icd_diagnoses": [(code, version, name) for (code, version), name in sorted(titles().items())],
    }
    merge(out, folders, dictionaries)
    write_note(out, patients, seed)


def _shard(seed: int, out: Path, patients: tuple[int, int]) -> int:
    rows: Rows = defaultdict(list)
    for index in range(*patients):
        simulate_patient(seed, index, out / "mimic-iv-ecg", rows)
    write_shard(out / ".shards" / f"{patients[0]:06d}-{patients[1]:06d}", rows)
    return patients[1] - patients[0]
