"""Laboratory values -> labels by their limits, and which labels have enough of both."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecgkt import vocabulary
from training.cohort.labels.labs import enough, lab_labels


def test_lab_labels_are_masked_where_not_measured() -> None:
    clinical = pd.DataFrame({f"lab:{lab}": [np.nan] * 4 for lab in vocabulary.labs()}, dtype="float32")
    clinical["lab:potassium"] = np.array([3.2, 3.3, 5.2, np.nan], dtype="float32")
    labels, described = lab_labels(clinical, {lab: row.reference for lab, row in vocabulary.labs().items()})
    np.testing.assert_array_equal(labels["potassium_low"], [1, 0, 0, np.nan])
    np.testing.assert_array_equal(labels["potassium_high"], [0, 0, 1, np.nan])
    assert labels.drop(columns=["potassium_low", "potassium_high"]).isna().all().all()
    first = next(d for d in described if d["code"] == "potassium_high")
    assert (first["name"], first["limit"], first["unit"]) == ("Hyperkalemia", 5.1, "mmol/L")


def test_enough_asks_for_positives_and_negatives_in_each_split() -> None:
    split = pd.Series(["train"] * 4 + ["test"] * 4 + ["extra"] * 2)
    table = pd.DataFrame(
        {
            "both": [1, 1, 0, 0, 1, 1, 0, 0, 0, 0],
            "none_in_test": [1, 1, 0, 0, 0, 0, 0, 0, 1, 1],
            "all_known_positive": [1, 1, np.nan, np.nan, 1, 1, 0, 0, 0, 0],
        }
    )
    assert enough(table, split, {"train": 2, "validation": 2, "test": 2}) == ["both"]
    assert enough(table, split, {"train": 0.5, "test": 0.25}) == ["both"]
