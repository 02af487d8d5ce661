"""What is promised of verdicts must hold over many draws, and nothing may be promised from too few patients."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.verdict import Guarantee
from training.calibrate.conformal import ALPHA, FEWEST, coverage, guarantee, lower_limit, one_ecg_per_patient


@pytest.mark.parametrize("count", [FEWEST, 10, 25, 200])
def test_a_new_value_lies_below_the_limit_as_seldom_as_promised(count: int) -> None:
    rng = np.random.default_rng(count)
    below = [rng.standard_normal() < lower_limit(rng.standard_normal(count)) for _ in range(8000)]
    k = int(ALPHA * (count + 1) + 1e-9)
    assert np.mean(below) == pytest.approx(k / (count + 1), abs=0.015), "exact for values without ties"
    assert k / (count + 1) <= ALPHA


def test_too_few_patients_promise_nothing() -> None:
    assert lower_limit(np.arange(FEWEST - 1.0)) is None
    few = np.r_[np.ones(FEWEST - 1), np.zeros(50)]
    promise = guarantee(np.linspace(0, 1, len(few)), few, np.zeros(len(few), bool), 0.5)
    assert (promise.low, promise.high, promise.positives) == (None, None, FEWEST - 1)
    assert promise.verdict(0.99) is None


def test_errors_stay_bounded_by_class_and_by_population() -> None:
    rng = np.random.default_rng(3)
    wrong: dict[str, list[float]] = {"present": [], "absent": []}
    for _ in range(300):
        truth = (rng.random(400) < 0.3).astype(float)
        simulated = np.arange(400) >= 200
        # Simulated patients are far easier; the limits must come from the real ones alone.
        score = 1 / (1 + np.exp(-(truth * np.where(simulated, 9.0, 1.5) + rng.standard_normal(400))))
        promise = guarantee(score[:300], truth[:300], simulated[:300] | (np.arange(300) >= 200), 0.6)
        assert promise.population == "real"
        new = (rng.random(400) < 0.3).astype(float)
        fresh = 1 / (1 + np.exp(-(new * 1.5 + rng.standard_normal(400))))
        says = np.array([promise.verdict(p) for p in fresh])
        wrong["absent"].append(np.mean(says[new == 1] == "absent"))
        wrong["present"].append(np.mean(says[new == 0] == "present"))
        assert set(says) <= {"present", "absent", "uncertain"}
    assert np.mean(wrong["absent"]) <= ALPHA + 0.01
    assert np.mean(wrong["present"]) <= ALPHA + 0.01
    assert np.mean(wrong["absent"]) > 0.04, "limits must not be idle"


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.95])
def test_no_verdict_contradicts_the_threshold(threshold: float) -> None:
    rng = np.random.default_rng(8)
    truth = (rng.random(400) < 0.2).astype(float)
    score = 1 / (1 + np.exp(-(4 * truth - 2 + rng.standard_normal(400))))
    promise = guarantee(score, truth, np.zeros(400, bool), threshold)
    says = {p: promise.verdict(p) for p in np.linspace(0, 1, 501)}
    assert all(p >= threshold for p, said in says.items() if said == "present")
    assert all(p < threshold for p, said in says.items() if said == "absent")
    assert {"present", "absent"} <= set(says.values())


def test_a_verdict_needs_one_answer() -> None:
    apart = Guarantee(0.1, 0.2, 0.6, "real", 20, 20)
    assert [apart.verdict(p) for p in (0.1, 0.2, 0.4, 0.6, 0.7)] == [
        "absent", "uncertain", "uncertain", "uncertain", "present",
    ]  # fmt: skip
    crossed = Guarantee(0.1, 0.6, 0.2, "real", 20, 20)
    assert [crossed.verdict(p) for p in (0.1, 0.4, 0.7)] == ["absent", "uncertain", "present"]


def test_one_ecg_of_each_patient_is_drawn() -> None:
    patients = np.array(["a", "b", "a", "c", "b", "b"])
    drawn = [one_ecg_per_patient(patients, seed) for seed in range(30)]
    assert all(sorted(patients[rows]) == ["a", "b", "c"] for rows in drawn)
    assert len({tuple(rows) for rows in drawn}) > 3, "not always the first"


def test_coverage_counts_what_the_verdicts_do() -> None:
    p = np.array([0.05, 0.3, 0.9] * 10)
    truth = np.array([1.0, 0.0, 1.0] * 10)
    fitted = {"A": Guarantee(0.1, 0.2, 0.5, "real", 20, 20), "B": Guarantee(0.1, None, None, "real", 2, 20)}
    figures = coverage(fitted, ["B", "A"], np.stack([p, p], 1), np.stack([truth, truth], 1), np.zeros(30, bool), 0)
    entry = figures.labels["A"]
    assert figures.without == ["B"]
    assert entry.kept_present[0] == pytest.approx(0.5)
    assert entry.kept_absent[0] == 1
    assert entry.says_present[0] == pytest.approx(1 / 3)
    assert entry.says_absent[0] == pytest.approx(1 / 3)
    low, high = figures.mean.kept_present[1:]
    assert low < 0.5 < high
