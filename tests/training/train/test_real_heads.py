"""Heads fitted again on real ECGs: against scikit-learn's regression, and what must stay as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from ecgkt.model.networks.network import Architecture, Network
from tests.training.data.test_pool import write_set
from training.cohort.prepared import load_prepared
from training.data.pool import Pool
from training.train import predict
from training.train.real_heads import KEPT, NEGLIGIBLE, _logistic, refit_on_real

SETTINGS = {"positives": 10.0, "ridge": 0.1}


def test_the_regression_is_scikit_learns_where_nothing_was_learned_before() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(200, 5))
    truth = (features @ rng.normal(size=(5, 2)) + rng.normal(size=(200, 2)) > 0.5).astype(np.float32)
    weight, constant = _logistic(torch.from_numpy(features), torch.zeros(200, 2).double(), truth, ridge=7.0)
    for label in range(2):
        expected = LogisticRegression(C=1 / 7, tol=1e-8).fit(features, truth[:, label])
        np.testing.assert_allclose(weight[label], expected.coef_[0], atol=1e-3)
        assert float(constant[label]) == pytest.approx(expected.intercept_[0], abs=1e-3)


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """30 real ECGs (their amplitude tells AFIB, but for some) and 40 simulated ones (it tells the opposite)."""
    write_set(tmp_path / "simulated", "simulated", 50, with_labs=True)
    write_set(tmp_path / "real", "real", 60, with_labs=False)
    sets = [load_prepared(tmp_path / name) for name in ("simulated", "real")]
    made = Pool(sets)
    level = np.concatenate([np.arange(50) / 50, np.arange(60) / 60])
    truth = (level > 0.5) == (made.source_of == 1)
    made.targets["findings"][:, 0] = truth ^ (np.arange(110) % 9 == 0)
    return made


def network(heads: dict[str, list[str]]) -> Network:
    torch.manual_seed(2)
    return Network(Architecture("ecg", {"kind": "resnet", "width": 4}, heads, [], 8, 0.0)).eval()


def test_only_real_ecgs_decide_and_the_change_is_in_the_weights(pool: Pool) -> None:
    one, other = (network({"findings": ["AFIB"], "labs": ["potassium_high"]}) for _ in range(2))
    rows = pool.rows("train")
    before = predict.logits(one, pool, rows)
    assert refit_on_real(one, pool, SETTINGS) == ["AFIB"]
    pool.targets["findings"][pool.source_of == 0] = 1 - pool.targets["findings"][pool.source_of == 0]
    refit_on_real(other, pool, SETTINGS)
    after, again = predict.logits(one, pool, rows), predict.logits(other, pool, rows)
    np.testing.assert_array_equal(after["findings"], again["findings"])
    np.testing.assert_array_equal(after["labs"], before["labs"])

    real = rows[pool.source_of[rows] == 1]
    features = predict.embeddings(one, pool, real)
    features = features[:, features.std(axis=0, ddof=1) > NEGLIGIBLE]
    features = (features - features.mean(axis=0)) / features.std(axis=0, ddof=1)
    offset = KEPT * predict.logits(network({"findings": ["AFIB"]}), pool, real)["findings"]
    truth = pool.targets["findings"][real][:, [0]]
    weight, constant = _logistic(torch.from_numpy(features), torch.from_numpy(offset), truth, 0.1 * len(real))
    expected = offset + features @ weight.numpy().T + constant.numpy()
    np.testing.assert_allclose(after["findings"][np.isin(rows, real)], expected, atol=2e-2)


def test_a_set_that_leaves_a_finding_open_has_no_part_in_it(pool: Pool) -> None:
    made = network({"findings": ["AFIB"]})
    pool.targets["findings"][pool.rows("train", 1)[3], 0] = np.nan
    assert refit_on_real(made, pool, SETTINGS) == []


@pytest.mark.parametrize("settings", [{}, SETTINGS | {"positives": 40.0}])
def test_nothing_changes_where_it_is_not_wanted_or_positives_are_few(pool: Pool, settings: dict[str, float]) -> None:
    made = network({"findings": ["AFIB"]})
    before = {key: value.clone() for key, value in made.state_dict().items()}
    assert refit_on_real(made, pool, settings) == []
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())


def test_a_network_that_sees_a_table_stays_as_it_is(pool: Pool) -> None:
    """Real ECGs have no table, so they cannot tell what one is worth."""
    architecture = Architecture("both", {"kind": "resnet", "width": 4}, {"findings": ["AFIB"]}, ["age"], 8, 0.0)
    made = Network(architecture).eval()
    before = made.head("findings").weight.detach().clone()
    assert refit_on_real(made, pool, SETTINGS) == []
    assert torch.equal(made.head("findings").weight, before)
