"""Who comes when: patients, their stays, and the ECGs of those."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SEED = 1
ECGS, FILES, LAB_ROWS = 200_000, 5_000, 20_000_000  # at scale 1
ECGS_A_PATIENT = 5  # MIMIC-IV-ECG: 800,000 records of 160,000 patients
STAYS_AN_ECG = 0.87  # the other ECGs are repeats within a stay
ADMITTED = 0.55
DAY, MINUTE = 86_400, 60  # seconds
Columns = dict[str, npt.NDArray[Any]]


def times(seconds: npt.NDArray[np.floating] | npt.NDArray[np.integer]) -> npt.NDArray[np.datetime64]:
    """Seconds since 1970 -> times at whole minutes, as MIMIC's charttime and ecg_time are."""
    return (seconds // MINUTE * MINUTE).astype(np.int64).astype("datetime64[s]")


def draw_cohort(scale: float) -> tuple[Columns, Columns, Columns]:
    """Patients, stays (by patient and time; times in seconds since 1970) and ECGs, one array a column."""
    rng = np.random.default_rng([SEED, 0])
    ecgs = round(ECGS * scale)
    n, m = max(ecgs // ECGS_A_PATIENT, 1), round(ecgs * STAYS_AN_ECG)
    year = rng.integers(2110, 2190, n)
    patients: Columns = {
        "subject_id": 10_000_000 + np.arange(n),
        "gender": rng.choice(["F", "M"], n),
        "anchor_age": rng.integers(18, 92, n),
        "anchor_year": year,
    }
    often = rng.gamma(0.8, size=n)  # few patients have most of the stays
    owner = rng.choice(n, m, p=often / often.sum())
    start = (year[owner] - 1970) * 365.25 * DAY + rng.uniform(0, 8 * 365, m) * DAY
    order = np.lexsort((start, owner))
    owner, start = owner[order], start[order]
    leave = start + rng.uniform(150, 700, m) * MINUTE
    admitted = rng.random(m) < ADMITTED
    stays: Columns = {
        "patient": owner,
        "subject_id": patients["subject_id"][owner],
        "stay_id": 30_000_000 + np.arange(m),
        "hadm_id": np.where(admitted, 20_000_000 + np.arange(m), -1),
        "start": start,
        "leave": leave,
        "home": np.where(admitted, leave + (0.3 + rng.gamma(2.0, 2.0, m)) * DAY, leave),
    }
    stays["ecg_time"] = start + rng.uniform(2, 55, m) * MINUTE
    repeat = rng.integers(0, m, ecgs - m)
    stay = np.concatenate([np.arange(m), repeat])
    later = stays["ecg_time"][repeat] + rng.uniform(60, 600, len(repeat)) * MINUTE
    time = np.concatenate([stays["ecg_time"], later])
    order = np.argsort(stay, kind="stable")
    return patients, stays, {"stay": stay[order], "time": time[order]}
