"""PTB-XL in its own layout -> a prepared cohort: SCP-ECG statements as findings, age and sex as inputs, labs unknown.

    python -m training prepare ptbxl DIR --out DIR

A cardiologist read each tracing, so a statement that is not given is absent (0), and a given one is present (1)
whatever its likelihood: rhythm and form statements carry likelihood 0.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgkt import vocabulary
from ecgkt.datasets.ptbxl import DATABASE, Recording, recordings
from training.cohort.config import load_config, recorded
from training.cohort.data_card import Step, write_card
from training.cohort.labels.findings import described, with_superclasses
from training.cohort.prepared import CLINICAL_COLUMNS, Prepared, write_prepared
from training.cohort.provenance import NOTHING, Stated, license_of, note_of
from training.cohort.signals.convert import Limits, RecordFiles, convert_all

COLUMNS = ("ecg_id", "patient_id", "age", "sex", "height", "weight", "recording_date", "scp_codes", "strat_fold")

NOTE = "Statements by up to two cardiologists."


def _database(source: Path) -> pd.DataFrame:
    """A line a recording by number, columns as `ecgkt.datasets.ptbxl.Recording`."""
    file = source / DATABASE
    if not file.is_file():
        raise FileNotFoundError(f"There is no {DATABASE} in the source.")
    rows = [vars(recording) for recording in recordings(file, COLUMNS)]
    if any(row["statements"] is None for row in rows):
        raise ValueError("A cell of scp_codes holds no dictionary.")
    table = pd.DataFrame(rows, columns=[field.name for field in fields(Recording)])
    numbers = {column: "float64" for column in ("age", "height", "weight", "fold")}
    table = table.astype({"ecg_id": "int64", **numbers})
    return table.sort_values("ecg_id").reset_index(drop=True)


def _splits(fold: pd.Series, settings: dict[str, Any]) -> pd.Series:
    test = settings["test"] if fold.isin(settings["test"]).any() else settings["test_otherwise"]
    split = pd.Series("train", index=fold.index, dtype="object")
    return split.mask(fold.isin(test), "test").mask(fold.isin(settings["validation"]), "validation")


def _findings(statements: pd.Series, least: int) -> tuple[pd.DataFrame, Counter[str]]:
    """0/1 columns of the statements with `least` ECGs and of the superclasses; codes outside the vocabulary."""
    given = [set(codes) for codes in statements]
    unknown = Counter(code for codes in given for code in codes if code not in vocabulary.findings())
    table = pd.DataFrame(
        {
            code: np.array([code in codes for codes in given], dtype=np.float32)
            for code, finding in vocabulary.findings().items()
            if finding.kind != "superclass"
        },
        index=statements.index,
    )
    table = with_superclasses(table)
    return table[[code for code in table if (table[code] == 1).sum() >= least]], unknown


def prepare_ptbxl(source: Path, out: Path, config: Path | None = None, stated: Stated = NOTHING) -> Prepared:
    """Prepare PTB-XL, or what lies in its layout, at `source` into `out`; `config` is a YAML merged over
    training/configs/cohort.yaml. stated: what the user says of the data.

    The 100 Hz records are taken, the 500 Hz ones where a row names no other. Raises FileNotFoundError and ValueError
    for a missing file or column.
    """
    source, out, settings = Path(source), Path(out), load_config(config)
    out.mkdir(parents=True, exist_ok=True)
    database = _database(source)
    steps = [Step("listed", len(database), database.loc[database["patient"] != "", "patient"].nunique(), {})]
    path = database["low"].where(database["low"] != "", database["high"])
    excluded = Counter[str]()
    usable = (path != "") & (database["patient"] != "")
    if not usable.all():
        excluded["no patient or file name"] = int((~usable).sum())
    database, path = database[usable], path[usable]
    steps.append(Step("with patient and file name", len(database), database["patient"].nunique(), dict(excluded)))
    if path.str.contains(r"(?:^|/)\.\.(?:/|$)|^/").any():
        raise ValueError(f"{DATABASE} names a path outside its own folder.")
    records = RecordFiles(str(source), list(path))
    converted = convert_all(records, out, Limits.of(settings), settings["signals"]["workers"])
    reasons: np.ndarray = np.array(converted, dtype=object)
    unusable = Counter(reason for reason in reasons if reason)
    excluded.update(unusable)
    database, path = database[reasons == ""].reset_index(drop=True), path[reasons == ""].reset_index(drop=True)
    steps.append(Step("usable", len(database), database["patient"].nunique(), unusable))
    if database.empty:
        raise ValueError(f"No usable ECG: {dict(excluded)}.")

    age = database["age"].astype("float32")
    split = _splits(database["fold"], settings["ptbxl"])
    if (split.groupby(database["patient"]).nunique() > 1).any():
        raise ValueError(f"A patient of {DATABASE} is in two splits.")
    ecgs = pd.DataFrame(
        {
            "ecg_id": database["ecg_id"].astype(str),
            "patient": "ptbxl:" + database["patient"],
            "stay": None,
            "source": "ptbxl",
            "split": split,
            "age": age,
            "sex": database["sex"],
            "path": path,
        }
    )
    clinical = pd.DataFrame(np.nan, index=database.index, columns=CLINICAL_COLUMNS, dtype="float32")
    clinical["biometric:age"] = age
    clinical["biometric:sex"] = database["sex"].map({"male": 1.0, "female": 0.0}).astype("float32")
    for column in ("height", "weight"):
        low, high = settings["plausible"][column]
        clinical[f"biometric:{column}"] = database[column].astype("float32").where(database[column].between(low, high))
    findings, unknown = _findings(database["statements"], settings["ptbxl"]["min_positives_total"])
    reduced = bool(database["time"].isna().all())
    info: dict[str, Any] = {
        "name": out.name,
        "source": "ptbxl",
        "simulated": False,
        "labels": {
            "findings": [described(str(code)) for code in findings],
            "diagnoses": [],
            "labs": [],
        },
        "excluded": {reason: n for reason, n in sorted(excluded.items()) if n},
        "config": recorded(settings),
        "license": license_of(stated, False, [source]),
        "note": note_of(stated, False, settings["ptbxl"]["reduced_copy_note"] if reduced else NOTE),
    }
    none = pd.DataFrame(index=database.index)
    tables = {"ecgs": ecgs, "clinical": clinical, "findings": findings, "diagnoses": none, "labs": none}
    prepared = write_prepared(out, info, tables)
    outside = ", ".join(f"{code} ({n})" for code, n in sorted(unknown.items()))
    write_card(prepared, steps, [f"Statements outside the vocabulary: {outside}."] if outside else [])
    return prepared
