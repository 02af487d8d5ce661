"""The training loop against the plain way, for benchmarks/training.py: same network, same batch, in one run."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import wfdb
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ecgkt.ecg import ECG, LEADS
from ecgkt.model.networks.encoders import build_encoder
from ecgkt.model.preprocessing import model_view
from training.cohort.prepared import CLINICAL_COLUMNS, load_prepared, write_prepared
from training.data.pool import Pool, Sampler, augment
from training.train.devices import Share
from training.train.loop import Schedule, fit
from training.train.objectives import Terms, masked_bce

RECORDS, BATCH, LABELS = 256, 64, 20
OWN_STEPS, PLAIN_STEPS = 4, 2
AUGMENT = {"shift_s": 1.0, "gain": 0.1, "lead_gain": 0.1, "noise_mv": 0.01, "table_dropout": 0.1}
ENCODERS: dict[str, dict[str, Any]] = {
    "BeatNet, as shipped": {"kind": "beat", "widths": [32, 32, 48, 64]},
    "residual network, width 32": {"kind": "resnet", "width": 32},
}


class Plain(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """A record an item: read, resampled, filtered, float32."""

    def __init__(self, folder: Path, truth: np.ndarray) -> None:
        self.folder, self.truth = folder, truth

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        record = wfdb.rdrecord(str(self.folder / f"r{number}"))
        view = model_view(ECG(record.p_signal.T.astype(np.float32), float(record.fs)))
        return torch.from_numpy(view), torch.from_numpy(self.truth[number])


def write(folder: Path) -> np.ndarray:
    """The same ECGs as WFDB records of MIMIC's shape (500 Hz, 10 s, 16 bit) and as a prepared set; their labels."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (RECORDS, LABELS)).astype(np.float32)
    records, prepared = folder / "records", folder / "prepared"
    if (prepared / "prepared.json").exists():
        return truth
    records.mkdir(parents=True, exist_ok=True)
    prepared.mkdir(exist_ok=True)
    seconds = np.arange(5000) / 500
    views = []
    for number in range(RECORDS):
        beat = np.exp(-((((seconds * rng.uniform(0.8, 1.6)) % 1 - 0.5) / 0.03) ** 2))
        signal = beat[:, None] * rng.uniform(0.3, 1, len(LEADS)) + 0.02 * rng.standard_normal((5000, len(LEADS)))
        wfdb.wrsamp(
            f"r{number}", 500, ["mV"] * len(LEADS), list(LEADS), signal, fmt=["16"] * len(LEADS), write_dir=str(records)
        )
        views.append(np.round(model_view(ECG(signal.T.astype(np.float32), 500.0)) * 1000).astype("<i2"))
    np.stack(views).tofile(prepared / "signals.i16")
    ids = [f"r{number}" for number in range(RECORDS)]
    text = {"stay": "", "source": "made up", "age": 60.0, "sex": "male", "path": "", "split": "train"}
    codes = [f"F{number}" for number in range(LABELS)]
    empty = pd.DataFrame(index=range(RECORDS))
    tables = {
        "ecgs": pd.DataFrame({"ecg_id": ids, "patient": ids} | text),
        "clinical": pd.DataFrame(np.nan, index=range(RECORDS), columns=CLINICAL_COLUMNS),
        "findings": pd.DataFrame(truth, columns=codes), "diagnoses": empty, "labs": empty,
    }  # fmt: skip
    labels = {"findings": [{"code": code} for code in codes], "diagnoses": [], "labs": []}
    info = {"name": "made up", "source": "made up", "simulated": True, "labels": labels, "excluded": {}, "config": {}}
    write_prepared(prepared, info | {"license": "", "note": ""}, tables)
    return truth


def network(encoder: dict[str, Any]) -> nn.Module:
    torch.manual_seed(0)
    built = build_encoder(encoder)
    return nn.Sequential(built, nn.Linear(built.dimension, LABELS))


def own(encoder: dict[str, Any], pool: Pool, work: Path) -> Callable[[int], None]:
    """So many steps of the loop."""
    sampler = Sampler([pool.rows("train")], [1.0], BATCH, 0)

    def run(steps: int) -> None:
        module = network(encoder)

        def loss(step: int, _: Share) -> Terms:
            batch = augment(pool.batch(sampler(step), (0, step)), AUGMENT, (0, step))
            return {"bce": masked_bce(module(batch.signal), batch.targets["findings"])}

        fit("own", module, [(module, 1.0)], loss, Schedule(steps, 1e-3, 0.01, 0.99, 0, 10**6), work / "run")

    return run


def plain(encoder: dict[str, Any], data: Plain) -> Callable[[int], None]:
    def run(steps: int) -> None:
        module = network(encoder)
        optimizer = torch.optim.AdamW(module.parameters())
        loader = iter(DataLoader(data, BATCH, shuffle=True))
        for _ in range(steps):
            signal, truth = next(loader)
            loss = nn.functional.binary_cross_entropy_with_logits(module(signal), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def compare(work: Path, repeats: int) -> dict[str, Any]:
    """ECGs a second of both ways by encoder, of their data alone, and bytes a second from the memory map."""
    work = work / f"training-{RECORDS}"
    truth = write(work)
    data = Plain(work / "records", truth)
    prepared = load_prepared(work / "prepared")
    timed: dict[tuple[str, str], tuple[Callable[[int], object], int]] = {}
    for name, encoder in ENCODERS.items():
        pool = Pool([prepared], beats=encoder["kind"] == "beat")
        timed[name, "own"] = own(encoder, pool, work), OWN_STEPS
        timed[name, "plain"] = plain(encoder, data), PLAIN_STEPS
        rows = np.random.default_rng(0).integers(RECORDS, size=BATCH)
        timed[name, "own, data alone"] = _batches(pool, rows), OWN_STEPS
    timed["either", "plain, data alone"] = lambda steps: [data[i] for i in range(steps * BATCH)], PLAIN_STEPS
    for run, _ in timed.values():
        run(1)
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in timed}
    for number in range(repeats):
        for key in list(timed) if number % 2 == 0 else list(timed)[::-1]:
            run, steps = timed[key]
            begun = time.process_time()  # of one thread: what other work the machine does is none of its
            run(steps)
            rates[key].append(steps * BATCH / (time.process_time() - begun))
            print(*key, round(rates[key][-1]), "ECG/s", file=sys.stderr, flush=True)
    found: dict[str, Any] = {}
    for (name, way), values in rates.items():
        found.setdefault(name, {})[way] = _spread(values)
    for name in ENCODERS:
        ratio = [a / b for a, b in zip(rates[name, "own"], rates[name, "plain"], strict=True)]
        found[name]["times as fast"] = _spread(ratio)
    return found


def _batches(pool: Pool, rows: np.ndarray) -> Callable[[int], object]:
    return lambda steps: [augment(pool.batch(rows, (0, step)), AUGMENT, (0, step)) for step in range(steps)]


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}
