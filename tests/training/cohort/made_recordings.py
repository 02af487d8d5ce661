"""Made-up recordings in the layouts of PTB-XL, LUDB and the PhysioNet/CinC Challenge."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import savemat

from ecgkt.ecg import LEADS
from tests.training.cohort.signals.written_records import write_record
from training.cohort.ludb import COLUMNS


def write_ptbxl(folder: Path, rows: list[tuple[int, int, int, str]], recorded: str = "1990-01-01") -> Path:
    """rows: (number, patient, fold, statements). recorded: "" as in the copy whose amplitudes are modeled."""
    table = []
    for number, patient, fold, statements in rows:
        name = write_record(folder / "records100", f"{number:05d}_lr", seed=number).name
        codes = str(dict.fromkeys(statements.split(), 100.0))
        table.append(
            {
                "ecg_id": number, "patient_id": patient, "age": 60, "sex": 1, "height": None, "weight": None,
                "recording_date": recorded, "scp_codes": codes, "strat_fold": fold, "filename_lr": f"records100/{name}",
            }
        )  # fmt: skip
    pd.DataFrame(table).to_csv(folder / "ptbxl_database.csv", index=False)
    return folder


def write_challenge(folder: Path, records: dict[str, str], gain: str = "1000/mV") -> Path:
    """records: name -> SNOMED CT codes, as a header states them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, codes) in enumerate(records.items()):
        leads = _millivolts(number) * 1000
        savemat(folder / f"{name}.mat", {"val": leads.astype(np.int16)}, format="4")
        lines = [f"{name} 12 500 5000", *(f"{name}.mat 16+24 {gain} 16 0 0 0 0 {lead}" for lead in LEADS)]
        lines += ["#Age: 61", "#Sex: Female", f"#Dx: {codes}", "#Rx: Unknown"]
        (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    return folder


def write_ludb(folder: Path, rows: list[dict[str, str]]) -> Path:
    """rows: of ludb.csv, without what is empty; samples are microvolts, whatever gain the headers state."""
    (folder / "data").mkdir(parents=True)
    for number, row in enumerate(rows):
        name, samples = row["ID"].strip(), (_millivolts(number) * 1000).astype("<i2")
        samples.T.tofile(folder / "data" / f"{name}.dat")
        leads = (f"{name}.dat 16 {700 + 90 * i}(3)/mV 16 0 0 0 0 {lead.lower()}" for i, lead in enumerate(LEADS))
        (folder / "data" / f"{name}.hea").write_text("\n".join([f"{name} 12 500 5000", *leads]) + "\n")
    with (folder / "ludb.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["ID", "Sex", "Age", "Electric axis of the heart", *COLUMNS], restval="")
        table.writeheader()
        table.writerows(rows)
    return folder


def _millivolts(seed: int) -> np.ndarray:
    """[12, 5000]: two leads of waves and noise, the others computed from them or of their own."""
    rng = np.random.default_rng(seed)
    time = np.arange(5000) / 500
    leads = np.sin(2 * np.pi * np.arange(1, 13)[:, None] * time) + rng.normal(0, 0.05, (12, 5000))
    return leads * (0.5 + np.arange(12)[:, None] / 12)
