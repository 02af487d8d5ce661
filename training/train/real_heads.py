"""Heads of findings, fitted once more on real ECGs alone.

Findings are learned from real and simulated ECGs together, where the simulated ones are many and their statements are a
machine's: what it calls hypertrophy, say, is not what PTB-XL's cardiologists do. For findings with enough positives on
real training ECGs the head is fitted again on those, on the finished embedding: logistic regression, drawn toward half
the head that was learned together. It is folded into the head's weights, so nothing is added to the network. Only sets
take part whose readers told of every finding whether it is there: what others call by the same name is another thing
again (with LUDB's and the Challenge's ECGs the superclasses of PTB-XL's were told worse by .005).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ecgkt.model.networks.network import Network
from training.data.pool import Pool
from training.train.predict import embeddings

HEAD = "findings"
# Of the head that was learned together. 0 and 1 do about as well on real ECGs; 0 does worse on simulated ones.
KEPT = 0.5
NEGLIGIBLE = 1e-3  # standard deviation of a feature that says nothing
ITERATIONS = 60


def refit_on_real(network: Network, pool: Pool, settings: dict[str, float]) -> list[str]:
    """Change the rows of the findings' head that have enough positives, and say which: their codes.

    settings: positives, how many that is among those ECGs (and as many negatives); ridge: the penalty on
    squared weights (of features with a standard deviation of 1), for each ECG. None where settings is empty, where
    there is no such head, where no finding has enough, or where the network sees a table too: real ECGs have none, and
    a head fitted without it said 100% of everything to patients with one.
    """
    if not settings or HEAD not in network.architecture.labels or network.architecture.modality != "ecg":
        return []
    codes, own = pool.codes()[HEAD], network.architecture.labels[HEAD]
    columns = [codes.index(code) for code in own]
    rows = _told_of_everything(pool, columns)
    truth = pool.targets[HEAD][rows][:, columns]
    fewest = np.minimum((truth == 1).sum(axis=0), (truth == 0).sum(axis=0))
    chosen = np.flatnonzero(fewest >= settings["positives"])
    if not len(chosen):
        return []
    layer = network.head(HEAD)
    with torch.no_grad():
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        features = torch.from_numpy(embeddings(network, pool, rows))
        center, spread = features.mean(dim=0), features.std(dim=0)
        scale = torch.where(spread > NEGLIGIBLE, 1 / spread, 0.0)
        before = KEPT * (features @ weight[chosen].T + bias[chosen])
    normed = (features - center) * scale
    added, constant = _logistic(normed, before, truth[:, chosen], settings["ridge"] * len(rows))
    with torch.no_grad():
        added = added * scale
        layer.weight[chosen] = (KEPT * weight[chosen] + added).to(layer.weight)
        layer.bias[chosen] = (KEPT * bias[chosen] + constant - added @ center).to(layer.bias)
    return [own[column] for column in chosen]


def _told_of_everything(pool: Pool, columns: list[int]) -> npt.NDArray[np.int64]:
    """Training rows of the real sets in which no finding is unknown."""
    sets = [pool.rows("train", number) for number, p in enumerate(pool.sets) if not p.info["simulated"]]
    complete = [rows for rows in sets if not np.isnan(pool.targets[HEAD][rows][:, columns]).any()]
    return np.concatenate([np.zeros(0, dtype=np.int64), *complete])


def _logistic(features: Tensor, before: Tensor, truth: npt.NDArray[np.float32], ridge: float) -> tuple[Tensor, Tensor]:
    """Weights [labels, D] and constants [labels] of what is added to the logits `before` [N, labels]."""
    target = torch.from_numpy(truth).double()
    weight = torch.zeros(truth.shape[1], features.shape[1], dtype=torch.float64, requires_grad=True)
    constant = torch.zeros(truth.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, constant], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = before + features @ weight.T + constant
        misfit = functional.binary_cross_entropy_with_logits(logits, target, reduction="sum")
        total = misfit + 0.5 * ridge * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), constant.detach()
