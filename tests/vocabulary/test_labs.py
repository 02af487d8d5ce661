"""The low and high of a lab: one rule for one value and for a column of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecgkt.vocabulary import beyond, labs
from training.cohort.labels.labs import lab_labels
from training.cohort.prepared import CLINICAL_COLUMNS


def test_the_limits_themselves_are_normal_and_nothing_is_said_of_nan() -> None:
    potassium = labs()["potassium"]
    values = (3.2, *potassium.reference, 5.2, float("nan"))
    assert [potassium.flag(value) for value in values] == ["low", "", "", "high", ""]


def test_a_column_is_flagged_as_each_of_its_values() -> None:
    for lab in labs().values():
        low, high = lab.reference
        values = np.array(
            [low - 1, np.nextafter(low, -1), low, (low + high) / 2, high, np.nextafter(high, 1e9), np.nan]
        )
        sides = beyond(values, lab.reference)
        words = ["low" if a else "high" if b else "" for a, b in zip(sides["low"], sides["high"], strict=True)]
        assert words == [lab.flag(float(value)) for value in values]


def test_labels_for_training_are_these_flags() -> None:
    rng = np.random.default_rng(0)
    clinical = pd.DataFrame(np.nan, index=range(200), columns=CLINICAL_COLUMNS)
    for key, lab in labs().items():
        low, high = lab.reference
        clinical[f"lab:{key}"] = rng.uniform(low - (high - low), high + (high - low), 200).astype(np.float32)
    clinical.iloc[:20] = np.nan
    table, _ = lab_labels(clinical, {key: lab.reference for key, lab in labs().items()})
    for key, lab in labs().items():
        words = [lab.flag(value) for value in clinical[f"lab:{key}"]]
        for side in ("low", "high"):
            assert table[f"{key}_{side}"].isna().tolist() == [True] * 20 + [False] * 180
            assert (table[f"{key}_{side}"] == 1).tolist() == [word == side for word in words]
