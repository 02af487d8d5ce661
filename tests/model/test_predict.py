"""`Model.predict` alone and in batches, for tracings of any length, on the model that ships."""

from __future__ import annotations

import numpy as np
import pytest

import ecgkt
from ecgkt.ecg import ECG
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import HEADS, Prediction

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> ecgkt.Model:
    return ecgkt.load()


@pytest.fixture(scope="module")
def ecgs() -> list[ECG]:
    """Examples that ship, whole, short and long, and one that is no ECG."""
    from ecgkt.datasets.collection import open_collection
    from ecgkt.ui.session import EXAMPLES

    collection = open_collection(EXAMPLES)
    first, second, third, fourth = (collection.read(entry.key) for entry in collection.entries[:4])
    long = ECG(
        np.concatenate([third.signal, third.signal, third.signal], axis=1)[:, : int(23 * third.rate)], third.rate
    )
    return [first, second.crop(0, 7), long, ECG(np.zeros((12, 5000), np.float32), 500.0), fourth]


def probabilities(prediction: Prediction) -> dict[str, float]:
    scores = {score.label.code: score.probability for head in HEADS for score in prediction.scores(head)}
    return scores | prediction.superclasses


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_a_batch_says_what_each_ecg_says_alone(model: ecgkt.Model, ecgs: list[ECG], batch: int) -> None:
    together = model.predict_many(ecgs, batch)
    assert [prediction.abstained for prediction in together] == [False, False, False, True, False]
    for ecg, prediction in zip(ecgs, together, strict=True):
        alone = model.predict(ecg)
        assert prediction.quality == alone.quality
        assert probabilities(prediction) == pytest.approx(probabilities(alone), abs=1e-6)


def test_no_ecgs_are_no_predictions(model: ecgkt.Model) -> None:
    assert model.predict_many([]) == []


def test_explain_is_another_name_for_predict(model: ecgkt.Model, ecgs: list[ECG]) -> None:
    assert probabilities(model.explain(ecgs[0])) == probabilities(model.predict(ecgs[0]))


def test_two_models_do_not_take_each_others_prediction(model: ecgkt.Model, ecgs: list[ECG]) -> None:
    other = ecgkt.load()
    other.sha256 = "another"
    analyzed = AnalyzedECG(ecgs[0])
    assert model.predict(analyzed) is not other.predict(analyzed)
    assert model.predict(analyzed) is model.predict(analyzed)


def test_attribution_and_comparison_refuse_what_predict_abstains_from(model: ecgkt.Model, ecgs: list[ECG]) -> None:
    for refused in (lambda: model.attribute(ecgs[3], "AFIB"), lambda: model.compare(ecgs[3])):
        with pytest.raises(ecgkt.ECGError, match="no signal in any lead"):
            refused()
