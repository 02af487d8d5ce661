"""How hard the simulated diagnoses are, held against published baselines on MIMIC before any transfer result is seen.

    python benchmarks/difficulty.py [--patients 12000] [--seed 77]

Published (MDS-ED, macro AUROC over diagnoses): table only .747, ECG only .768, both .826. Here a boosted forest a
diagnosis, in place of a network, so that nothing of the transfer under study is involved: the ECG's side is what a
perfect reader would measure (the parameters that shape the tracing, with errors of reading, and rhythm and conduction),
the table's side is what was measured near the ECG: labs, vitals, age, sex, build. Nothing is drawn as a waveform.
Writes difficulty.json and difficulty.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from training.cohort.icd import labels_of  # noqa: E402
from training.simulation.diagnoses import code  # noqa: E402
from training.simulation.layout import VERSION  # noqa: E402
from training.simulation.measurements import lab_rows  # noqa: E402
from training.simulation.tables import labs  # noqa: E402
from training.simulation.tracing import chances, conducted, draw_conduction  # noqa: E402
from training.simulation.visits import visits  # noqa: E402

PUBLISHED = {"table": 0.747, "ECG": 0.768, "both": 0.826}
# Errors of reading a parameter off one tracing, 1 SD, in the parameter's unit (chosen: those of good delineators).
READING = {
    "rate": 2.0, "pr": 8.0, "p_ms": 10.0, "p_uv": 15.0, "p_log": 0.15, "p_terminal": 12.0, "qrs": 6.0, "axis": 8.0,
    "voltage": 0.20, "posterior": 0.10, "t_uv": 60.0, "t_narrow": 0.12, "t_rotation": 12.0, "t_flat": 0.15,
    "qtc": 14.0, "st_ms": 10.0, "st_sub": 15.0, "u_uv": 15.0, "strain": 0.12, "r_loss": 0.15, "rvh": 0.15,
    "s1q3t3": 0.15, "t_anterior": 0.15, "scoop": 15.0, "st_diffuse": 20.0,
}  # fmt: skip
REGIONAL = {"q_wave": 0.15, "injury": 20.0, "t_territory": 0.15}
LEAST = 60  # positives a diagnosis must have in the training half, and half as many in the other


def draw(task: tuple[int, int, int]) -> list[tuple[int, dict[str, float], dict[str, float], list[tuple[str, int]]]]:
    """(patient, ECG side, table side, codes) of the stays of a range of patients."""
    seed, first, last = task
    out = []
    for index in range(first, last):
        for visit in visits(seed, index):
            planned, rng = visit.ecgs[0], visit.rng
            codes = [(c, 9 if visit.stay.icd9 else 10) for c in code(rng, visit.patient, visit.stay)]
            measured = lab_rows(rng, 10_000_000, visit.stay, "", visit.labs, datetime(2150, 1, 1), Rows())
            chance = chances(planned.streams("conduction"))
            c = draw_conduction(chance, visit.stay)
            m = conducted(chance, c, planned.drawn)
            ecg = {
                name: value + rng.normal() * READING.get(name, REGIONAL.get(name.partition(".")[0], 0.0))
                for name, value in m.values.items()
            }
            if c.kind != "sinus":
                ecg |= {name: np.nan for name in ("pr", "p_ms", "p_uv", "p_log", "p_terminal")}
            ecg |= {"afib": c.kind == "afib", "aflutter": c.kind == "aflutter", "lafb": c.lafb, "av": bool(c.av)}
            ecg |= {block: c.block == block for block in ("lbbb", "rbbb", "irbbb", "paced")} | {"delta": c.delta}
            table = {key: value for key, value in visit.labs.items() if key in measured}
            table |= {key: value for key, value in visit.vitals.items() if rng.random() > 0.05}
            table |= {"heart_rate": m["rate"] + rng.normal(0, 6), "age": visit.patient.age, "male": visit.patient.male}
            if rng.random() < 0.62:
                table |= {"weight": visit.patient.weight, "height": visit.patient.height}
            out.append((index, ecg, table, codes))
    return out


class Rows(dict):  # type: ignore[type-arg]
    """A table's rows that nobody will read."""

    def __missing__(self, key: str) -> list[object]:
        return []


