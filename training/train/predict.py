"""What a network says of a pool's rows, batch by batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ecgkt.model.networks.network import Network
from training.data.pool import Pool
from training.metrics import Array

Predictions = dict[str, Array]


def predict(network: Network, pool: Pool, rows: npt.NDArray[np.int64]) -> Predictions:
    """Logits head -> [rows, labels of `pool`]; NaN for labels that the network does not have."""
    codes = pool.codes()
    columns = [pool.columns.index(column) for column in network.architecture.columns]
    out = {h: np.full((len(rows), len(codes[h])), np.nan) for h in network.architecture.labels}
    places = {h: [codes[h].index(c) for c in listed] for h, listed in network.architecture.labels.items()}
    for first in range(0, len(rows), 256):
        batch = pool.batch(rows[first : first + 256])
        with torch.inference_mode():
            logits = network(batch.signal, batch.table[:, columns])
        for head, values in logits.items():
            out[head][first : first + len(values), places[head]] = values.double().numpy()
    return out
