"""Write ecgkt/serial/repeatability.csv: what two ECGs of an unchanged heart differ by.

    python -m training.calibrate.repeatability data/ptb-xl

Recordings: each patient's consecutive ECGs with one and the same rhythm statement, pacing left out. The SD within a
patient is the root of the mean squared difference over 2 (Bland and Altman 1999); the physician's other statements are
not asked, so what a heart changed by in weeks is in it, and the limit errs toward calling a change none. Beats: first
against second half of every recording that holds no more than 12 s, to the number of beats of the whole (SD over
sqrt 2). Only SDs and counts are written.
"""

from __future__ import annotations

import ast
import csv
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

import ecgkt
from ecgkt.measurements.intervals import DEGREE, Intervals, measure
from ecgkt.quality.usable import assess
from ecgkt.serial.comparison import WAVES, SerialComparison, compare
from ecgkt.serial.repeatability import FILE

RHYTHMS = {"SR", "SBRAD", "STACH", "SARRH", "AFIB", "AFLT", "PACE", "SVTAC", "PSVT", "SVARR", "BIGU", "TRIGU"}
SINUS = {"SR", "SBRAD", "STACH", "SARRH"}
LONGEST = 12.0  # s, of a recording that is halved
DIGITS = {"ms": 1, "/min": 1, "mV": 3, DEGREE: 1, "V lead": 2}

Found = dict[tuple[str, str, str], list[float]]  # (measurement, lead, unit) -> differences


def rhythm(codes: set[str]) -> frozenset[str]:
    """Rhythm as stated, the kinds of sinus rhythm taken together."""
    stated = codes & RHYTHMS
    return frozenset(stated - SINUS | ({"SR"} if stated & SINUS else set()))


def collect(into: Found, found: SerialComparison) -> None:
    """Adds the differences of one pair."""
    for change in found.intervals:
        if change.change is not None:
            into[change.key, "", change.now.unit].append(change.change)
    for lead in found.leads:
        for wave in WAVES:
            was, now = getattr(lead, wave)
            if was is not None and now is not None:
                into[wave, lead.lead, "mV"].append(now - was)


def measured(path: Path) -> tuple[Intervals, tuple[Intervals, Intervals] | None] | None:
    """All of an ECG, and of its halves where it is short; None where it is not usable."""
    ecg = ecgkt.read(path)
    whole = measure(ecg)
    if not assess(ecg, whole.beats).ok:
        return None
    half = ecg.seconds / 2
    if ecg.seconds > LONGEST:
        return whole, None
    return whole, (measure(ecg.crop(0, half)), measure(ecg.crop(half, half)))


def main(folder: Path) -> None:
    rows = pd.read_csv(folder / "ptbxl_database.csv").sort_values("recording_date")
    halves: Found = defaultdict(list)
    recordings: Found = defaultdict(list)
    earlier: dict[float, list[tuple[frozenset[str], Intervals]]] = defaultdict(list)
    for row in tqdm(rows.itertuples(), total=len(rows), mininterval=10):
        found = measured(folder / f"{row.filename_hr}.hea")
        kind = rhythm(set(ast.literal_eval(str(row.scp_codes))))
        if found is None or found[0].pacing or "PACE" in kind:
            continue
        if found[1] is not None:
            collect(halves, compare(*found[1]))
        earlier[float(str(row.patient_id))].append((kind, found[0]))
    for of_patient in earlier.values():
        for (was, one), (now, other) in pairwise(of_patient):
            if was == now:
                collect(recordings, compare(one, other))
    with FILE.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["measurement", "lead", "unit", "recordings_sd", "recordings_pairs", "beats_sd", "beats_ecgs"])
        for (key, lead, unit), changes in recordings.items():
            inside = halves[key, lead, unit]
            sds = within(changes), within(inside) / np.sqrt(2)
            cells = [f"{sd:.{DIGITS[unit]}f}" for sd in sds]
            out.writerow([key, lead, unit, cells[0], len(changes), cells[1], len(inside)])


def within(changes: list[float]) -> float:
    """SD of one measurement, from differences of two."""
    return float(np.sqrt(np.mean(np.square(changes)) / 2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
