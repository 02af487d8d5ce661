"""Parts 3 and 4: one residual encoder trained on simulated ECGs alone, with a sigmoid head a label.

Findings are tested on real recordings, so the tracings are put on one scale per lead (PTB-XL's amplitudes are
modeled) and roughened by gains, noise and wander; labs are tested on held-out simulated patients, in millivolts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.simulation_judge import collected, recordings
from ecgkt.model.networks.encoders import ResNet1d
from ecgkt.model.preprocessing import MODEL_RATE
from training.metrics import MIN_POSITIVES, auroc, interval, patient_resamples
from training.train.devices import Share
from training.train.loop import Schedule, fit

TRAIN_ECGS, TEST_ECGS = 8000, 4000
TEST_SHARE = 0.25  # of the patients
BATCH = 128
WIDTH = 24
RESAMPLES = 1000
CROP = 900  # samples that a training step sees


@dataclass(frozen=True)
class Split:
    """Simulated ECGs with their labels: table, views [N, 12, 1000] mV float16, targets [N, labels] 0, 1, NaN."""

    table: pd.DataFrame
    view: np.ndarray
    targets: np.ndarray


def simulated(cohort: Path, cache: Path) -> tuple[tuple[pd.DataFrame, np.ndarray], tuple[pd.DataFrame, np.ndarray]]:
    """(train, test), each a table and its views; no patient is in both."""
    table = recordings.simulated(cohort)
    people = np.random.default_rng(0).permutation(table["patient"].unique())
    kept_back = table["patient"].isin(people[: int(TEST_SHARE * len(people))])
    test = table[kept_back].sample(frac=1, random_state=0).head(TEST_ECGS).reset_index(drop=True)
    train = table[~kept_back].sample(frac=1, random_state=0).head(TRAIN_ECGS).reset_index(drop=True)
    return collected.views("simulated", train, cache), collected.views("simulated", test, cache)


def one_scale(x: Tensor) -> Tensor:
    """Each lead to an SD of 1 within the tracing; x: [B, 12, T]."""
    return (x - x.mean(dim=2, keepdim=True)) / (x.std(dim=2, keepdim=True) + 1e-3)


def roughened(x: Tensor, findings: bool) -> Tensor:
    """A random stretch with random gains, white noise and wander; for findings a lead is now and then missing."""
    size = len(x)
    first = int(torch.randint(x.shape[2] - CROP + 1, (1,)))
    x = x[..., first : first + CROP]
    if not findings:
        gain = (0.05 * torch.randn(size, 1, 1) + 0.05 * torch.randn(size, 12, 1)).exp()
        return x * gain + 0.01 * torch.randn(x.shape)
    x = one_scale(x) * (0.25 * torch.randn(size, 12, 1)).exp()
    time = torch.arange(CROP) / MODEL_RATE
    wave = torch.sin(2 * torch.pi * torch.empty(size, 12, 1).uniform_(0.3, 1.0) * time + 6.28 * torch.rand(size, 12, 1))
    x = x + torch.empty(size, 1, 1).uniform_(0, 0.4) * torch.rand(size, 12, 1) * wave
    x = x + torch.empty(size, 1, 1).uniform_(0, 0.15) * torch.randn(x.shape)
    return x * (torch.rand(size, 12, 1) > 0.04)


def train(train_set: Split, findings: bool, steps: int, folder: Path) -> nn.Module:
    """The trained network; goes on from `folder`'s checkpoint. Half of each batch of findings are drawn positives."""
    torch.manual_seed(0)
    encoder = ResNet1d(width=WIDTH)
    model = nn.Sequential(encoder, nn.Dropout(0.1), nn.Linear(encoder.dimension, train_set.targets.shape[1]))
    targets = torch.from_numpy(train_set.targets.astype(np.float32))
    positives = [np.flatnonzero(column == 1) for column in train_set.targets.T]

    def loss(step: int, _: Share) -> dict[str, Tensor]:
        random = np.random.default_rng([1, step])
        rows = random.integers(len(targets), size=BATCH)
        if findings:
            for i in range(BATCH // 2):
                rows[i] = random.choice(positives[int(random.integers(len(positives)))])
        x = roughened(torch.from_numpy(train_set.view[rows].astype(np.float32)), findings)
        wanted = targets[rows]
        known = ~wanted.isnan()
        each = nn.functional.binary_cross_entropy_with_logits(model(x), wanted.nan_to_num(), reduction="none")
        return {"loss": (each * known).sum() / known.sum()}

    schedule = Schedule(steps=steps, lr=2e-3, weight_decay=0.02, ema=0.99, seed=0, checkpoint_every=100)
    fit(folder.name, model, [(model, 1.0)], loss, schedule, folder)
    return model


def predict(model: nn.Module, view: np.ndarray, findings: bool) -> np.ndarray:
    """Logits [N, labels]."""
    model.eval()
    out = []
    with torch.no_grad():
        for first in range(0, len(view), BATCH):
            x = torch.from_numpy(view[first : first + BATCH].astype(np.float32))
            out.append(model(one_scale(x) if findings else x).numpy())
    return np.concatenate(out)


def measured_auroc(scores: np.ndarray, truth: np.ndarray, patients: pd.Series) -> dict[str, Any] | None:
    """AUROC with its 95% interval over patients and the counts; None with fewer than `MIN_POSITIVES` on a side."""
    known = np.isfinite(truth)
    scores, truth, names = scores[known].astype(float), truth[known], patients[known].to_numpy(str)
    positives = int(truth.sum())
    if min(positives, len(truth) - positives) < MIN_POSITIVES:
        return None
    low, high = interval(auroc(scores, truth, patient_resamples(names, RESAMPLES, 0)))
    value = float(auroc(scores, truth)[0])
    return {"auroc": round(value, 3), "low": round(low, 3), "high": round(high, 3), "positives": positives,
            "ecgs": len(truth)}  # fmt: skip


def folder_of(work: Path, name: str, part: str, steps: int, train_set: Split, labels: list[str]) -> Path:
    """A run's own folder: other data, labels or code make another one, so that no stale checkpoint is taken up."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(repr((labels, list(train_set.table["file"]), train_set.view.shape)).encode())
    digest.update(np.ascontiguousarray(train_set.view[:: max(1, len(train_set.view) // 50)]).tobytes())
    digest.update(np.nan_to_num(train_set.targets, nan=2).astype(np.int8).tobytes())
    return work / "networks" / f"{name}-{part}-{steps}-{digest.hexdigest()[:8]}"
