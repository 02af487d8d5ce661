"""From which probability on a label is positive: whom it is chosen on, what is urgent, and how low it may lie."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibrate.thresholds import LEAST, floor, sensitive_threshold, threshold


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_it_says_which_ecgs_it_comes_from(rng: np.random.Generator) -> None:
    probabilities = rng.random(400)
    truth = (rng.random(400) < probabilities).astype(float)
    simulated = np.arange(400) >= 100
    value, source = threshold(probabilities, truth, simulated, "PVC", 0.03)
    assert 0 < value < 1
    assert "on 100 real validation ECGs" in source
    rare = truth.copy()
    rare[:100] = 0
    assert "on 400 simulated and real validation ECGs" in threshold(probabilities, rare, simulated, "PVC", 0.03)[1]
    assert threshold(probabilities, np.zeros(400), simulated, "PVC", 0.03)[1].startswith("0.5")


def test_what_is_rare_is_not_positive_at_a_few_per_cent_unless_it_is_urgent(rng: np.random.Generator) -> None:
    truth = (rng.random(4000) < 0.01).astype(float)
    probabilities = np.where(truth == 1, 0.05, 0.005) * rng.uniform(0.5, 1.5, 4000)
    everyone = np.ones(4000, dtype=bool)
    value, source = threshold(probabilities, truth, everyone, "ILBBB", 0.01)
    assert value == LEAST
    assert source.endswith("raised to 10%, below which nothing that is not urgent is called positive")
    urgent, source = threshold(probabilities, truth, everyone, "INJIN", 0.01)
    assert 0.02 <= urgent < LEAST
    assert (probabilities[truth == 1] >= urgent).mean() >= 0.9
    assert "sensitivity" in source or "F1" in source


def test_what_is_urgent_and_told_badly_does_not_flag_everybody(rng: np.random.Generator) -> None:
    truth = (rng.random(4000) < 0.05).astype(float)
    noise = rng.random(4000)
    badly, how = sensitive_threshold(noise, truth)
    assert "95% specificity" in how
    assert 0.95 <= (noise[truth == 0] < badly).mean() < 0.953  # as many flagged as are allowed, and no more
    well = np.where(truth == 1, rng.uniform(0.3, 1, 4000), rng.uniform(0, 0.4, 4000))
    found, how = sensitive_threshold(well, truth)
    assert "90% sensitivity" in how
    assert (well[truth == 1] >= found).mean() >= 0.9
    assert (well[truth == 0] < found).mean() >= 0.9


def test_half_found_by_f1_is_not_enough_for_what_is_urgent(rng: np.random.Generator) -> None:
    """Half of the positive are certain, half hardly stand out: the best F1 takes the certain half."""
    truth = (rng.random(6000) < 0.02).astype(float)
    told = np.where(rng.random(6000) < 0.5, 0.9, rng.normal(0.08, 0.02, 6000).clip(0.05))
    probabilities = np.where(truth == 1, told, rng.normal(0.05, 0.02, 6000).clip(0.001))
    simulated = np.ones(6000, dtype=bool)
    by_f1, _ = threshold(probabilities, truth, simulated, "IRBBB", 0.02)
    urgent, source = threshold(probabilities, truth, simulated, "INJIN", 0.02)
    assert (probabilities[truth == 1] >= by_f1).mean() < 0.6
    assert (probabilities[truth == 1] >= urgent).mean() > 0.7
    assert (probabilities[truth == 0] < urgent).mean() >= 0.9
    assert source.startswith("urgent: ")


def test_the_floor_rises_with_prevalence_without_a_step_and_never_reaches_certainty() -> None:
    prevalences = np.linspace(0, 0.99, 1000)
    for urgent in (False, True):
        lowest = np.array([floor(float(p), urgent)[0] for p in prevalences])
        assert np.all(np.diff(lowest) >= 0)
        assert np.diff(lowest).max() < 0.003
        assert lowest[-1] < 1
        rare = prevalences < 1 / 3
        assert np.all(lowest[rare] >= 2 * prevalences[rare])
    assert floor(0.01, urgent=False)[0] == LEAST
    assert floor(0.01, urgent=True)[0] == pytest.approx(0.02)
