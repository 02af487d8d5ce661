"""Part 4: labs and conditions from the ECG alone, on held-out simulated patients, beside published figures.

Labels are the simulator's true values; each is also scored among those patients in whom the lab was measured, as
published figures are. `plausible.csv` holds the band; every other lab is scored against its reference interval.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.simulation_judge import learning
from benchmarks.simulation_judge.learning import Split
from ecgkt import vocabulary

PLAUSIBLE = Path(__file__).with_name("plausible.csv")
LEAST_CASES = 40  # in the training set; a head is not trained on fewer


def egfr(creatinine: np.ndarray, age: np.ndarray, male: np.ndarray) -> np.ndarray:
    """mL/min/1.73 m2 by CKD-EPI 2021 without race (Inker et al., NEJM 2021); creatinine in mg/dL."""
    kappa, alpha = np.where(male, 0.9, 0.7), np.where(male, -0.302, -0.241)
    share = creatinine / kappa
    value = 142 * np.minimum(share, 1) ** alpha * np.maximum(share, 1) ** -1.2 * 0.9938**age
    return np.asarray(value * np.where(male, 1.0, 1.012))


def labels(cohort: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """0/1 columns of all targets for the rows of `table`, and whether each one's lab was measured."""
    long = pd.read_parquet(cohort / "truth" / "labs.parquet")
    long = long[long["study_id"].isin(table["study_id"])]
    values = long.pivot(index="study_id", columns="lab", values="value").reindex(table["study_id"])
    drawn = long.pivot(index="study_id", columns="lab", values="measured").reindex(table["study_id"])
    state = pd.read_parquet(cohort / "truth" / "state.parquet")
    truth: dict[str, np.ndarray] = {}
    measured: dict[str, np.ndarray] = {}
    for row in pd.read_csv(PLAUSIBLE).itertuples():
        key = str(row.key)
        if row.kind == "condition":
            stays = set(state.loc[state["condition"] == key, "stay_id"])
            truth[str(row.target)] = table["stay_id"].isin(stays).to_numpy(float)
            measured[str(row.target)] = np.ones(len(table), bool)
            continue
        x = values[key].to_numpy(float)
        if row.kind == "egfr":
            x = egfr(x, table["age"].to_numpy(float), table["male"].to_numpy(float) == 1)
        truth[str(row.target)] = ((x > row.threshold) if row.side == "above" else (x < row.threshold)).astype(float)
        measured[str(row.target)] = drawn[key].to_numpy(bool)
    for lab, entry in vocabulary.labs().items():
        if lab in values:
            x = values[lab].to_numpy(float)
            for side, case in vocabulary.beyond(x, entry.reference).items():
                truth[f"{lab} {side}"] = case.astype(float)
                measured[f"{lab} {side}"] = drawn[lab].to_numpy(bool)
    return pd.DataFrame(truth), pd.DataFrame(measured)


def judge(cohort: Path, work: Path, name: str, steps: int) -> dict[str, Any]:
    """target -> AUROC among all and among the measured, and the published band where there is one."""
    (train_table, train_view), (test_table, test_view) = learning.simulated(cohort, work / "cache")
    truth, _ = labels(cohort, train_table)
    wanted = [t for t in truth if LEAST_CASES <= truth[t].sum() <= len(truth) - LEAST_CASES]
    train_set = Split(train_table, train_view, truth[wanted].to_numpy())
    model = learning.train(
        train_set, False, steps, learning.folder_of(work, name, "labs", steps, train_set, wanted)
    )  # fmt: skip
    scores = learning.predict(model, test_view, False)
    truth, measured = labels(cohort, test_table)
    bands = pd.read_csv(PLAUSIBLE).set_index("target")
    rows: dict[str, Any] = {}
    for i, target in enumerate(wanted):
        y = truth[target].to_numpy()
        rows[target] = {
            "all": learning.measured_auroc(scores[:, i], y, test_table["patient"]),
            "measured": learning.measured_auroc(
                scores[:, i], np.where(measured[target], y, np.nan), test_table["patient"]
            ),
        }
        if target in bands.index:
            rows[target]["band"] = [float(bands.loc[target, "low"]), float(bands.loc[target, "high"])]
            print(f"  {target}: {rows[target]}", flush=True)
    return {
        "steps": steps, "trained_on_ecgs": len(train_table), "tested_on_ecgs": len(test_table), "targets": rows,
        "too_rare": [t for t in truth if t not in wanted],
    }  # fmt: skip
