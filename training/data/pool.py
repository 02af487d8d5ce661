"""Prepared sets -> batches. Whole batches are gathered from the memory map at once, which is 25 times faster than one
item at a time, and converted on the pool's device; everything random follows from (seed, step), so a resumed run sees
the same batches.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.prediction import HEADS
from training.cohort.prepared import Prepared
from training.data.augment import augment
from training.data.batch import Batch
from training.data.beat_views import HALVES, beat_views
from training.data.clock import Clock
from training.data.held import Held, fits

CPU = torch.device("cpu")

__all__ = ["Batch", "Pool", "Sampler", "augment"]


class Pool:
    """Several prepared sets side by side: one list of columns and of labels, NaN where a set does not know.

    rows are numbered through all sets; `source_of[row]` is the set's number. beats: batches hold beat views (made
    first if need be) instead of signals. device: where batches are put. held: all beat views, tables and targets lie
    in the device's own memory and are gathered there; by default on a GPU, where they take less than a third of what is
    free.
    """

    def __init__(
        self, sets: Sequence[Prepared], beats: bool = False, device: torch.device = CPU, held: bool | None = None
    ) -> None:
        if not sets:
            raise ValueError("There is no prepared set to train on.")
        self.sets = tuple(sets)
        self.device = device
        self.clock = Clock()
        self.views = [beat_views(prepared) for prepared in sets] if beats else None
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
        self._held: Held | None = None
        if self.views is not None and (held or (held is None and fits(self.views, device))):
            self._held = Held.of(self.views, self.table, self.targets, device)

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

    def simulated(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """[rows] whether each ECG is of a simulated patient."""
        return np.array([bool(prepared.info["simulated"]) for prepared in self.sets])[self.source_of[rows]]

    @property
    def seconds(self) -> float:
        """What all batches so far have taken to make and to augment."""
        return self.clock.seconds

    def _gather(
        self, arrays: Sequence[npt.NDArray[Any]], rows: npt.NDArray[np.int64], *more: npt.NDArray[np.int64]
    ) -> npt.NDArray[Any]:
        """The entries of `rows` from one array a set, as they are stored; more: places along further axes, by row."""
        if len(arrays) == 1:
            return np.asarray(arrays[0][(rows, *more)])
        first = arrays[0]
        out = np.empty((len(rows), *first.shape[1 + len(more) :]), dtype=first.dtype)
        for number, array in enumerate(arrays):
            here = np.flatnonzero(self.source_of[rows] == number)
            local = rows[here] - self.offsets[number]
            order = np.argsort(local)  # the disk likes rising addresses
            out[here[order]] = array[(local[order], *(places[here[order]] for places in more))]
        return out

    def signals(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """[rows, 12, T] mV."""
        out: npt.NDArray[np.float32] = self._stored(rows).astype(np.float32)
        out /= 1000.0  # uV -> mV
        return out

    def _stored(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
        return self._gather([prepared.signals for prepared in self.sets], rows)

    def _on_device(self, array: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def beats(self, rows: npt.NDArray[np.int64], which: npt.NDArray[np.int64]) -> BeatView:
        """What a beat encoder sees of `rows`; which: [rows], 0 for the average of all beats, else of a random half."""
        assert self.views is not None
        templates = self._gather([views.templates for views in self.views], rows, which)
        rhythm = self._gather([views.rhythm for views in self.views], rows)
        return BeatView(self._on_device(templates).float(), self._on_device(rhythm))

    def batch(self, rows: npt.NDArray[np.int64], seed: tuple[int, int] | None = None) -> Batch:
        """The ECGs of `rows`. seed: for training, which random half of the beats an average is made of."""
        with self.clock.running():
            if self._held is not None:
                batch = self._held.batch(rows, self._which(rows, seed))
                return replace(batch, clock=self.clock, source=self.source_of[rows])
            signal: Tensor | BeatView
            if self.views is None:
                # Half the bytes travel to the device, which converts them.
                signal = self._on_device(self._stored(rows)).float().div_(1000.0)
            else:
                signal = self.beats(rows, self._which(rows, seed))
            targets = {head: self._on_device(values[rows]) for head, values in self.targets.items()}
            return Batch(signal, self._on_device(self.table[rows]), targets, self.clock, self.source_of[rows])

    @staticmethod
    def _which(rows: npt.NDArray[np.int64], seed: tuple[int, int] | None) -> npt.NDArray[np.int64]:
        """Of each ECG the average of all its beats, or with a seed that of a random half."""
        if seed is None:
            return np.zeros(len(rows), dtype=np.int64)
        return 1 + np.random.default_rng([*seed, 1]).integers(HALVES, size=len(rows))

    def with_targets(self, head: str, values: npt.NDArray[np.float32]) -> Self:
        """The same ECGs with other targets [rows, labels] for one head: fewer labels, or a teacher's probabilities."""
        if values.shape != self.targets[head].shape:
            raise ValueError(f"Targets must be {self.targets[head].shape}, not {values.shape}.")
        other = copy.copy(self)
        other.targets = {**self.targets, head: values.astype(np.float32)}
        if self._held is not None:
            other._held = self._held.with_targets(head, other.targets[head])
        return other

    def lead_scale(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """[12, 1] standard deviation of each lead over (up to 2,000 of) the given rows, mV."""
        sample = self.signals(rows[:: max(1, len(rows) // 2000)])
        return torch.from_numpy(sample.std(axis=(0, 2)))[:, None]


class Sampler:
    """Row numbers of the batch at a step: a fixed share from each group of rows, each in its own reshuffled rounds."""

    def __init__(self, groups: Sequence[npt.NDArray[np.int64]], shares: Sequence[float], batch: int, seed: int) -> None:
        self.rows = list(groups)
        counts = np.floor(np.asarray(shares) / np.sum(shares) * batch).astype(int)
        counts[0] += batch - counts.sum()
        self.counts = [int(count) for count in counts]
        self.seed = seed
        # A round lasts many steps, and a permutation takes longer than all else that a batch is chosen by.
        self._order = lru_cache(maxsize=2 * len(self.rows))(self._shuffled)

    def _shuffled(self, source: int, number: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.seed, source, number]).permutation(self.rows[source])

    def __call__(self, step: int) -> npt.NDArray[np.int64]:
        chosen = []
        for source, (rows, count) in enumerate(zip(self.rows, self.counts, strict=True)):
            position = step * count + np.arange(count)
            rounds, within = position // len(rows), position % len(rows)
            for number in np.unique(rounds):
                chosen.append(self._order(source, int(number))[within[rounds == number]])
        return np.concatenate(chosen)
