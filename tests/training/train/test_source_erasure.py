"""Taking the source of an ECG out of scores: what it promises, and that nothing else goes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression

from ecgkt.model.networks.network import Architecture, Network
from training.train.source_erasure import erase_source, erasure, normal_of_like_age

RNG = np.random.default_rng(4)
IS_REAL = np.repeat([True, False], [120, 180])
MIXED = RNG.normal(size=(300, 8)) @ RNG.normal(size=(8, 8)) + np.outer(IS_REAL, RNG.normal(size=8))


def erased(scores: np.ndarray) -> np.ndarray:
    matrix, center = erasure(scores, IS_REAL)
    return np.asarray(center + (scores - center) @ matrix.T)


def test_no_linear_reader_finds_the_source_any_more() -> None:
    after = erased(MIXED)
    np.testing.assert_allclose(after[IS_REAL].mean(axis=0), after[~IS_REAL].mean(axis=0), atol=1e-10)
    before = LogisticRegression(C=1e6, max_iter=10_000).fit(MIXED, IS_REAL)
    assert before.score(MIXED, IS_REAL) > 0.7
    reader = LogisticRegression(C=1e6, max_iter=10_000).fit(after, IS_REAL)
    assert np.abs(reader.predict_proba(after)[:, 1] - IS_REAL.mean()).max() < 1e-3


def test_the_change_is_the_smallest_that_does_it() -> None:
    """In the scores' own spread (Mahalanobis), a plain projection along the mean difference moves them further."""
    difference = MIXED[IS_REAL].mean(axis=0) - MIXED[~IS_REAL].mean(axis=0)
    unit = difference / np.linalg.norm(difference)
    plain = MIXED - np.outer((MIXED - MIXED.mean(axis=0)) @ unit, unit)
    metric = np.linalg.inv(np.cov(MIXED.T))

    def moved(after: np.ndarray) -> float:
        change = after - MIXED
        return float(np.einsum("ni,ij,nj->n", change, metric, change).mean())

    assert moved(erased(MIXED)) < 0.9 * moved(plain)
    assert np.linalg.matrix_rank(erasure(MIXED, IS_REAL)[0] - np.eye(8), tol=1e-8) == 1


def test_done_twice_or_where_nothing_is_to_be_done_it_changes_nothing() -> None:
    once = erased(MIXED)
    np.testing.assert_allclose(erased(once), once, atol=1e-7)
    same = np.concatenate([MIXED[:120], MIXED[:120]])
    matrix, _ = erasure(same, np.repeat([True, False], 120))
    np.testing.assert_allclose(matrix, np.eye(8))


def test_scores_that_always_go_together_are_no_trouble() -> None:
    doubled = np.column_stack([MIXED, MIXED[:, 0]])
    after = erased(doubled)
    np.testing.assert_allclose(after[:, 8], after[:, 0], atol=1e-6)
    np.testing.assert_allclose(after[IS_REAL].mean(axis=0), after[~IS_REAL].mean(axis=0), atol=1e-8)


class MadeUp:
    """As much of a `Pool` as is needed: simulated ECGs with slow waves, real ones with fast; half of them normal."""

    def __init__(self, count: int = 60) -> None:
        rng = np.random.default_rng(1)
        self.is_simulated = np.repeat([True, False], count)
        self.ecgs = pd.DataFrame({"age": rng.uniform(np.where(self.is_simulated, 20, 40), 80), "split": "train"})
        self.ecgs.loc[self.ecgs.index % 10 == 9, "split"] = "test"
        self.targets = {"findings": (np.arange(2 * count) % 2 == 0).astype(np.float32)[:, None]}
        waves = np.sin(np.arange(1000) * np.where(self.is_simulated, 0.05, 0.2)[:, None])[:, None].repeat(12, 1)
        self.waves = (waves * rng.uniform(0.5, 1.5, (2 * count, 12, 1))).astype(np.float32)

    def codes(self) -> dict[str, list[str]]:
        return {"findings": ["NORM"]}

    def rows(self, split: str) -> np.ndarray:
        return np.flatnonzero((self.ecgs["split"] == split).to_numpy())

    def simulated(self, rows: np.ndarray) -> np.ndarray:
        return self.is_simulated[rows]

    def batch(self, rows: np.ndarray) -> SimpleNamespace:
        return SimpleNamespace(signal=torch.from_numpy(self.waves[rows]))


def test_normal_ecgs_of_both_kinds_are_as_many_in_every_ten_years() -> None:
    pool = MadeUp()
    rows = normal_of_like_age(pool, ["train"], 3)  # type: ignore[arg-type]
    assert (pool.targets["findings"][rows] == 1).all()
    assert set(pool.ecgs["split"].to_numpy()[rows]) == {"train"}
    bands = (pool.ecgs["age"].to_numpy()[rows] // 10).astype(int)
    simulated = pool.simulated(rows)
    assert len(rows) > 20
    np.testing.assert_array_equal(
        np.bincount(bands[simulated], minlength=9), np.bincount(bands[~simulated], minlength=9)
    )


def test_only_the_lab_heads_lose_the_source() -> None:
    pool = MadeUp()
    torch.manual_seed(0)
    labels = {"findings": ["NORM"], "labs": ["potassium_high", "potassium_low"]}
    network = Network(Architecture("ecg", {"kind": "resnet", "width": 4}, labels)).eval()
    rows = normal_of_like_age(pool, ["train"], 3)  # type: ignore[arg-type]

    def scores(head: str) -> np.ndarray:
        with torch.inference_mode():
            return network(pool.batch(rows).signal)[head].double().numpy()

    def apart(values: np.ndarray) -> float:
        here = pool.simulated(rows)
        return float(np.abs(values[here].mean(axis=0) - values[~here].mean(axis=0)).max() / values.std())

    findings, before = scores("findings"), apart(scores("labs"))
    assert erase_source(network, pool, 3) == len(rows)  # type: ignore[arg-type]
    assert before > 0.1
    assert apart(scores("labs")) < 1e-4
    np.testing.assert_array_equal(scores("findings"), findings)


def test_with_one_kind_of_ecg_or_too_few_nothing_is_taken_out() -> None:
    pool = MadeUp(8)
    labels = {"labs": ["potassium_high", "potassium_low"]}
    network = Network(Architecture("ecg", {"kind": "resnet", "width": 4}, labels)).eval()
    weight = network.head("labs").weight.clone()
    assert erase_source(network, pool, 3) == 0  # type: ignore[arg-type]
    assert torch.equal(network.head("labs").weight, weight)
    pool = MadeUp()
    pool.is_simulated[:] = True
    assert erase_source(network, pool, 3) == 0  # type: ignore[arg-type]
