"""The second teacher: ridge logistic regression on the table and on an encoder's embedding.

With few labeled patients a network that sees both sides learns them by heart; a regression on the same does not, and
the two together are a better teacher than either (docs/LOG.md). The encoder is stage 1's, which has learned to
predict everyone's labs and vitals and no diagnosis.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ecgkt.model.networks.network import Network, TableEncoder
from training.data.pool import Pool
from training.train.predict import embeddings

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def regression_logits(network: Network, pool: Pool, targets: npt.NDArray[np.float32], labeled: Rows) -> torch.Tensor:
    """[rows of pool, labels] float32 log-odds of the regression, whose embeddings are `network`'s."""
    return torch.from_numpy(ridge_logits(both_sides(network, pool), targets, labeled).astype(np.float32))


def both_sides(network: Network, pool: Pool) -> Array:
    """[rows of pool, features]: clinical values as ranks, which are missing, and the ECG's embedding by `network`.

    Each of the two sides has a variance of 1 in all over the training rows, so that a penalty weighs on both alike.
    """
    table = TableEncoder(len(pool.columns), 1)
    train = pool.rows("train")
    table.fit(torch.from_numpy(pool.table[train]))
    clinical = table.inputs(torch.from_numpy(pool.table)).double().numpy()
    ecg = embeddings(network, pool, np.arange(len(pool.ecgs)))
    return np.concatenate([_scaled(side, train) for side in (clinical, ecg)], axis=1)


def _scaled(side: Array, train: Rows) -> Array:
    """Every feature that varies at one variance, all of them together at 1."""
    centered, sd = side - side[train].mean(axis=0), side[train].std(axis=0)
    used = sd > 1e-6
    return np.asarray(centered[:, used] / sd[used] / np.sqrt(used.sum()))


def ridge_logits(features: Array, targets: npt.NDArray[np.float32], labeled: Rows) -> Array:
    """[rows, labels] log-odds of every label by a regression on the labeled rows, whose targets are 0, 1 or NaN.

    A label without a positive (or a negative) among them gets its share of them, half an ECG added to either side.
    """
    out = np.empty(targets.shape)
    for column in range(targets.shape[1]):
        known = labeled[~np.isnan(targets[labeled, column])]
        truth = targets[known, column]
        positives = float(truth.sum())
        if 0 < positives < len(truth):
            with threadpool_limits(1):  # or the last digits depend on the machine's cores
                regression = LogisticRegression(max_iter=1000).fit(features[known], truth)
            out[:, column] = regression.decision_function(features)
        else:
            out[:, column] = np.log((positives + 0.5) / (len(truth) - positives + 0.5))
    return out