def auroc(features: pd.DataFrame, target: np.ndarray, train: np.ndarray) -> float:
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.08, max_leaf_nodes=8, random_state=0)
    x = features.to_numpy(np.float32)
    model.fit(x[train], target[train])
    return float(roc_auc_score(target[~train], model.predict_proba(x[~train])[:, 1]))


def evaluate(task: tuple[str, pd.DataFrame, pd.DataFrame, np.ndarray, np.ndarray]) -> dict[str, object]:
    name, ecg, table, target, train = task
    both = pd.concat([ecg, table.add_prefix("table ")], axis=1)
    sides = {"table": table, "ECG": ecg, "both": both}
    row = {side: auroc(features, target, train) for side, features in sides.items()}
    return {"label": name, "positives": int(target.sum()), **row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=12000)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    tasks = [(given.seed, a, min(a + 200, given.patients)) for a in range(0, given.patients, 200)]
    with ProcessPoolExecutor(given.workers) as pool:
        drawn = [row for part in tqdm(pool.map(draw, tasks), total=len(tasks), desc="patients") for row in part]
        ecg, table = (pd.DataFrame([row[side] for row in drawn]).astype(np.float32) for side in (1, 2))
        table = table.reindex(columns=[*[lab.key for lab in labs()], *[c for c in table if c not in visits_labs()]])
        ten = labels_of({c for row in drawn for c in row[3]}, 5)
        labels = [{label for c in row[3] for label in ten[c]} for row in drawn]
        train = np.array([row[0] % 2 == 0 for row in drawn])
        count, other = (
            Counter(name for found, t in zip(labels, train, strict=True) if t == half for name in found)
            for half in (True, False)
        )
        names = sorted(name for name in count if count[name] >= LEAST and other[name] >= LEAST / 2)
        jobs = [(name, ecg, table, np.array([name in found for found in labels]), train) for name in names]
        rows = list(tqdm(pool.map(evaluate, jobs), total=len(jobs), desc="diagnoses"))
    result = pd.DataFrame(rows).set_index("label")
    macro = result[["table", "ECG", "both"]].mean()
    rng = np.random.default_rng(0)
    again = [result.iloc[rng.integers(len(result), size=len(result))][macro.index].mean() for _ in range(500)]
    low, high = pd.DataFrame(again).quantile([0.025, 0.975]).to_numpy()
    lines = [
        f"# Difficulty of the simulated diagnoses, version {VERSION}",
        "",
        f"`python benchmarks/difficulty.py --patients {given.patients} --seed {given.seed}`: {len(drawn)} stays, half of "
        f"the patients for training; {len(result)} diagnoses. The interval is over diagnoses.",
        "",
        "| features | macro AUROC | published on MIMIC |",
        "|---|---|---|",
        *(f"| {s} | {macro[s]:.3f} [{a:.3f}-{b:.3f}] | {PUBLISHED[s]:.3f} |" for s, a, b in zip(macro.index, low, high)),
        "",
        "| diagnosis | positives | table | ECG | both |",
        "|---|---|---|---|---|",
        *(f"| {n} | {r.positives} | {r.table:.2f} | {r.ECG:.2f} | {r.both:.2f} |" for n, r in result.iterrows()),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    folder = ROOT / "benchmarks"
    (folder / "difficulty.md").write_text(text, encoding="utf-8")
    kept = {"version": VERSION, "patients": given.patients, "seed": given.seed, "published": PUBLISHED}
    kept |= {"macro": macro.round(4).to_dict(), "diagnoses": json.loads(result.round(4).to_json(orient="index"))}
    (folder / "difficulty.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def visits_labs() -> set[str]:
    return {lab.key for lab in labs()}


if __name__ == "__main__":
    main()
