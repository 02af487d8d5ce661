"""Patients -> train, validation and test: balanced, kept when more data come, or as a user's folds say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.cohort.config import load_config
from training.cohort.splits import (
    assign_splits,
    first_of_stay,
    patient_facts,
    read_known,
    splits_from_folds,
    stable_splits,
)


def people(count: int, seed: int = 0) -> pd.DataFrame:
    """ECGs (one row each) of `count` patients with facts that hang together, as they do in a hospital."""
    rng = np.random.default_rng(seed)
    age = rng.normal(62, 17, count).clip(18, 95)
    ecgs = pd.DataFrame(
        {"subject_id": np.arange(count) + 10_000_000, "age": age, "gender": rng.choice(["F", "M"], count)}
    )
    return ecgs.loc[np.repeat(ecgs.index, rng.geometric(0.45, count))].reset_index(drop=True)


def groups_of(ecgs: pd.DataFrame) -> pd.DataFrame:
    """Twenty diagnosis groups, the older the patient the more; half of the patients have I10."""
    rng = np.random.default_rng(1)
    found = []
    for k, label in enumerate(["I10", *(f"J{k:02d}" for k in range(19))]):
        has = rng.random(len(ecgs)) < ecgs["age"] / 130 / (1 + k / 3)
        found.append(pd.DataFrame({"subject_id": ecgs.loc[has, "subject_id"], "label": label}))
    return pd.concat(found).drop_duplicates()


def test_splits_are_balanced_in_every_fact() -> None:
    config, ecgs = load_config(), people(4000)
    facts = patient_facts(ecgs, groups_of(ecgs), config)
    assert facts.shape == (4000, 4 + 12)
    split = assign_splits(facts, {}, config["splits"], "ecgkt")
    for fact in facts:
        for _, part in split.groupby(facts[fact]):
            counts = part.value_counts()
            for name in ("train", "validation", "test"):
                # By chance alone one standard deviation of test would be 12 patients of a thousand.
                assert abs(counts.get(name, 0) - config["splits"][name] * len(part)) < 5, (fact, name)


def test_a_patient_keeps_its_split_when_more_data_come(tmp_path: Path) -> None:
    config, ecgs = load_config(), people(600)
    groups, early = groups_of(ecgs), ecgs["subject_id"] < 10_000_300
    first = stable_splits(ecgs[early], groups, tmp_path, config)
    # The first 300 have more ECGs and other diagnoses by then, and come in another order.
    later = pd.concat([ecgs, ecgs[early]]).sample(frac=1, random_state=1).reset_index(drop=True)
    second = stable_splits(later, groups.sample(frac=0.5, random_state=2), tmp_path, config)
    of_first = dict(zip(ecgs.loc[early, "subject_id"], first, strict=True))
    of_second = dict(zip(later["subject_id"], second, strict=True))
    assert len(of_second) == 600
    assert {patient: of_second[patient] for patient in of_first} == of_first
    shares = pd.Series(of_second).value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.18, abs=0.01)
    # Patients who are not in the data for once are not forgotten.
    third = stable_splits(ecgs[~early].reset_index(drop=True), groups, tmp_path, config)
    assert dict(zip(ecgs.loc[~early, "subject_id"], third, strict=True)).items() <= of_second.items()
    assert read_known([tmp_path / "splits.csv"]) == {str(patient): split for patient, split in of_second.items()}


def test_splits_of_an_earlier_preparation(tmp_path: Path) -> None:
    config, ecgs = load_config(), people(40)
    known = tmp_path / "known.csv"
    known.write_text("subject_id,split\n" + "".join(f"{10_000_000 + i},test\n" for i in range(30)))
    config["splits"]["known"] = str(known)
    split = stable_splits(ecgs, groups_of(ecgs), tmp_path, config)
    assert (split[ecgs["subject_id"] < 10_000_030] == "test").all()
    assert (split[ecgs["subject_id"] >= 10_000_030] != "test").all(), "test has more than its share already"
    known.write_text("subject_id,split\n10000000,train\n10000001,test\n")
    with pytest.raises(ValueError, match="second or an unknown split"):
        stable_splits(ecgs, groups_of(ecgs), tmp_path, config)


def test_first_ecg_of_a_stay() -> None:
    split = pd.Series(["test", "test", "train", "train", "validation", "validation"])
    stay = pd.Series(["a", "a", "b", "b", None, None])
    kept = first_of_stay(split, stay, pd.Series([2, 1, 1, 2, 1, 2]))
    assert kept.tolist() == ["extra", "test", "train", "train", "validation", "validation"]


def test_a_users_folds(tmp_path: Path) -> None:
    ecgs = pd.DataFrame({"subject_id": [1, 1, 2, 3], "study_id": [10, 11, 20, 30]})
    file = tmp_path / "folds.csv"
    folds = {"file": str(file), "id": "study_id", "fold": "fold", "validation": [18], "test": [19]}
    file.write_text("study_id,fold\n10,18\n11,18\n20,19\n")
    split = splits_from_folds(ecgs, {"folds": folds})
    assert split[:3].tolist() == ["validation", "validation", "test"]
    assert pd.isna(split[3])
    file.write_text("study_id,fold\n10,18\n11,0\n20,19\n30,1\n")
    with pytest.raises(ValueError, match="1 patients into two splits"):
        splits_from_folds(ecgs, {"folds": folds})
    file.write_text("study_id,other\n")
    with pytest.raises(ValueError, match="lacks the column fold"):
        splits_from_folds(ecgs, {"folds": folds})
