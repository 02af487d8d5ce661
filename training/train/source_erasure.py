"""Lab heads that do not carry where an ECG is from.

Labs are learned from simulated ECGs only, and the two kinds of tracing differ, so that lab scores alone would tell a
real normal ECG from a simulated one. `erase_source` takes that out of the lab heads by least-squares concept erasure
(LEACE, Belrose et al. 2023, arXiv 2306.03819): the smallest change of the scores, in their own units of spread, after
which their mean is the same for both kinds, so that no linear reading of them does better than chance. It is folded
into the heads' weights: nothing is added to the network, and relevance needs nothing of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from ecgkt.model.networks.network import Network
from training.data.pool import Pool
from training.train.predict import logits

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
HEAD = "labs"
ECGS_A_LABEL = 4  # of each kind; with fewer the direction to be taken out is mostly chance
NEGLIGIBLE = 1e-8  # variance of a direction against the largest, or mean difference against the spread: rounding


def normal_of_like_age(pool: Pool, splits: Sequence[str], seed: int) -> Rows:
    """Rows of normal ECGs, as many simulated as real ones in every band of ten years.

    Any others would differ in what the patients have, and not only in where the tracing is from. Empty where one kind
    is missing.
    """
    codes = pool.codes()["findings"]
    if "NORM" not in codes:
        return np.zeros(0, dtype=np.int64)
    rows = np.concatenate([pool.rows(split) for split in splits])
    rows = rows[pool.targets["findings"][rows, codes.index("NORM")] == 1]
    band = pool.ecgs["age"].to_numpy(float)[rows] // 10
    simulated = pool.simulated(rows)
    rng = np.random.default_rng(seed)
    kept = [np.zeros(0, dtype=np.int64)]
    for one in np.unique(band[~np.isnan(band)]):
        here = [rows[(band == one) & (simulated == kind)] for kind in (False, True)]
        count = min(len(group) for group in here)
        kept += [rng.choice(group, count, replace=False) for group in here]
    return np.sort(np.concatenate(kept))


def erasure(scores: Array, is_real: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """(matrix [labels, labels], center [labels]): scores x become center + matrix (x - center).

    scores: [ECGs, labels]. Formula: theorem 4.3 of the source above, for one binary concept.
    """
    center = scores.mean(axis=0)
    difference = scores[is_real].mean(axis=0) - scores[~is_real].mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(scores.T))
    used = variances > NEGLIGIBLE * variances.max()
    root, axes = np.sqrt(variances[used]), axes[:, used]
    toward = (axes / root) @ (axes.T @ difference)  # the mean difference where every direction has the same spread
    if np.linalg.norm(toward) < NEGLIGIBLE:
        return np.eye(len(center)), center
    toward /= np.linalg.norm(toward)
    return np.eye(len(center)) - np.outer((axes * root) @ (axes.T @ toward), (axes / root) @ (axes.T @ toward)), center


def erase_source(network: Network, pool: Pool, seed: int) -> int:
    """Change the lab heads so that the kind of ECG is out of them, and say on how many training ECGs that was learned.

    0, and nothing is changed, where there is no lab head, or where normal ECGs of both kinds are too few.
    """
    if HEAD not in network.architecture.labels:
        return 0
    rows = normal_of_like_age(pool, ["train"], seed)
    layer = network.head(HEAD)
    if len(rows) < 2 * ECGS_A_LABEL * layer.out_features:
        return 0
    matrix, center = erasure(logits(network, pool, rows)[HEAD], ~pool.simulated(rows))
    weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(matrix @ weight))
        layer.bias.copy_(torch.from_numpy(matrix @ (bias - center) + center))
    return len(rows)
