"""Part 3: findings learned from simulated ECGs alone, tested on real ones. The goal is an AUROC of .90 for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.simulation_judge import collected, learning, recordings
from benchmarks.simulation_judge.learning import Split

GOAL = 0.90


@dataclass(frozen=True)
class Target:
    """SCP-ECG codes that make a case, and such that leave it open (neither case nor control)."""

    name: str
    codes: tuple[str, ...]
    open: tuple[str, ...] = ()


# CinC gives infarctions without a place ("MI"); PTB-XL's LPR and ILBBB are neighbors of the finding itself.
TARGETS = (
    Target("Atrial fibrillation", ("AFIB",), ("AFLT",)),
    Target("Left bundle branch block", ("CLBBB",), ("ILBBB",)),
    Target("Right bundle branch block", ("CRBBB",)),
    Target("First-degree AV block", ("1AVB",), ("LPR",)),
    Target("Left anterior fascicular block", ("LAFB",)),
    Target("Old inferior infarction", ("IMI", "ILMI", "IPMI", "IPLMI"), ("MI", "INJIN", "INJIL")),
    Target("Old anterior infarction", ("ASMI", "AMI", "ALMI"), ("MI", "INJAS", "INJAL")),
    Target("Sinus bradycardia", ("SBRAD",)),
    Target("Sinus tachycardia", ("STACH",)),
    Target("Ventricular premature beats", ("PVC",), ("BIGU", "TRIGU")),
)


def targets(table: pd.DataFrame) -> np.ndarray:
    """[rows, TARGETS] 1, 0, NaN where open."""
    columns = []
    for target in TARGETS:
        case = recordings.has(table, *target.codes)
        unsure = recordings.has(table, *target.open) & ~case
        columns.append(np.where(unsure, np.nan, case.astype(float)))
    return np.stack(columns, axis=1)


def judge(cohort: Path, data: Path, work: Path, name: str, steps: int) -> dict[str, Any]:
    """AUROC per finding on held-out simulated patients and on each real set."""
    cache = work / "cache"
    (train_table, train_view), (test_table, test_view) = learning.simulated(cohort, cache)
    train_set = Split(train_table, train_view, targets(train_table))
    folder = learning.folder_of(work, name, "findings", steps, train_set, [t.name for t in TARGETS])
    model = learning.train(train_set, True, steps, folder)
    out: dict[str, Any] = {"steps": steps, "trained_on_ecgs": len(train_table), "goal": GOAL, "auroc": {}}
    sets = {"simulated": (test_table, test_view)}
    for source in recordings.SETS:
        sets[source] = collected.views(source, recordings.real(source, data), cache)
    table, view = sets["ptbxl"]
    rows = table["name"].isin(recordings.unseen(data)).to_numpy()
    sets["ptbxl_unseen"] = (table[rows].reset_index(drop=True), view[rows])
    table, view = sets["ptbxl_native"]
    rows = table["name"].isin(recordings.unseen(data, "ptbxl_native")).to_numpy()
    sets["native_unseen"] = (table[rows].reset_index(drop=True), view[rows])
    for source, (table, view) in sets.items():
        scores, truth = learning.predict(model, view, True), targets(table)
        out["auroc"][source] = {
            target.name: learning.measured_auroc(scores[:, i], truth[:, i], table["patient"])
            for i, target in enumerate(TARGETS)
        }
        for finding, figures in out["auroc"][source].items():
            print(f"  {source} {finding}: {figures}", flush=True)
    return out
