"""The ECGs of a run's training folds as files, for what is measured on tracings rather than on prepared arrays."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ecgkt.datasets.ptbxl import DATABASE, recordings
from training.cohort.prepared import load_prepared
from training.config import Config, Source
from training.train.run import prepared_folder, present_sources

SEED = 0


def training_recordings(config: Config, most: dict[str, int]) -> dict[str, list[Path]]:
    """Name of a set of `config` -> headers of its training ECGs, one a patient, at most `most[kind]` of them, drawn.

    Of PTB-XL the tracings with 500 samples a second where there are any; of simulated patients those without a fault of
    recording.
    """
    return {
        source.name: _files(config, source, most.get(source.kind, most["else"])) for source in present_sources(config)
    }


def _files(config: Config, source: Source, most: int) -> list[Path]:
    ecgs = load_prepared(prepared_folder(config, source)).ecgs
    ecgs = ecgs[ecgs["split"] == "train"].drop_duplicates("patient")
    home = Path(source.path)
    if source.kind == "simulated":
        home = next((config.folder / "simulated").rglob("record_list.csv")).parent
        truth = pd.read_parquet(config.folder / "simulated" / "truth" / "ecgs.parquet")
        faults = dict(zip(truth["study_id"].astype(str), truth["fault"], strict=True))
        ecgs = ecgs[[not faults[str(number)] for number in ecgs["ecg_id"]]]
    paths = dict(zip(ecgs["ecg_id"].astype(str), ecgs["path"], strict=True))
    if source.kind == "ptbxl":
        fast = {recording.ecg_id: recording.high for recording in recordings(home / DATABASE, ())}
        paths = {
            number: fast[number] if (home / f"{fast[number]}.hea").is_file() else path for number, path in paths.items()
        }
    chosen = pd.Series(paths).sample(min(most, len(paths)), random_state=SEED).sort_index()
    return [home / f"{path.removesuffix('.hea')}.hea" for path in chosen]
