"""All that batches of beat views are made of, in the memory of the device that computes with them.

The host then sends an ECG's number instead of its 11 kB, and gathers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ecgkt.model.networks.beat_encoder import BeatView
from training.data.batch import Batch
from training.data.beat_views import BeatViews

SHARE = 1 / 3  # of the memory that is free; the rest is for what is computed, and for other runs on the same card


def fits(views: Sequence[BeatViews], device: torch.device) -> bool:
    """Is `device` a GPU with room for the views? On a CPU the memory map does as well."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return sum(view.templates.nbytes + view.rhythm.nbytes for view in views) < SHARE * free


@dataclass(frozen=True)
class Held:
    """Of all ECGs of a pool, on one device: templates [N, 1 + HALVES, 36, BEAT] float16, rhythm [N, 16],
    table [N, columns], targets head -> [N, labels]."""

    templates: Tensor
    rhythm: Tensor
    table: Tensor
    targets: dict[str, Tensor]

    @classmethod
    def of(
        cls,
        views: Sequence[BeatViews],
        table: npt.NDArray[np.float32],
        targets: dict[str, npt.NDArray[np.float32]],
        device: torch.device,
    ) -> Self:
        def held(arrays: Sequence[npt.NDArray[np.generic]]) -> Tensor:
            return torch.cat([torch.from_numpy(np.array(array)).to(device) for array in arrays])

        return cls(
            held([view.templates for view in views]),
            held([view.rhythm for view in views]),
            held([table]),
            {head: held([values]) for head, values in targets.items()},
        )

    def with_targets(self, head: str, values: npt.NDArray[np.float32]) -> Held:
        return replace(self, targets={**self.targets, head: torch.from_numpy(values).to(self.table.device)})

    def batch(self, rows: npt.NDArray[np.int64], which: npt.NDArray[np.int64]) -> Batch:
        """As `Pool.batch`, without clock and source.

        which: of each ECG, the average of all its beats (0) or of a random half.
        """
        at, half = torch.from_numpy(np.stack([rows, which])).to(self.table.device, non_blocking=True)
        view = BeatView(self.templates[at, half].float(), self.rhythm[at])
        return Batch(view, self.table[at], {head: values[at] for head, values in self.targets.items()})
