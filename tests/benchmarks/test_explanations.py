"""What the benchmark of explanations makes of relevance that is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.explanation_truth.measures import against_truth, drawn, figure
from benchmarks.explanation_truth.methods import Asked
from benchmarks.explanation_truth.pairs import Logits, Pair
from ecgkt.ecg import LEADS
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import BEAT
from ecgkt.model.networks.beat_encoder import BeatView

CHANGED = np.zeros((len(LEADS), BEAT), dtype=bool)
CHANGED[3:5, 60:80] = True


@pytest.fixture(scope="module")
def asked(shipped_model: Model) -> Asked:
    view = BeatView(torch.ones(1, 3 * len(LEADS), BEAT), torch.ones(1, 16))
    logits = Logits(shipped_model)
    pair = Pair("cause", view, CHANGED * 0.1, [20, 38, 52, 62, 90], CHANGED, "T", (logits.target(0),))
    return Asked(logits, pair, 0, view, np.random.default_rng(0))


def test_all_that_is_drawn_of_faint_noise_around_a_change_is_the_change(asked: Asked) -> None:
    """Noise that holds a third of the relevance is not drawn, since the strongest half is the change's."""
    noise = np.abs(np.random.default_rng(1).normal(size=CHANGED.shape))
    values = np.where(CHANGED, 1.0, noise * 0.5 * CHANGED.sum() / noise.sum())
    found = against_truth(values, asked)
    assert found["inside"] == pytest.approx(2 / 3, abs=0.03)
    assert found["drawn, inside"] > 0.97
    assert not drawn(values, asked)[CHANGED].all()  # half of all, not all that was changed
    # The tracing is as tall everywhere, so by its size as much is inside as of the area, whichever share is drawn.
    assert found["above abs(x)"] == pytest.approx(found["inside"] - CHANGED.mean(), abs=1e-6)


def test_null_labs_are_held_against_all_scores_together() -> None:
    """A method that draws nothing for one score says nothing of null labs there."""
    rows = [{"cause": "a", "null lab": 0.2, "size": 1.0}, {"cause": "b", "null lab": 0.2, "size": 0.0}, {"cause": "b"}]
    assert figure(rows, "null lab") == pytest.approx(0.4)
    assert figure(rows[2:], "null lab") is None
