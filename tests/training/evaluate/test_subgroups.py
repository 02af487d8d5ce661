"""Groups of patients: everybody is counted once, and a group that is treated worse shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from training.evaluate.subgroups import abstention_figures, divisions, subgroup_figures
from training.metrics import patient_resamples


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def ecgs(rng: np.random.Generator) -> pd.DataFrame:
    age = rng.integers(18, 95, 600).astype(float)
    age[:5] = np.nan
    sex = np.where(rng.random(600) < 0.5, "female", "male").astype(object)
    sex[:3] = None
    return pd.DataFrame({"patient": np.repeat(np.arange(300), 2).astype(str), "age": age, "sex": sex})


def test_everybody_is_in_one_group_of_each_division(ecgs: pd.DataFrame) -> None:
    for groups in divisions(ecgs).values():
        assert (np.sum(list(groups.values()), axis=0) == 1).all()
    assert set(divisions(ecgs)["age"]) == {
        "under 50 years",
        "50–64 years",
        "65–79 years",
        "80 years and over",
        "not known",
    }
    edges = pd.DataFrame({"patient": ["a", "b"], "age": [49.9, 50.0], "sex": ["male", "male"]})
    assert list(divisions(edges)["age"]) == ["under 50 years", "50–64 years"]


def test_counts_add_up_and_a_worse_group_shows(ecgs: pd.DataFrame, rng: np.random.Generator) -> None:
    logits = rng.normal(-1, 2, (600, 6))
    targets = (rng.random((600, 6)) < expit(logits)).astype(float)
    targets[:50, 0] = np.nan
    women = (ecgs["sex"] == "female").to_numpy()
    shown = expit(logits)
    shown[women] = expit(rng.normal(0.5, 2, (int(women.sum()), 6)))  # of women the model knows nothing
    resamples = patient_resamples(ecgs["patient"].to_numpy(str), 100, 1)
    codes = ["AFIB", "MI", "NORM", "SR", "PVC", "LVH"]  # MI is an aggregate and does not count in the mean
    rows = subgroup_figures(codes, shown, targets, ecgs, resamples)
    for by in ("age", "sex"):
        part = [row for row in rows if row.by == by]
        assert sum(row.ecgs for row in part) == 600
        assert sum(row.positives for row in part) == np.nansum(targets)
        assert {row.labels for row in part} == {5}
    of = {row.group: row for row in rows}
    assert of["female"].auroc[2] < 0.6 < 0.8 < of["male"].auroc[1]
    assert of["female"].ece[1] > 0.1 > of["male"].ece[2]
    assert of["female"].in_the_large[2] < 0
    assert abs(of["male"].in_the_large[0]) < 0.03 < abs(of["female"].in_the_large[0])
    assert of["not known"].auroc is None, "too few to be reported"


def test_groups_are_compared_over_the_same_labels(ecgs: pd.DataFrame, rng: np.random.Generator) -> None:
    targets = (rng.random((600, 2)) < 0.4).astype(float)
    targets[(ecgs["sex"] == "male").to_numpy(), 1] = 0  # no man has it
    resamples = patient_resamples(ecgs["patient"].to_numpy(str), 50, 1)
    rows = subgroup_figures(["AFIB", "PVC"], rng.random((600, 2)), targets, ecgs, resamples)
    assert {row.labels for row in rows if row.by == "sex"} == {1}
    assert {row.labels for row in rows if row.by == "age"} == {2}


def test_no_refusal_is_not_proof_that_there_never_is_one(ecgs: pd.DataFrame) -> None:
    refused = np.zeros(600, bool)
    refused[10] = True
    rows = abstention_figures(refused, ecgs)
    assert rows[0].group == "all"
    assert rows[0].share[0] == pytest.approx(1 / 600)
    for by in ("age", "sex"):
        assert sum(row.refused for row in rows if row.by == by) == 1
    # Rule of three: 0 of n has an upper 95% limit near 3.7 / n (two-sided).
    none = next(row for row in rows if row.refused == 0 and row.ecgs > 50)
    assert none.share[2] == pytest.approx(3.7 / none.ecgs, rel=0.05)
