"""How hard the simulated diagnoses are, held against published baselines on MIMIC before any transfer result is seen.

    python benchmarks/difficulty.py [--patients 12000] [--seed 77]

Published (MDS-ED, macro AUROC over diagnoses): table only .747, ECG only .768, both .826. Here a boosted forest a
diagnosis, in place of a network, so that nothing of the transfer under study is involved: the ECG's side is what a
perfect reader would measure (the noiseless beat in eight leads with 10 uV of error, the intervals with errors of
reading, rhythm and conduction), the table's side is what was measured near the ECG: labs, vitals, age, sex, build.
Writes difficulty.json and difficulty.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecgkt.simulation.body import placement  # noqa: E402
from ecgkt.simulation.diagnoses import code  # noqa: E402
from ecgkt.simulation.tables import labs  # noqa: E402
from ecgkt.simulation.tracing import chances, conducted, draw_conduction, qt_interval  # noqa: E402
from ecgkt.simulation.truth import ONSET, RATE, beat  # noqa: E402
from ecgkt.simulation.visits import FIRST_SUBJECT, visits  # noqa: E402
from training.cohort.labels.icd import labels_of, redundant  # noqa: E402
from training.simulation.layout import VERSION  # noqa: E402
from training.simulation.measurements import lab_rows  # noqa: E402

PUBLISHED = {"table": 0.747, "ECG": 0.768, "both": 0.826}
# Errors of reading, 1 SD, ms and beats a minute (chosen: those of good delineators), and of a beat's amplitudes, mV.
READING = {"rate": 2.0, "pr": 8.0, "p_ms": 10.0, "qrs": 6.0, "qt": 12.0}
AMPLITUDE = 0.010
COMPONENTS = 40  # principal components of the beats that the forest sees
LEAST = 60  # positives a diagnosis must have in the training half, and half as many in the other


def draw(task: tuple[int, int, int]) -> list[tuple[Any, ...]]:
    """(patient, ECG side, table side, codes, beat) of the stays of a range of patients."""
    seed, first, last = task
    out, unread = [], defaultdict(list)
    for index in range(first, last):
        for visit in visits(seed, index):
            planned, rng = visit.ecgs[0], visit.rng
            codes = [(c, 9 if visit.stay.icd9 else 10) for c in code(rng, visit.patient, visit.stay)]
            measured = lab_rows(rng, FIRST_SUBJECT, visit.stay, "", visit.labs, datetime(2150, 1, 1), unread)
            chance = chances(planned.streams("conduction"))
            c = draw_conduction(chance, visit.stay)
            m = conducted(chance, c, planned.drawn)
            rr = 60 / m["rate"]
            qt = qt_interval(m["qtc"], rr) * 1000 + m["st_ms"]
            ecg = {name: {**m.values, "qt": qt}[name] + rng.normal() * error for name, error in READING.items()}
            if c.kind != "sinus":
                ecg |= {"pr": np.nan, "p_ms": np.nan}
            ecg |= {"afib": c.kind == "afib", "aflutter": c.kind == "aflutter", "lafb": c.lafb, "av": bool(c.av)}
            ecg |= {block: c.block == block for block in ("lbbb", "rbbb", "irbbb", "paced")} | {"delta": c.delta}
            mix, _ = placement(planned.streams("placement"), visit.body)
            seen = beat(c, m, visit.body, rr, mix)[:, ::4]
            seen = (seen + rng.normal(0, AMPLITUDE, seen.shape)).astype(np.float32)
            # What a reader looks at first: ST 60 ms after QRS, and the height of T.
            after = int((ONSET + m["qrs"] / 1000 + 0.06) * RATE / 4)
            ecg |= {f"ST {k}": value for k, value in enumerate(seen[:, after])}
            ecg |= {f"T {k}": row[np.abs(row).argmax()] for k, row in enumerate(seen[:, after + 3 :])}
            seen = seen.ravel()
            table = {key: value for key, value in visit.labs.items() if key in measured}
            table |= {key: value for key, value in visit.vitals.items() if rng.random() > 0.05}
            table |= {"heart_rate": m["rate"] + rng.normal(0, 6), "age": visit.patient.age, "male": visit.patient.male}
            if rng.random() < 0.62:
                table |= {"weight": visit.patient.weight, "height": visit.patient.height}
            out.append((index, ecg, table, codes, seen))
    return out


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
        beats = np.stack([row[4] for row in drawn])
        seen = PCA(COMPONENTS, random_state=0).fit_transform(beats)
        ecg = pd.concat([ecg, pd.DataFrame(seen).add_prefix("beat ")], axis=1)
        keys = [lab.key for lab in labs()]
        table = table.reindex(columns=[*keys, *(column for column in table if column not in keys)])
        ten = labels_of({c for row in drawn for c in row[3]}, 5)
        labels = [{label for c in row[3] for label in ten[c]} for row in drawn]
        train = np.array([row[0] % 2 == 0 for row in drawn])
        count, other = (
            Counter(name for found, t in zip(labels, train, strict=True) if t == half for name in found)
            for half in (True, False)
        )
        names = sorted(name for name in count if count[name] >= LEAST and other[name] >= LEAST / 2)
        # Ancestors with the same positives are one diagnosis, as in a prepared cohort.
        names = sorted(set(names) - redundant({name: count[name] + other[name] for name in names}))
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
        f"`python benchmarks/difficulty.py --patients {given.patients} --seed {given.seed}`: {len(drawn)} stays, half "
        f"of the patients for training; {len(result)} diagnoses. The interval is over diagnoses.",
        "",
        "| features | macro AUROC | published on MIMIC |",
        "|---|---|---|",
        *(
            f"| {side} | {macro[side]:.3f} [{a:.3f}-{b:.3f}] | {PUBLISHED[side]:.3f} |"
            for side, a, b in zip(macro.index, low, high, strict=True)
        ),
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


if __name__ == "__main__":
    main()
