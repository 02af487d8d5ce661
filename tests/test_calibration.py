"""Calibration against known truths."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibration import platt


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_platt_recovers_a_miscalibrated_logit(rng: np.random.Generator) -> None:
    truth_logit = rng.normal(-1, 1.5, 20_000)
    targets = (rng.random(20_000) < 1 / (1 + np.exp(-truth_logit))).astype(float)
    slope, intercept = platt((truth_logit - 0.7) / 2, targets)
    assert slope == pytest.approx(2, abs=0.15)
    assert intercept == pytest.approx(0.7, abs=0.1)
