"""Who is trained on, who is tested: by patient, stratified, and for ever.

A patient who once has a split keeps it: OUT/splits.csv lists every patient ever assigned there, and `splits.known` in
the configuration can name such a file of an earlier preparation. New patients follow one after another, in the order of
sha256(salt + patient); each goes to the split that lacks patients like this one most. That is minimization (Pocock and
Simon, Biometrics 1975;31:103-115) with the shares of the splits as its targets: each fact of a patient is balanced by
itself, so that there is no need for a stratum for each combination of facts, most of which would hold one patient.

What it cannot do: two preparations that do not know of each other's splits.csv assign differently when their patients
differ. Published folds can be given instead (`folds`).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from training.cohort.config import Config

SPLITS = ("train", "validation", "test")


def assign_splits(facts: pd.DataFrame, known: Mapping[str, str], shares: Mapping[str, float], salt: str) -> pd.Series:
    """The split of each patient (index of `facts`, text) from its facts (one column each, any values that compare).

    known: patient -> split, of whomever has one already. Patients in `known` count toward the balance if they are in
    `facts`. The order of `facts` does not matter.
    """
    # One column a value of a fact, and one for everybody, so that the totals are balanced as well.
    columns = [pd.factorize(facts[column].astype(str), sort=True)[0] for column in facts]
    starts = np.cumsum([1, *(codes.max(initial=-1) + 1 for codes in columns)])
    places = np.column_stack([np.zeros(len(facts), int), *(c + s for c, s in zip(columns, starts[:-1], strict=True))])
    target = np.array([shares[split] for split in SPLITS])
    lacking = np.zeros((starts[-1], len(SPLITS)))  # share of the patients met so far, less those assigned
    split = [known.get(patient, "") for patient in facts.index]
    order = [hashlib.sha256(f"{salt}{patient}".encode()).digest() for patient in facts.index]
    for i in sorted(range(len(facts)), key=lambda i: (not split[i], order[i])):
        mine = lacking[places[i]] + target
        if not split[i]:
            # Rare facts count as much as common ones: what a fact lacks is weighed by nothing but its own excess.
            split[i] = SPLITS[int(np.argmax(mine.sum(axis=0)))]
        mine[:, SPLITS.index(split[i])] -= 1
        lacking[places[i]] = mine
    return pd.Series(split, index=facts.index, dtype="object")


def as_text(patients: pd.Series) -> pd.Series:
    """Ids of patients, numbers or text, as the lists of splits have them."""
    whole = patients.astype("int64") if pd.api.types.is_numeric_dtype(patients) else patients
    return whole.astype(str)


def patient_facts(ecgs: pd.DataFrame, groups: pd.DataFrame, config: Config) -> pd.DataFrame:
    """What is balanced between the splits, by patient (index, text): sex, band of age at the first ECG, band of the
    number of ECGs, and which of the commonest diagnosis groups were ever coded.

    ecgs: subject_id, age, gender in the order of time. groups: (subject_id, label) of three-character ICD-10 labels.
    """
    strata = config["splits"]["strata"]
    by = ecgs.groupby("subject_id", sort=True)
    first = by[["age", "gender"]].first()
    facts = pd.DataFrame(
        {
            "sex": first["gender"].fillna("unknown"),
            "age": np.digitize(first["age"], strata["age"]),
            "ecgs": np.digitize(by.size(), strata["ecgs"]),
        },
        index=first.index,
    )
    groups = groups[groups["subject_id"].isin(facts.index)].drop_duplicates()
    sizes = groups["label"].value_counts()
    commonest = sorted(sizes.index, key=lambda label: (-sizes[label], label))[: strata["diagnosis_groups"]]
    facts["coded"] = facts.index.isin(groups["subject_id"])
    for label in commonest:
        facts[label] = facts.index.isin(groups.loc[groups["label"] == label, "subject_id"])
    facts.index = pd.Index(as_text(facts.index.to_series()))
    return facts


def read_known(files: Iterable[Path]) -> dict[str, str]:
    """Patient -> split from files with the columns subject_id and split. Raises ValueError where they contradict."""
    known: dict[str, str] = {}
    for file in files:
        table = pd.read_csv(file, dtype=str)
        if missing := [column for column in ("subject_id", "split") if column not in table]:
            raise ValueError(f"{file.name} lacks the column {', '.join(missing)}.")
        for patient, split in zip(table["subject_id"], table["split"], strict=True):
            if split not in SPLITS or known.setdefault(patient, split) != split:
                raise ValueError(f"{file.name} gives a patient a second or an unknown split.")
    return known


def stable_splits(ecgs: pd.DataFrame, groups: pd.DataFrame, out: Path, config: Config) -> pd.Series:
    """The split of each row of `ecgs`; OUT/splits.csv is read, and written with the new patients added.

    ecgs and groups as for `patient_facts`. Raises ValueError for a bad list of known splits.
    """
    own, settings = out / "splits.csv", config["splits"]
    given = [Path(settings["known"])] if settings["known"] else []
    known = read_known([*given, *([own] if own.is_file() else [])])
    assigned = assign_splits(patient_facts(ecgs, groups, config), known, settings, settings["salt"])
    listed = pd.Series({**known, **assigned}, name="split", dtype="object").rename_axis("subject_id").sort_index()
    part = own.with_name("splits.csv.part")
    listed.to_csv(part)
    part.replace(own)
    return as_text(ecgs["subject_id"]).map(assigned)


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
            by[_whole(row[folds["id"]])] = name
    if folds["id"] not in ecgs:
        raise ValueError(f"Folds cannot go by {folds['id']}; these ECGs have {', '.join(map(str, ecgs.columns))}.")
    split: pd.Series = ecgs[folds["id"]].astype(str).map(by)
    several = split.groupby(ecgs["subject_id"]).nunique()
    if (several > 1).any():
        raise ValueError(f"The file of folds puts {int((several > 1).sum())} patients into two splits.")
    return split


def _whole(identifier: str) -> str:
    """17.0, as a column of numbers with gaps has it, is 17; what is no number stays as it is."""
    number, _, fraction = identifier.strip().partition(".")
    return str(int(number)) if number.isdigit() and not fraction.strip("0") else identifier.strip()


def first_of_stay(split: pd.Series, stay: pd.Series, order: Sequence[object] | pd.Series) -> pd.Series:
    """`split` with "extra" for every ECG of validation and test that is not the first of its stay by `order`.

    ECGs without a stay are each their own.
    """
    frame = pd.DataFrame({"split": split, "stay": stay, "order": order})
    later = frame.sort_values("order", kind="stable").duplicated("stay").reindex(frame.index) & frame["stay"].notna()
    return split.mask(later & split.isin(["validation", "test"]), "extra")
