"""What a network is shown at a step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ecgkt.model.networks.beat_encoder import BeatView
from training.data.clock import Clock


@dataclass(frozen=True)
class Batch:
    """signal [B, 12, T] mV, or what a beat encoder sees of it; table [B, columns] NaN missing; targets head ->
    [B, labels] from 0 to 1, or NaN (unknown). clock: what it took to make it, of the pool it is from. source: [B] the
    number of the set that each ECG is from; None: of the first."""

    signal: Tensor | BeatView
    table: Tensor
    targets: dict[str, Tensor]
    clock: Clock | None = field(default=None, compare=False, repr=False)
    source: npt.NDArray[np.int64] | None = None
