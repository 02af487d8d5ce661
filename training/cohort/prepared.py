"""A prepared cohort on disk: what training reads, whatever the data came from.

    signals.i16       int16 [ecgs, 12, 1000], C order, microvolts, leads as `ecgkt.LEADS`:
                      `ecgkt.model.preprocessing.model_view` of the first 10 s of each ECG
    ecgs.parquet      ecg_id, patient, stay, source, split, age, sex, path
    clinical.parquet  float32, NaN = not measured: lab:*, vital:*, biometric:*
    findings.parquet, diagnoses.parquet, labs.parquet
                      float32 label columns by code: 1 present, 0 absent, NaN unknown. Findings may hold more columns
                      than are named as labels: what is too rare in this set, for other sets that have more
    prepared.json     counts, names of the labels, settings, fingerprint
    data_card.md      the same for people
    excluded.csv      reason, records: what was left out and why

All tables and the signals have the same row order.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecgkt import vocabulary
from ecgkt.datasets.mimic.tables import VITALS
from ecgkt.ecg import LEADS
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.prediction import HEADS
from training.cohort.signals.convert import ECG_BYTES, SHAPE

ECG_COLUMNS = ["ecg_id", "patient", "stay", "source", "split", "age", "sex", "path"]
BIOMETRICS = ("age", "sex", "bmi", "weight", "height")
CLINICAL_COLUMNS = [
    *(f"lab:{lab}" for lab in vocabulary.labs()),
    *(f"vital:{vital}" for vital in VITALS),
    *(f"biometric:{biometric}" for biometric in BIOMETRICS),
]
TABLES = ("ecgs", "clinical", *HEADS)
Amplitudes = Literal["recorded", "modeled", "simulated"]
RECORDED: Amplitudes = "recorded"
MODELED: Amplitudes = "modeled"  # z-scored by whoever made the copy, and given back a likely size
SIMULATED: Amplitudes = "simulated"


@dataclass(frozen=True)
class Prepared:
    """A prepared cohort. signals: [N, 12, 1000] int16 memory map, uV; every table has N rows in the same order."""

    folder: Path
    info: dict[str, Any]
    signals: np.memmap
    ecgs: pd.DataFrame
    clinical: pd.DataFrame
    findings: pd.DataFrame
    diagnoses: pd.DataFrame
    labs: pd.DataFrame

    def __len__(self) -> int:
        return len(self.ecgs)

    def rows(self, split: str) -> npt.NDArray[np.int64]:
        """The row numbers of a split, ascending."""
        return np.flatnonzero((self.ecgs["split"] == split).to_numpy())


def open_signals(file: Path) -> np.memmap:
    """[N, 12, 1000] int16 read-only. Raises ValueError for a file that does not hold whole ECGs."""
    size = file.stat().st_size
    if size == 0 or size % ECG_BYTES:
        raise ValueError(f"{file.name} does not hold a whole number of ECGs.")
    return np.memmap(file, dtype="<i2", mode="r", shape=(size // ECG_BYTES, *SHAPE))


def load_prepared(folder: Path | str) -> Prepared:
    """Open a prepared cohort. Raises FileNotFoundError if it is not finished, ValueError if its parts disagree."""
    folder = Path(folder)
    if not (folder / "prepared.json").is_file():
        raise FileNotFoundError(f"{folder} holds no finished cohort: prepared.json is missing.")
    info = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    for name in HEADS:  # parquet forgets the length of a table without columns (a set that knows no labs, say)
        if tables[name].columns.empty:
            tables[name] = pd.DataFrame(index=range(len(tables["ecgs"])))
    signals = open_signals(folder / "signals.i16")
    rows = {name: len(table) for name, table in tables.items()} | {"signals": len(signals)}
    if len(set(rows.values())) != 1:
        raise ValueError(f"The parts of the cohort differ in length: {rows}.")
    return Prepared(folder, info, signals, **tables)


def fingerprint(signals: Path, tables: dict[str, pd.DataFrame]) -> str:
    """SHA-256 (hex) of the content, not of the parquet files, whose bytes depend on the library that wrote them."""
    digest = hashlib.sha256()
    with signals.open("rb") as file:
        while block := file.read(1 << 24):
            digest.update(block)
    for name in TABLES:
        table = tables[name]
        digest.update(json.dumps([name, list(table.columns)]).encode())
        for column in table:
            values = table[column]
            if pd.api.types.is_numeric_dtype(values):
                digest.update(np.ascontiguousarray(values.to_numpy(np.float32)).tobytes())
            else:
                digest.update(json.dumps(values.astype(object).where(values.notna(), None).tolist()).encode())
    return digest.hexdigest()


def write_prepared(folder: Path, info: dict[str, Any], tables: dict[str, pd.DataFrame]) -> Prepared:
    """Write the tables and, last of all, prepared.json, beside the signals.i16 that is already there.

    info: name, source, simulated, labels, excluded, config, license, note, and amplitudes where they are neither as
    recorded nor simulated; counts and fingerprint are added here.
    """
    ecgs = tables["ecgs"][ECG_COLUMNS].reset_index(drop=True)
    text = ["ecg_id", "patient", "stay", "source", "split", "sex", "path"]
    ecgs = ecgs.astype(dict.fromkeys(text, "object")).astype({"age": "float32"})
    final = {"ecgs": ecgs, "clinical": tables["clinical"][CLINICAL_COLUMNS]}
    final |= {head: tables[head] for head in HEADS}
    for name in ("clinical", *HEADS):
        final[name] = final[name].reset_index(drop=True).astype("float32")
        if len(final[name]) != len(ecgs):
            raise ValueError(f"{name} has {len(final[name])} rows, there are {len(ecgs)} ECGs.")
    splits = {
        str(split): {"patients": int(part["patient"].nunique()), "ecgs": len(part)}
        for split, part in ecgs.groupby("split", sort=True)
    }
    complete = {
        "name": info["name"],
        "source": info["source"],
        "simulated": info["simulated"],
        "amplitudes": info.get("amplitudes", SIMULATED if info["simulated"] else RECORDED),
        "rate": MODEL_RATE,
        "leads": list(LEADS),
        "unit": "uV",
        "ecgs": len(ecgs),
        "patients": int(ecgs["patient"].nunique()),
        "labels": info["labels"],
        "splits": splits,
        "excluded": info["excluded"],
        "config": info["config"],
        "fingerprint": fingerprint(folder / "signals.i16", final),
        "license": info["license"],
        "note": info["note"],
    }
    (folder / "prepared.json").unlink(missing_ok=True)
    pd.DataFrame(info["excluded"].items(), columns=["reason", "records"]).to_csv(folder / "excluded.csv", index=False)
    for name, table in final.items():
        part = folder / f"{name}.parquet.part"
        table.to_parquet(part, index=False)
        part.replace(folder / f"{name}.parquet")
    part = folder / "prepared.json.part"
    part.write_text(json.dumps(complete, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / "prepared.json")
    return load_prepared(folder)
