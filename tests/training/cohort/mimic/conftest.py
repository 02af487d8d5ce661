"""The written cohort and its preparation, made once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.training.cohort.mimic.written_cohort import PATIENTS, write_cohort
from training.cohort.mimic.prepare import prepare_mimic
from training.cohort.prepared import Prepared


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("mimic")
    write_cohort(top)
    return top


@pytest.fixture(scope="session")
def settings(source: Path) -> Path:
    """One positive is enough; splits by a CSV of folds, so that each has patients with and without AF."""
    folds = source / "folds.csv"
    rows = [(n, 0 if n <= 6 else 18 if n <= 9 else 19) for n in range(1, PATIENTS + 1)]
    pd.DataFrame(rows, columns=["subject_id", "fold"]).to_csv(folds, index=False)
    one = {"train": 1, "validation": 1, "test": 1}
    config = {
        "folds": {"file": str(folds), "id": "subject_id", "fold": "fold", "validation": [18], "test": [19]},
        "min_positives": {
            "findings": {**one, "validation": 0, "test": 0},
            "diagnoses": one,
            "labs": {**one, "validation": 0, "test": 0},
        },
        "signals": {"workers": 1},
    }
    file = source / "own.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture(scope="session")
def cohort(source: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare_mimic(source, tmp_path_factory.mktemp("prepared") / "small", settings)
