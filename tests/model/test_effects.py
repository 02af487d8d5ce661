"""Relevance by effects: each contribution is what the network says without the effect, and lies where the effect is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgkt.datasets.collection import Collection
from ecgkt.ecg import ECG
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.beside_normal import beside_normal
from ecgkt.model.effects import effects_of, effects_on_beat, shipped_estimator
from ecgkt.model.model import Model
from ecgkt.model.networks.beat_detection import find_beats
from ecgkt.model.networks.beat_encoder import BeatView, beat_view
from ecgkt.model.networks.effect_estimator import INDEPENDENT, twelve
from ecgkt.simulation.tables import conditions
from training.data.changed_beats import changed, forced

SEED = 990_001  # of no config, fit or benchmark


def _window(ecg: ECG) -> torch.Tensor:
    return torch.from_numpy(AnalyzedECG(ecg).windows[0][1])[None]


def test_four_limb_leads_follow_from_two(shipped_examples: Collection) -> None:
    signal = _window(shipped_examples.read(shipped_examples.entries[0].key))[0]
    torch.testing.assert_close(twelve(signal[list(INDEPENDENT)]), signal, atol=0.01, rtol=0)


def test_a_contribution_is_what_the_logit_loses_without_the_effect(
    shipped_model: Model, shipped_examples: Collection
) -> None:
    network = shipped_model._networks["knowledge_transfer"]
    signal = _window(shipped_examples.read(shipped_examples.entries[1].key))
    view = beat_view(signal, find_beats(signal))
    found = effects_on_beat(network, view)
    row = int(found.likely.argmax())
    templates = view.templates.clone()
    templates[0, :12] -= found.changes[row]
    with torch.inference_mode():
        fall = network(view)["labs"] - network(BeatView(templates, view.rhythm))["labs"]
    torch.testing.assert_close(found.contributions["labs"][row], found.likely[row] * fall[0], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("code", ["potassium_high", "nt_probnp_high"])
def test_nothing_is_lost_on_the_way_to_the_tracing(
    shipped_model: Model, shipped_examples: Collection, code: str
) -> None:
    """The relevance of all samples is the sum of the contributions of effects and of single beats."""
    network = shipped_model._networks["knowledge_transfer"]
    target = network.architecture.labels["labs"].index(code)
    for entry in shipped_examples.entries[::8]:
        found = effects_of(network, _window(shipped_examples.read(entry.key)))
        relevance, rhythm = found.laid(found.on_beat.relevance(network, "labs", target))
        shares = found.on_beat.contributions["labs"][:, target]
        assert float(relevance.sum()) == pytest.approx(float(shares[:-1].sum()), abs=1e-3)
        assert rhythm == pytest.approx(float(shares[-1]))


def test_estimated_changes_are_those_that_the_cause_made() -> None:
    """On patients that it did not learn from: what a condition changed lies where it belongs, and is thought likelier
    than in patients with another."""
    estimator, causes = shipped_estimator()
    order = [condition.name for condition in conditions()]
    tried = ("long_qt", "pulmonary_hypertension", "lbbb")
    likely: dict[str, dict[str, list[float]]] = {cause: {other: [] for other in tried} for cause in tried}
    for cause in tried:
        like = []
        for turn in range(12):
            example = changed(*forced(SEED, order.index(cause) + turn * len(order)))
            if example is None or cause not in example.effects:
                continue
            with torch.inference_mode():
                changes, presence = estimator(example.view)
            for other in tried:
                likely[other][cause].append(float(presence[0, causes.index(other)]))
            said = changes[0, causes.index(cause)][list(INDEPENDENT)].numpy().ravel()
            like.append(float(np.corrcoef(example.effects[cause].ravel(), said)[0, 1]))
        assert len(like) >= 5
        assert np.median(like) > 0.4, cause
    for cause in tried:
        without = [value for other in tried if other != cause for value in likely[cause][other]]
        assert np.mean(likely[cause][cause]) > 2 * np.mean(without), cause


def test_findings_rest_on_both_ways_and_what_is_usual_on_gradients(
    shipped_model: Model, shipped_examples: Collection
) -> None:
    analyzed = AnalyzedECG(shipped_examples.read(shipped_examples.entries[0].key))
    assert shipped_model.attribute(analyzed, "potassium_high").method == "effects"
    assert shipped_model.attribute(analyzed, "NORM").method == "integrated_gradients"
    both = shipped_model.attribute(analyzed, "LAFB")
    network = shipped_model._networks["knowledge_transfer"]
    target = network.architecture.labels["findings"].index("LAFB")
    effects = effects_of(network, _window(analyzed.ecg))
    of_effects, of_rhythm = effects.laid(effects.on_beat.relevance(network, "findings", target))
    estimator, _ = shipped_estimator()
    beside, by_rhythm = effects.laid(beside_normal(network, estimator, effects.on_beat.view, "findings", target))
    np.testing.assert_allclose(both.relevance, (beside + of_effects) / 2, atol=1e-5)
    assert both.rhythm == pytest.approx((by_rhythm + of_rhythm) / 2, abs=1e-5)
    with pytest.raises(ValueError, match="effects"):
        shipped_model.attribute(analyzed, "LAFB", "gradients")
