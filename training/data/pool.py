"""Prepared sets -> batches. Whole batches are gathered from the memory map at once, which is 25 times faster than one
item at a time; everything random follows from (seed, step), so a resumed run sees the same batches.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_encoder import TEMPLATES, BeatView
from ecgkt.model.preprocessing import MODEL_RATE
from ecgkt.prediction import HEADS
from training.cohort.prepared import Prepared
from training.data.beat_views import HALVES, beat_views

SHIFT = 2  # samples by which the templates of a beat are moved at most: R is found to a sample or two


@dataclass(frozen=True)
class Batch:
    """signal [B, 12, T] mV, or what a beat encoder sees of it; table [B, columns] NaN missing; targets head ->
    [B, labels] from 0 to 1, or NaN (unknown)."""

    signal: Tensor | BeatView
    table: Tensor
    targets: dict[str, Tensor]


class Pool:
    """Several prepared sets side by side: one list of columns and of labels, NaN where a set does not know.

    rows are numbered through all sets; `source_of[row]` is the set's number. beats: batches hold beat views (made
    first if need be) instead of signals.
    """

    def __init__(self, sets: Sequence[Prepared], beats: bool = False) -> None:
        if not sets:
            raise ValueError("There is no prepared set to train on.")
        self.sets = tuple(sets)
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

    def beats(self, rows: npt.NDArray[np.int64], which: npt.NDArray[np.int64]) -> BeatView:
        """What a beat encoder sees of `rows`; which: [rows], 0 for the average of all beats, else of a random half."""
        assert self.views is not None
        parts, places = [], []
        for number, views in enumerate(self.views):
            here = np.flatnonzero(self.source_of[rows] == number)
            parts.append(views.view(rows[here] - self.offsets[number], which[here]))
            places.append(here)
        back = torch.from_numpy(np.argsort(np.concatenate(places), kind="stable"))
        return BeatView(torch.cat([p.templates for p in parts])[back], torch.cat([p.rhythm for p in parts])[back])

    def batch(self, rows: npt.NDArray[np.int64], seed: tuple[int, int] | None = None) -> Batch:
        """The ECGs of `rows`. seed: for training, which random half of the beats an average is made of."""
        signal: Tensor | BeatView
        if self.views is None:
            signal = torch.from_numpy(self.signals(rows))
        else:
            which = np.zeros(len(rows), dtype=np.int64)
            if seed is not None:
                which = 1 + np.random.default_rng([*seed, 1]).integers(HALVES, size=len(rows))
            signal = self.beats(rows, which)
        return Batch(
            signal,
            torch.from_numpy(self.table[rows]),
            {head: torch.from_numpy(values[rows]) for head, values in self.targets.items()},
        )

    def with_targets(self, head: str, values: npt.NDArray[np.float32]) -> Self:
        """The same ECGs with other targets [rows, labels] for one head: fewer labels, or a teacher's probabilities."""
        if values.shape != self.targets[head].shape:
            raise ValueError(f"Targets must be {self.targets[head].shape}, not {values.shape}.")
        other = copy.copy(self)
        other.targets = {**self.targets, head: values.astype(np.float32)}
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

    Gains matter: PTB-XL's amplitudes are modeled, so a network must not lean on the last tenth of a millivolt.
    Templates of beats get gains and a small shift; their noise is that of the random half. The input is not changed.
    """
    generator = torch.Generator().manual_seed(seed[0] * 1_000_003 + seed[1])
    size = len(batch.table)
    gain = torch.randn(size, 1, 1, generator=generator) * settings["gain"]
    gain = (gain + torch.randn(size, len(LEADS), 1, generator=generator) * settings["lead_gain"]).exp()
    hidden = torch.rand(size, 1, generator=generator) < settings["table_dropout"]
    table = batch.table.masked_fill(hidden, float("nan"))
    signal: Tensor | BeatView
    if isinstance(batch.signal, BeatView):
        moved = int(torch.randint(-SHIFT, SHIFT + 1, (1,), generator=generator))
        templates = torch.roll(batch.signal.templates, moved, dims=2) * gain.repeat(1, TEMPLATES, 1)
        signal = BeatView(templates, batch.signal.rhythm)
    else:
        signal = batch.signal
        cut = int(settings["shift_s"] * MODEL_RATE)
        if cut:
            first = int(torch.randint(cut + 1, (1,), generator=generator))
            signal = signal[..., first : signal.shape[-1] - (cut - first)]
        signal = signal * gain + torch.randn(signal.shape, generator=generator) * settings["noise_mv"]
    return Batch(signal, table, batch.targets)
