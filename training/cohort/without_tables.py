"""The last steps of a cohort of ECGs with statements and no hospital around them: no labs, no vitals, no diagnoses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.cohort.assembled import excluded
from training.cohort.config import Config, recorded
from training.cohort.data_card import Step, write_card
from training.cohort.labels.findings import described
from training.cohort.prepared import CLINICAL_COLUMNS, Amplitudes, Prepared, write_prepared
from training.cohort.signals.convert import Limits, Records, convert_all


@dataclass(frozen=True)
class About:
    """What prepared.json says of such a set; see training/cohort/prepared.py."""

    source: str
    amplitudes: Amplitudes
    license: str
    note: str


class Selection:
    """ECGs step by step, with what each step left out."""

    def __init__(self, ecgs: pd.DataFrame) -> None:
        """ecgs: a line an ECG; `patient` "" where it is unknown."""
        self.ecgs = ecgs
        named = ecgs.loc[ecgs["patient"] != "", "patient"]
        self.steps = [Step("listed", len(ecgs), named.nunique(), {})]

    def keep(self, what: str, reasons: Sequence[str] | pd.Series) -> None:
        """Keep the ECGs whose reason for leaving them out is ""; ValueError where none is left."""
        why = pd.Series(list(reasons), index=self.ecgs.index, dtype="object")
        counts = why[why != ""].value_counts().to_dict()
        self.ecgs = self.ecgs[why == ""].reset_index(drop=True)
        left_out = {str(reason): int(count) for reason, count in counts.items()}
        self.steps.append(Step(what, len(self.ecgs), self.ecgs["patient"].nunique(), left_out))
        if self.ecgs.empty:
            raise ValueError(f"No usable ECG: {excluded(self.steps)}.")

    def keep_usable(self, records: Records, out: Path, settings: Config) -> None:
        """Convert the tracings, which are in the order of the ECGs, and keep those that could be."""
        self.keep("usable", convert_all(records, out, Limits.of(settings), settings["signals"]["workers"]))


def splits_by_hash(patients: pd.Series, settings: Config) -> pd.Series:
    """Of sets without published folds: by sha256(salt + patient), with the shares of `without_folds`."""
    shares = settings["without_folds"]
    drawn = [
        int(hashlib.sha256(f"{settings['splits']['salt']}{patient}".encode()).hexdigest(), 16) for patient in patients
    ]
    place = np.array([number / 2**256 for number in drawn])
    test, validation = place < shares["test"], place < shares["test"] + shares["validation"]
    return pd.Series(np.select([test, validation], ["test", "validation"], "train"), index=patients.index)


def write_without_tables(
    out: Path, selected: Selection, findings: pd.DataFrame, about: About, remarks: Sequence[str], settings: Config
) -> Prepared:
    """Write the prepared cohort into `out`, where its signals are.

    selected.ecgs: ecg_id, patient, split, age (years), sex ("male", "female"), path, and height (cm) and weight (kg)
    where they are known. findings: all that is known, superclasses included; those with too few positives are no
    labels of this set's own, but stay in its table: another set may have enough.
    """
    ecgs = selected.ecgs
    clinical = pd.DataFrame(np.nan, index=ecgs.index, columns=CLINICAL_COLUMNS, dtype="float32")
    clinical["biometric:age"] = ecgs["age"].astype("float32")
    clinical["biometric:sex"] = ecgs["sex"].map({"male": 1.0, "female": 0.0}).astype("float32")
    for column in ("height", "weight"):
        if column in ecgs:
            low, high = settings["plausible"][column]
            clinical[f"biometric:{column}"] = ecgs[column].astype("float32").where(ecgs[column].between(low, high))
    least = settings["min_positives_total"]
    listed = [str(code) for code in findings if (findings[code] == 1).sum() >= least]
    info: dict[str, Any] = {
        "name": out.name,
        "source": about.source,
        "simulated": False,
        "amplitudes": about.amplitudes,
        "labels": {"findings": [described(code) for code in listed], "diagnoses": [], "labs": []},
        "excluded": excluded(selected.steps),
        "config": recorded(settings),
        "license": about.license,
        "note": about.note,
    }
    frame = ecgs[["ecg_id", "patient", "split", "age", "sex", "path"]].assign(stay=None, source=about.source)
    none = pd.DataFrame(index=ecgs.index)
    tables = {"ecgs": frame, "clinical": clinical, "findings": findings, "diagnoses": none, "labs": none}
    prepared = write_prepared(out, info, tables)
    write_card(prepared, selected.steps, remarks)
    return prepared
