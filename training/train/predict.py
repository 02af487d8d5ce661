"""What a trained network makes of many ECGs: logits and embeddings, in batches, without gradients.

For rows of a pool or for signals [N, 12, T] mV at the model's rate. The network is used as it is, where it is: `eval()`
is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.model.networks.network import Network
from training.data.pool import Batch, Pool

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Signals = npt.NDArray[np.float32]
T = TypeVar("T")
BATCH = 256  # ECGs looked at together


def look(network: Network, pool: Pool, rows: Rows) -> tuple[Array, dict[str, Array]]:
    """([rows, dimension] embedding, head -> [rows, labels of `pool`] logits); NaN for labels that the network does not
    have."""
    embedding, own = _both(network, len(rows), lambda first, last: _embedded(network, pool, rows[first:last]))
    codes, known = pool.codes(), network.architecture.labels
    out = {head: np.full((len(rows), len(codes[head])), np.nan) for head in known}
    for head, values in own.items():
        out[head][:, [codes[head].index(code) for code in known[head]]] = values
    return embedding, out


def logits(network: Network, pool: Pool, rows: Rows) -> dict[str, Array]:
    """Head -> [rows, labels of the network]."""
    return _both(network, len(rows), lambda first, last: _embedded(network, pool, rows[first:last]))[1]


def logits_by_pool(network: Network, pool: Pool, rows: Rows) -> dict[str, Array]:
    """Head -> [rows, labels of `pool`]; NaN for labels that the network does not have."""
    return look(network, pool, rows)[1]


def embeddings(network: Network, pool: Pool, rows: Rows) -> Array:
    """[rows, dimension]"""
    parts = _parts(len(rows), lambda first, last: _embedded(network, pool, rows[first:last]))
    return _joined(parts, network.dimension)


def logits_of_signals(network: Network, signals: Signals) -> dict[str, Array]:
    """Head -> [N, labels of the network], of a network that sees the ECG only."""
    return _both(network, len(signals), lambda first, last: network.embed(_tensor(network, signals[first:last])))[1]


def embeddings_of_signals(network: Network, signals: Signals) -> Array:
    """[N, dimension], of a network that sees the ECG only."""
    parts = _parts(len(signals), lambda first, last: network.embed(_tensor(network, signals[first:last])))
    return _joined(parts, network.dimension)


def _parts(count: int, make: Callable[[int, int], T]) -> list[T]:
    """What `make` gives for one batch of `count` ECGs after the other."""
    with torch.inference_mode():
        return [make(first, first + BATCH) for first in range(0, count, BATCH)]


def _both(network: Network, count: int, embed: Callable[[int, int], Tensor]) -> tuple[Array, dict[str, Array]]:
    """Embedding and logits of `count` ECGs."""
    embedded = _parts(count, embed)
    with torch.inference_mode():
        said = [{head: layer(network.dropout(part)) for head, layer in network.heads.items()} for part in embedded]
    labels = network.architecture.labels
    by_head = {head: _joined([part[head] for part in said], len(codes)) for head, codes in labels.items()}
    return _joined(embedded, network.dimension), by_head


def _embedded(network: Network, pool: Pool, rows: Rows) -> Tensor:
    batch, device = pool.batch(rows), network.lead_scale.device
    signal = batch.signal
    if isinstance(signal, BeatView):
        signal = BeatView(signal.templates.to(device), signal.rhythm.to(device))
    else:
        signal = signal.to(device)
    table = _table(network, pool, batch)
    return network.embed(signal, None if table is None else table.to(device))


def _table(network: Network, pool: Pool, batch: Batch) -> Tensor | None:
    """The columns of the network's own table, in its order; None for a network that sees the ECG only."""
    if network.architecture.modality == "ecg":
        return None
    return batch.table[:, [pool.columns.index(column) for column in network.architecture.columns]]


def _tensor(network: Network, signals: Signals) -> Tensor:
    return torch.from_numpy(signals).to(network.lead_scale.device)


def _joined(parts: list[Tensor], width: int) -> Array:
    return (torch.cat(parts) if parts else torch.empty(0, width)).cpu().double().numpy()
