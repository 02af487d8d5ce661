"""What the estimator of effects learns from: the change of the network's own view when a cause is taken away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgkt.model.effects import shipped_estimator
from ecgkt.model.networks.beat_detection import find_beats
from ecgkt.model.networks.beat_encoder import beat_view
from ecgkt.model.networks.effect_estimator import INDEPENDENT
from ecgkt.simulation.tables import conditions
from ecgkt.simulation.tracing import draw_tracing
from training.data.changed_beats import changed, examples, forced, seen
from training.effects.fit import fit, save

SEED = 990_002


@pytest.mark.parametrize("cause", ["long_qt", "lvh", "stemi_inferior"])
def test_a_change_is_that_of_the_average_beat_of_two_tracings(cause: str) -> None:
    """Against the tracing without the cause, made anew with its noise and looked at as the network does."""
    place = [condition.name for condition in conditions()].index(cause)
    like = []
    for turn in range(6):
        visit, planned = forced(SEED, place + turn * len(conditions()))
        assert cause in visit.stay.active
        example = changed(visit, planned)
        if example is None or cause not in example.effects:
            continue
        spared = replace(visit.stay, active={n: s for n, s in visit.stay.active.items() if n != cause})
        without = planned.drawn.without(cause)
        without.values["rate"] = planned.drawn["rate"]
        other = seen(draw_tracing(planned.streams, visit.patient, spared, visit.body, without).signal)
        difference = (example.view.templates - beat_view(other, find_beats(other)).templates)[0, list(INDEPENDENT)]
        like.append(np.corrcoef(difference.ravel(), example.effects[cause].ravel())[0, 1])
    assert len(like) >= 3
    assert np.median(like) > 0.8


def test_what_is_fitted_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(examples(SEED, 300))
    estimator, causes = fit(found, epochs=1)
    save(estimator, causes, tmp_path / "effects.safetensors")
    monkeypatch.setattr("ecgkt.model.effects.FILE", tmp_path / "effects.safetensors")
    shipped_estimator.cache_clear()
    try:
        again, names = shipped_estimator()
        assert list(names) == causes
        with torch.inference_mode():
            for one, other in zip(estimator(found[0].view), again(found[0].view), strict=True):
                torch.testing.assert_close(one, other, atol=0.02, rtol=0.05)
    finally:
        shipped_estimator.cache_clear()
