"""A made-up prepared set of random tracings and the config of a run on it that takes seconds: for what must hold of
training whatever it learns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from training.cohort.prepared import CLINICAL_COLUMNS, SHAPE, write_prepared
from training.config import Config, load_config

ROOT = Path(__file__).resolve().parents[2]
ECGS = 240
NO_AUGMENTATION = {"shift_s": 0.0, "gain": 0.0, "lead_gain": 0.0, "noise_mv": 0.0, "table_dropout": 0.0}
CODES = {"findings": ["AFIB", "NORM"], "diagnoses": ["I48", "I50"], "labs": ["potassium_high", "potassium_low"]}
SMALL: dict[str, Any] = {
    "name": "toy",
    "seed": 3,
    "threads": 1,
    "cohort": "",
    "sources": [{"name": "toy", "kind": "mimic", "share": 1.0, "path": "nowhere"}],
    "encoder": {"kind": "resnet", "width": 4},
    "members": 1,
    "table_width": 8,
    "dropout": 0.0,
    "batch": 16,
    "transfer": "lab_heads",
    "pretrain_steps": 20,
    "projector": 8,
    "finetune_steps": 40,
    "checkpoint_every": 7,
    "bootstrap": 20,
    "augment": NO_AUGMENTATION,
}


def write_config(folder: Path, **changes: Any) -> Path:
    """The YAML of a run in `folder`, which is tiny.yaml's with `SMALL` and `changes`."""
    settings = yaml.safe_load((ROOT / "training/configs/tiny.yaml").read_text())
    settings |= SMALL | {"out": str(folder)} | changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def write_toy(folder: Path, **changes: Any) -> Path:
    """The same with its prepared set: half of the labels can be read off the tracings."""
    path = write_config(folder, **changes)
    rng = np.random.default_rng(0)
    prepared = folder / "prepared" / "toy"
    prepared.mkdir(parents=True)
    truth = {head: rng.integers(0, 2, (ECGS, len(codes))) for head, codes in CODES.items()}
    truth["diagnoses"][:, 0] = truth["findings"][:, 0]
    truth["labs"][:, 0] = truth["findings"][:, 0]
    signals = rng.normal(0, 200, (ECGS, *SHAPE))
    signals += 300 * truth["findings"][:, :1, None] * np.sin(np.arange(SHAPE[1]) / 3)
    signals.astype("<i2").tofile(prepared / "signals.i16")
    ids = [f"toy{i}" for i in range(ECGS)]
    split = np.array(["train", "train", "validation", "test"])[np.arange(ECGS) % 4]
    text = {"stay": "s", "source": "toy", "age": 60.0, "sex": "male", "path": "p", "split": split}
    clinical = pd.DataFrame(np.nan, index=range(ECGS), columns=CLINICAL_COLUMNS)
    clinical["lab:potassium"] = 4 + truth["labs"][:, 0] + 0.1 * rng.normal(size=ECGS)
    clinical["vital:heartrate"] = np.where(rng.random(ECGS) < 0.3, np.nan, rng.normal(80, 10, ECGS))
    tables = {"ecgs": pd.DataFrame({"ecg_id": ids, "patient": ids} | text), "clinical": clinical}
    tables |= {head: pd.DataFrame(values.astype(float), columns=CODES[head]) for head, values in truth.items()}
    labels = {h: [{"code": c, "name": c, "group": "Heart"} for c in codes] for h, codes in CODES.items()}
    for entry in labels["labs"]:
        entry["lab"], entry["direction"] = entry["code"].split("_")
    info = {"name": "toy", "source": "mimic", "simulated": True, "labels": labels, "excluded": {}, "config": {}}
    write_prepared(prepared, info | {"license": "", "note": ""}, tables)
    return path


def toy_config(folder: Path, **changes: Any) -> Config:
    """The config of a toy run that is there already, changed."""
    return dataclasses.replace(load_config(folder / "toy.yaml"), **changes)
