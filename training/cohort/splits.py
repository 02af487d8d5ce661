"""Who is trained on, who is tested: by patient, and stable when more data come.

Simple hashing keeps the split of a patient for ever, at the price of exact stratification: with the hundreds of
positives a label needs, shares differ between splits by chance alone. Published folds, which are stratified, can be
given instead (`folds` in the configuration).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from training.cohort.config import Config


def split_of(patient: str, config: Config) -> str:
    """The split of a patient, from sha256(salt + patient) alone."""
    shares = config["splits"]
    digest = hashlib.sha256(f"{shares['salt']}{patient}".encode()).digest()
    place = int.from_bytes(digest[:7], "big") / 2**56
    if place < shares["train"]:
        return "train"
    return "validation" if place < shares["train"] + shares["validation"] else "test"


def splits_from_folds(ecgs: pd.DataFrame, config: Config) -> pd.Series:
    """Splits by a user's CSV of folds: `ecgs` with subject_id and study_id -> split by row, NaN where it has none.

    Raises ValueError when the CSV puts one patient into two splits or lacks a column.
    """
    folds = config["folds"]
    by: dict[str, str] = {}
    with Path(folds["file"]).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for column in (folds["id"], folds["fold"]):
            if column not in (reader.fieldnames or []):
                raise ValueError(f"The file of folds lacks the column {column}.")
        for row in reader:
            fold = int(float(row[folds["fold"]]))
            name = "validation" if fold in folds["validation"] else "test" if fold in folds["test"] else "train"
            by[str(int(float(row[folds["id"]])))] = name
    split: pd.Series = ecgs[folds["id"]].astype(str).map(by)
    several = split.groupby(ecgs["subject_id"]).nunique()
    if (several > 1).any():
        raise ValueError(f"The file of folds puts {int((several > 1).sum())} patients into two splits.")
    return split


def first_of_stay(split: pd.Series, stay: pd.Series, order: Sequence[object] | pd.Series) -> pd.Series:
    """`split` with "extra" for every ECG of validation and test that is not the first of its stay by `order`.

    ECGs without a stay are each their own.
    """
    frame = pd.DataFrame({"split": split, "stay": stay, "order": order})
    later = frame.sort_values("order", kind="stable").duplicated("stay").reindex(frame.index) & frame["stay"].notna()
    return split.mask(later & split.isin(["validation", "test"]), "extra")
