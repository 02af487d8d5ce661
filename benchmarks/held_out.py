"""Real recordings outside the training folds, by the rules that preparation follows. The wave network has seen some.

PTB-XL by its own folds, of both copies; the Challenge's records and LUDB's by the hash of their name. A recording of
the modeled copy that the native one holds too is left out.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.real_data import REAL_DATA
from ecgkt.datasets.ptbxl import DATABASE, recordings
from training.cohort import challenge, ludb
from training.cohort.config import load_config
from training.cohort.labels.masked import challenge_source
from training.cohort.without_tables import splits_by_hash


def held_out() -> dict[str, list[Path]]:
    """Name of a set -> its headers (.hea) outside the training folds, in order; empty where the set is absent."""
    native = _ptbxl("ptbxl_native", fast=True)
    return {
        "PTB-XL, modeled": [path for number, path in _ptbxl("ptbxl").items() if number not in native],
        "PTB-XL, native": list(native.values()),
        "CinC": _by_name("cinc", challenge.SOURCE),
        "CinC, more": _by_name("cinc_extra", challenge.SOURCE),
        "LUDB": _by_name("ludb/data", ludb.SOURCE),
    }


def _ptbxl(folder: str, fast: bool = False) -> dict[str, Path]:
    """By number; fast: the tracings with 500 samples a second in place of those with 100."""
    settings, home = load_config()["ptbxl"], REAL_DATA / folder
    folds = {*settings["validation"], *settings["test"], *settings["test_otherwise"]}
    if not (home / DATABASE).is_file():
        return {}
    found = {
        r.ecg_id: home / f"{r.high if fast else r.low}.hea" for r in recordings(home / DATABASE, ()) if r.fold in folds
    }
    return {number: path for number, path in found.items() if path.is_file()}


def _by_name(folder: str, source: str) -> list[Path]:
    files = sorted((REAL_DATA / folder).glob("*.hea"))
    split = splits_by_hash(pd.Series([f"{source}:{file.stem}" for file in files], dtype=str), load_config())
    return [
        file for file, drawn in zip(files, split, strict=True) if drawn != "train" and not _training_only(file.stem)
    ]


def _training_only(record: str) -> bool:
    """Of a source of the Challenge whose patients have several recordings."""
    origin = challenge_source(record)
    return origin is not None and origin.several_ecgs
