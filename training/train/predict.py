"""What a trained network makes of many ECGs: logits and embeddings, in batches, without gradients.

For rows of a pool or for signals [N, 12, T] mV at the model's rate. The network is used as it is: `eval()` is the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ecgkt.model.networks.network import Network
from training.data.pool import Batch, Pool

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Signals = npt.NDArray[np.float32]
BATCH = 256  # ECGs looked at together

T = TypeVar("T")


def logits(network: Network, pool: Pool, rows: Rows) -> dict[str, Array]:
    """Head -> [rows, labels of the network]."""

    def look(chosen: Rows) -> dict[str, Tensor]:
        batch = pool.batch(chosen)
        return network(batch.signal, _table(network, pool, batch))

    return _heads(network, _parts(rows, look))


def logits_by_pool(network: Network, pool: Pool, rows: Rows) -> dict[str, Array]:
    """Head -> [rows, labels of `pool`]; NaN for labels that the network does not have."""
    codes, known = pool.codes(), network.architecture.labels
    out = {head: np.full((len(rows), len(codes[head])), np.nan) for head in known}
    for head, values in logits(network, pool, rows).items():
        out[head][:, [codes[head].index(code) for code in known[head]]] = values
    return out


def embeddings(network: Network, pool: Pool, rows: Rows) -> Array:
    """[rows, dimension]"""

    def look(chosen: Rows) -> Tensor:
        batch = pool.batch(chosen)
        return network.embed(batch.signal, _table(network, pool, batch))

    return _joined(_parts(rows, look), network.dimension)


def logits_of_signals(network: Network, signals: Signals) -> dict[str, Array]:
    """Head -> [N, labels of the network], of a network that sees the ECG only."""
    return _heads(network, _parts(np.arange(len(signals)), lambda chosen: network(torch.from_numpy(signals[chosen]))))


def embeddings_of_signals(network: Network, signals: Signals) -> Array:
    """[N, dimension], of a network that sees the ECG only."""
    parts = _parts(np.arange(len(signals)), lambda chosen: network.embed(torch.from_numpy(signals[chosen])))
    return _joined(parts, network.dimension)


def _table(network: Network, pool: Pool, batch: Batch) -> Tensor | None:
    """The columns of the network's own table, in its order; None for a network that sees the ECG only."""
    if network.architecture.modality == "ecg":
        return None
    return batch.table[:, [pool.columns.index(column) for column in network.architecture.columns]]


def _parts(rows: Rows, look: Callable[[Rows], T]) -> list[T]:
    """What `look` gives for one batch after the other."""
    with torch.inference_mode():
        return [look(rows[first : first + BATCH]) for first in range(0, len(rows), BATCH)]


def _heads(network: Network, parts: list[dict[str, Tensor]]) -> dict[str, Array]:
    labels = network.architecture.labels
    return {head: _joined([part[head] for part in parts], len(codes)) for head, codes in labels.items()}


def _joined(parts: list[Tensor], width: int) -> Array:
    return (torch.cat(parts) if parts else torch.empty(0, width)).double().numpy()
