"""Taking the source of an ECG out of scores: what it promises, and that nothing else goes."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from training.erasure import erasure

RNG = np.random.default_rng(4)
IS_REAL = np.repeat([True, False], [120, 180])
MIXED = RNG.normal(size=(300, 8)) @ RNG.normal(size=(8, 8)) + np.outer(IS_REAL, RNG.normal(size=8))


def erased(scores: np.ndarray) -> np.ndarray:
    matrix, centre = erasure(scores, IS_REAL)
    return np.asarray(centre + (scores - centre) @ matrix.T)


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
