"""Prepared sets -> batches. Whole batches are gathered from the memory map at once, which is 25 times faster than one
item at a time; everything random follows from (seed, step), so a resumed run sees the same batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from ecgkt.explanation import HEADS
from ecgkt.model_input import MODEL_RATE
from training.cohort.prepared import Prepared


@dataclass(frozen=True)
class Batch:
    """signal [B, 12, T] mV; table [B, columns] NaN missing; targets head -> [B, labels] 0, 1 or NaN (unknown)."""

    signal: Tensor
    table: Tensor
    targets: dict[str, Tensor]


class Pool:
    """Several prepared sets side by side: one list of columns and of labels, NaN where a set does not know.

    rows are numbered through all sets; `source_of[row]` is the set's number.
    """

    def __init__(self, sets: Sequence[Prepared]) -> None:
        if not sets:
            raise ValueError("There is no prepared set to train on.")
        self.sets = tuple(sets)
        sizes = [len(prepared.ecgs) for prepared in sets]
        self.offsets = np.cumsum([0, *sizes])
        self.source_of = np.repeat(np.arange(len(sets)), sizes)
        self.ecgs = pd.concat([prepared.ecgs for prepared in sets], ignore_index=True)
        self.columns = list(dict.fromkeys(c for prepared in sets for c in prepared.clinical.columns))
        self.table = self._stack([prepared.clinical for prepared in sets], self.columns)
        self.labels: dict[str, list[dict[str, object]]] = {}
        self.targets: dict[str, npt.NDArray[np.float32]] = {}
        for head in HEADS:
            by_code = {entry["code"]: entry for p in reversed(sets) for entry in p.info["labels"].get(head, [])}
            self.labels[head] = [by_code[code] for code in sorted(by_code)]
            self.targets[head] = self._stack([getattr(p, head) for p in sets], [str(c) for c in sorted(by_code)])

    @staticmethod
    def _stack(frames: Sequence[pd.DataFrame], columns: list[str]) -> npt.NDArray[np.float32]:
        return np.concatenate([f.reindex(columns=columns).to_numpy(np.float32) for f in frames]).astype(np.float32)

    def codes(self) -> dict[str, list[str]]:
        return {head: [str(entry["code"]) for entry in self.labels[head]] for head in HEADS}

    def rows(self, split: str, source: int | None = None) -> npt.NDArray[np.int64]:
        chosen = (self.ecgs["split"] == split).to_numpy()
        if source is not None:
            chosen = chosen & (self.source_of == source)
        return np.flatnonzero(chosen)

    def signals(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """[rows, 12, T] mV."""
        out = np.empty((len(rows), *self.sets[0].signals.shape[1:]), dtype=np.float32)
        for number, prepared in enumerate(self.sets):
            here = np.flatnonzero(self.source_of[rows] == number)
            local = rows[here] - self.offsets[number]
            order = np.argsort(local)  # the disk likes rising addresses
            out[here[order]] = prepared.signals[local[order]]
        out /= 1000.0  # uV -> mV
        return out

    def batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        return Batch(
            torch.from_numpy(self.signals(rows)),
            torch.from_numpy(self.table[rows]),
            {head: torch.from_numpy(values[rows]) for head, values in self.targets.items()},
        )

    def lead_scale(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """[12, 1] standard deviation of each lead over (up to 2,000 of) the given rows, mV."""
        sample = self.signals(rows[:: max(1, len(rows) // 2000)])
        return torch.from_numpy(sample.std(axis=(0, 2)))[:, None]


class Sampler:
    """Row numbers of the batch at a step: a fixed share from each set, every set in its own reshuffled rounds."""

    def __init__(self, pool: Pool, shares: Sequence[float], batch: int, seed: int) -> None:
        self.rows = [pool.rows("train", source) for source in range(len(pool.sets))]
        counts = np.floor(np.asarray(shares) / np.sum(shares) * batch).astype(int)
        counts[0] += batch - counts.sum()
        self.counts = [int(count) for count in counts]
        self.seed = seed

    def __call__(self, step: int) -> npt.NDArray[np.int64]:
        chosen = []
        for source, (rows, count) in enumerate(zip(self.rows, self.counts, strict=True)):
            position = step * count + np.arange(count)
            rounds, within = position // len(rows), position % len(rows)
            for number in np.unique(rounds):
                order = np.random.default_rng([self.seed, source, int(number)]).permutation(rows)
                chosen.append(order[within[rounds == number]])
        return np.concatenate(chosen)


def augment(batch: Batch, settings: dict[str, float], seed: tuple[int, int]) -> Batch:
    """A random stretch, amplitudes off by a random gain (per ECG and per lead), white noise, some tables hidden.

    Gains matter: PTB-XL's amplitudes are modelled, so a network must not lean on the last tenth of a millivolt.
    The input is not changed.
    """
    generator = torch.Generator().manual_seed(seed[0] * 1_000_003 + seed[1])
    signal = batch.signal
    cut = int(settings["shift_s"] * MODEL_RATE)
    if cut:
        first = int(torch.randint(cut + 1, (1,), generator=generator))
        signal = signal[..., first : signal.shape[-1] - (cut - first)]
    size, leads = signal.shape[:2]
    gain = torch.randn(size, 1, 1, generator=generator) * settings["gain"]
    gain = gain + torch.randn(size, leads, 1, generator=generator) * settings["lead_gain"]
    noise = torch.randn(signal.shape, generator=generator) * settings["noise_mv"]
    hidden = torch.rand(size, 1, generator=generator) < settings["table_dropout"]
    table = batch.table.masked_fill(hidden, float("nan"))
    return Batch(signal * gain.exp() + noise, table, batch.targets)
