"""What training is computed on: a CPU, a GPU, or many of either under `torchrun`, by the same command.

Lightning Fabric finds the process group that torchrun or SLURM describes, starts it (gloo on CPUs, NCCL on GPUs) and
wraps the module for data parallel training. Everything else reads the same with one process and with many: a batch is
drawn once, by (seed, step), and each process takes its `Share` of it.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, distributed, nn

from ecgkt.model.networks.beat_encoder import BeatView
from training.config import Hardware
from training.data.pool import Batch
from training.train import across
from training.train.log import Gpu

Rows = npt.NDArray[np.int64]
T = TypeVar("T")
STRIDE = 104_729  # a prime: shares of a batch draw from seeds that no member of an ensemble has
# The others wait while the first process evaluates; a process that fails ends them all, under torchrun.
PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Share:
    """Every `of`-th ECG of a batch from `number` on: what one process computes at a time."""

    number: int = 0
    of: int = 1

    def rows(self, rows: Rows) -> Rows:
        return rows[self.number :: self.of]

    def seed(self, seed: int, step: int) -> tuple[int, int]:
        """What augmentation and dropout of this share follow from; for a batch in one piece (seed, step)."""
        return seed + STRIDE * self.number, step

    def known(self, targets: npt.NDArray[np.float32]) -> int | None:
        """How many entries of the whole batch's targets are known; None where this share is the whole batch."""
        return None if self.of == 1 else int((~np.isnan(targets)).sum())


WHOLE = Share()


def _leave() -> None:
    """End the process group while Python still runs: its threads, left to the end of the process, may abort it."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


class Devices:
    """device: of this process. bfloat16: is what the network computes in autocast to it?"""

    def __init__(self, hardware: Hardware) -> None:
        processes, here = (int(os.environ.get(key, "1")) for key in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
        accelerator = hardware.accelerator
        if accelerator == "auto":
            accelerator = "cuda" if torch.cuda.is_available() else "cpu"
        many: Any = DDPStrategy(timeout=PATIENCE, broadcast_buffers=False) if processes > 1 else "auto"
        self.fabric = Fabric(accelerator=accelerator, strategy=many, devices=here, num_nodes=processes // here)
        self.fabric.launch()
        if processes > 1:
            atexit.register(_leave)
        self.device = self.fabric.device
        self.accumulate, self.compile = hardware.accumulate, hardware.compile
        on_gpu = self.device.type == "cuda"
        self.bfloat16 = hardware.precision == "bfloat16" or (
            hardware.precision == "auto" and on_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        )
        if on_gpu:
            torch.set_float32_matmul_precision("high")  # TF32, also where bfloat16 is not used
            torch.backends.cudnn.deterministic = True  # a resumed run ends with the same weights

    @property
    def processes(self) -> int:
        return int(self.fabric.world_size)

    @property
    def is_first(self) -> bool:
        """Is this the process that writes?"""
        return bool(self.fabric.is_global_zero)

    @property
    def is_first_here(self) -> bool:
        """Is this the first process of this machine?"""
        return bool(self.fabric.local_rank == 0)

    def shares(self, batch: int) -> list[Share]:
        """What this process computes of a batch, one after another. Raises ValueError where it cannot be divided."""
        of = self.processes * self.accumulate
        if batch % of:
            raise ValueError(
                f"A batch of {batch} cannot be divided between {self.processes} processes in {self.accumulate} parts."
            )
        return [Share(self.fabric.global_rank + self.processes * part, of) for part in range(self.accumulate)]

    def parallel(self, module: nn.Module) -> Callable[..., Any]:
        """`module` on the device, its gradients averaged over processes."""
        return self.fabric.setup_module(module)

    def without_exchange(self, parallel: Callable[..., Any], enabled: bool) -> AbstractContextManager[None]:
        """Leave out the exchange of gradients, for all shares of a batch but the last."""
        return self.fabric.no_backward_sync(parallel, enabled=enabled)  # type: ignore[arg-type]

    def forward(self, module: nn.Module) -> Callable[..., Any]:
        """How `module` is called in training: compiled where that is asked for, in bfloat16 where that is quick.

        Whatever comes out is float32, so that losses are computed in it.
        """
        called: Callable[..., Any] = torch.compile(module) if self.compile else module
        if not self.bfloat16:
            return called

        def lower(*inputs: Any) -> Any:
            with torch.autocast(self.device.type, torch.bfloat16):
                out = called(*inputs)
            return _as_float32(out)

        return lower

    def moved(self, batch: Batch) -> Batch:
        """The batch on this process's device; as it is where it lies there already."""
        if batch.table.device == self.device:
            return batch
        signal, device = batch.signal, self.device
        moved: Tensor | BeatView
        if isinstance(signal, BeatView):
            moved = BeatView(signal.templates.to(device), signal.rhythm.to(device))
        else:
            moved = signal.to(device)
        targets = {head: values.to(device) for head, values in batch.targets.items()}
        return replace(batch, signal=moved, table=batch.table.to(device), targets=targets)

    def first_then_all(self, make: Callable[[], T]) -> T:
        """`make()` in the first process, then in the others, which find on the disk what it made."""
        if self.processes == 1:
            return make()
        with self.fabric.rank_zero_first():
            return make()

    def agreed(self, make: Callable[[], float]) -> float:
        """The first process's number in all of them."""
        value = make() if self.is_first else 0.0
        return float(across.of_the_first(torch.tensor(value, dtype=torch.float64, device=self.device)))

    def gpu(self) -> Gpu | None:
        """How this process's GPU is used; None without one. Does not wait for it."""
        if self.device.type != "cuda":
            return None
        busy = None
        if find_spec("pynvml") is not None:
            with suppress(Exception):  # a driver that cannot tell, as of a part of a GPU, stops no training
                busy = torch.cuda.utilization(self.device) / 100
        return Gpu(memory_gb=round(torch.cuda.max_memory_allocated(self.device) / 1e9, 3), busy=busy)

    def say(self, words: str) -> None:
        if self.is_first:
            print(words, flush=True)


def _as_float32(out: Any) -> Any:
    if isinstance(out, dict):
        return {key: value.float() for key, value in out.items()}
    return out.float() if isinstance(out, Tensor) else tuple(value.float() for value in out)


@cache
def devices_of(hardware: Hardware) -> Devices:
    """The devices of this process, which joins the others the first time that it asks."""
    return Devices(hardware)
