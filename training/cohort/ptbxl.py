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
from training.cohort.config import load_config
from training.cohort.labels.findings import with_superclasses
from training.cohort.other_sets import NONE, OtherSets
from training.cohort.prepared import MODELED, RECORDED, Prepared
from training.cohort.provenance import NOTHING, Stated, license_of, note_of
from training.cohort.signals.convert import RecordFiles
from training.cohort.without_tables import About, Selection, write_without_tables

COLUMNS = ("ecg_id", "patient_id", "age", "sex", "height", "weight", "recording_date", "scp_codes", "strat_fold")
SOURCE = "ptbxl"

NOTE = "Statements by up to two cardiologists."


def _database(source: Path) -> pd.DataFrame:
    """A line a recording by number, columns as `ecgkt.datasets.ptbxl.Recording`, and `path`."""
    file = source / DATABASE
    if not file.is_file():
        raise FileNotFoundError(f"There is no {DATABASE} in the source.")
    rows = [vars(recording) for recording in recordings(file, COLUMNS)]
    if any(row["statements"] is None for row in rows):
        raise ValueError("A cell of scp_codes holds no dictionary.")
    table = pd.DataFrame(rows, columns=[field.name for field in fields(Recording)])
    numbers = {column: "float64" for column in ("age", "height", "weight", "fold")}
    table = table.astype({"ecg_id": "int64", **numbers})
    table["path"] = table["low"].where(table["low"] != "", table["high"])
    return table.sort_values("ecg_id").reset_index(drop=True)


def _splits(fold: pd.Series, settings: dict[str, Any]) -> pd.Series:
    test = settings["test"] if fold.isin(settings["test"]).any() else settings["test_otherwise"]
    split = pd.Series("train", index=fold.index, dtype="object")
    return split.mask(fold.isin(test), "test").mask(fold.isin(settings["validation"]), "validation")


def _findings(statements: pd.Series) -> tuple[pd.DataFrame, Counter[str]]:
    """0/1 columns of all statements and of the superclasses; codes outside the vocabulary."""
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
    return with_superclasses(table), unknown


def prepare_ptbxl(
    source: Path, out: Path, config: Path | None = None, stated: Stated = NOTHING, others: OtherSets = NONE
) -> Prepared:
    """Prepare PTB-XL, or what lies in its layout, at `source` into `out`; `config` is a YAML merged over
    training/configs/cohort.yaml. stated: what the user says of the data; others: the run's other sets.

    The 100 Hz records are taken, the 500 Hz ones where a row names no other. Raises FileNotFoundError and ValueError
    for a missing file or column.
    """
    source, out, settings = Path(source), Path(out), load_config(config)
    out.mkdir(parents=True, exist_ok=True)
    selected = Selection(_database(source))
    named = (selected.ecgs["path"] != "") & (selected.ecgs["patient"] != "")
    selected.keep("with patient and file name", named.map({True: "", False: "no patient or file name"}))
    path = selected.ecgs["path"]
    if path.str.contains(r"(?:^|/)\.\.(?:/|$)|^/").any():
        raise ValueError(f"{DATABASE} names a path outside its own folder.")
    selected.keep("in no other set", others.taken(SOURCE, selected.ecgs["ecg_id"]))
    selected.keep_usable(RecordFiles(str(source), list(selected.ecgs["path"])), out, settings)

    ecgs = selected.ecgs
    ecgs["patient"] = f"{SOURCE}:" + ecgs["patient"]
    ecgs["split"] = others.kept_splits(ecgs["patient"], _splits(ecgs["fold"], settings["ptbxl"]))
    if (ecgs.groupby("patient")["split"].nunique() > 1).any():
        raise ValueError(f"A patient of {DATABASE} is in two splits.")
    ecgs["ecg_id"] = ecgs["ecg_id"].astype(str)
    ecgs["age"] = ecgs["age"].astype("float32")
    findings, unknown = _findings(ecgs["statements"])
    reduced = bool(ecgs["time"].isna().all())
    note = note_of(stated, False, settings["ptbxl"]["reduced_copy_note"] if reduced else NOTE)
    about = About(SOURCE, MODELED if reduced else RECORDED, license_of(stated, False, [source]), note)
    outside = ", ".join(f"{code} ({n})" for code, n in sorted(unknown.items()))
    remarks = [f"Statements outside the vocabulary: {outside}."] if outside else []
    return write_without_tables(out, selected, findings, about, remarks, settings)
