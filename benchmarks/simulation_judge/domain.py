"""Part 2: can real and simulated be told apart? AUROC by patient; .5 is indistinguishable, and what gives it away.

Amplitude-free on both sides, at 100 Hz and 0.5-40 Hz, and with age, sex, heart rate and kind of tracing matched, so
that neither a scale, a filter nor the mix of patients is what is recognized.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.model_selection import StratifiedKFold
from torch import nn

from benchmarks.simulation_judge.collected import Collection
from benchmarks.simulation_judge.shapes import pair
from ecgkt.model.networks.encoders import ResNet1d
from training.metrics import auroc, interval, patient_resamples

FOLDS = 5
RESAMPLES = 500
EDGE = 60  # samples at either end that the network does not see
GROUPS = {"all": ("time:", "rhythm:", "shape:", "space:", "noise:"), "intervals": ("time:",), "rhythm": ("rhythm:",),
          "shape": ("shape:",), "dipolarity": ("space:",), "noise": ("noise:",)}  # fmt: skip
STAGE = {"ptbxl_native": "normal", "ptbxl": "normal", "ludb": "narrow", "cinc": "narrow"}


def _score(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    names = np.arange(len(truth)).astype(str)  # one ECG a patient on the simulated side; few repeats on the real
    low, high = interval(auroc(scores, truth, patient_resamples(names, RESAMPLES, 0)))
    return {"auroc": round(float(auroc(scores, truth)[0]), 3), "low": round(low, 3), "high": round(high, 3)}


def _folds(patients: np.ndarray, truth: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds by patient: a patient's first ECG decides."""
    names, first, which = np.unique(patients, return_index=True, return_inverse=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(names, truth[first])
    return [(np.flatnonzero(np.isin(which, a)), np.flatnonzero(np.isin(which, b))) for a, b in folds]


def _forest(x: pd.DataFrame, truth: np.ndarray, folds: list[Any], explain: bool) -> tuple[np.ndarray, pd.Series]:
    scores, importance = np.zeros(len(truth)), []
    values = x.to_numpy(float)
    for train, test in folds:
        model = HistGradientBoostingClassifier(
            max_iter=80, max_leaf_nodes=8, min_samples_leaf=10, l2_regularization=1.0, early_stopping=False,
            random_state=0,
        ).fit(values[train], truth[train])  # fmt: skip
        scores[test] = model.predict_proba(values[test])[:, 1]
        if explain:
            found = permutation_importance(
                model, values[test], truth[test], scoring="neg_log_loss", n_repeats=2, random_state=0
            )
            importance.append(found.importances_mean)
    return scores, pd.Series(np.mean(importance, axis=0) if importance else 0.0, index=x.columns)


def _difference(name: str, real: pd.DataFrame, ours: pd.DataFrame, importance: float | None) -> dict[str, Any]:
    a, b = real[name].dropna(), ours[name].dropna()
    out: dict[str, Any] = {
        "measure": name,
        "real": [float(f"{v:.3g}") for v in a.quantile([0.1, 0.5, 0.9])],
        "simulated": [float(f"{v:.3g}") for v in b.quantile([0.1, 0.5, 0.9])],
        "ks": round(float(ks_2samp(a, b).statistic), 3) if min(len(a), len(b)) else None,
    }
    return out if importance is None else out | {"log_loss_gained": round(importance, 4)}


def _by_lead(single: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """measure -> lead -> KS distance, signed: positive where the simulated median is the higher one."""
    out: dict[str, dict[str, float]] = {}
    for row in single:
        if row["measure"].startswith("shape:"):
            _, lead, name = row["measure"].split(":")
            sign = 1 if row["simulated"][1] >= row["real"][1] else -1
            out.setdefault(name, {})[lead] = round(sign * row["ks"], 2)
    return out


def _network(x: np.ndarray, truth: np.ndarray, folds: list[Any], steps: int) -> np.ndarray:
    """Out-of-fold scores of a small residual network on tracings normalized per lead."""
    scores = np.zeros(len(truth))
    # A filter's transients at the ends differ with where a set was filtered (PTB-XL's copy before it was cut).
    x = x[:, :, EDGE:-EDGE]
    x = x / (x.std(axis=2, keepdims=True) + 1e-4)
    for number, (train, test) in enumerate(folds):
        torch.manual_seed(number)
        random = np.random.default_rng(number)
        model = nn.Sequential(ResNet1d(width=12), nn.Dropout(0.2), nn.Linear(96, 1))
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
        balance = torch.tensor((1 - truth[train]).sum() / truth[train].sum())
        for _ in range(steps):
            rows = random.choice(train, 32)
            first = int(random.integers(80))
            batch = torch.from_numpy(x[rows, :, first : first + x.shape[2] - 80])
            wanted = torch.from_numpy(truth[rows].astype(np.float32))
            loss = nn.functional.binary_cross_entropy_with_logits(model(batch)[:, 0], wanted, pos_weight=balance)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            for part in np.array_split(test, max(1, len(test) // 64)):
                scores[part] = model(torch.from_numpy(x[part]))[:, 0].numpy()
    return scores


def _told_apart(name: str, real: Collection, other: Collection, steps: int) -> dict[str, Any]:
    """Counts, AUROC of forests and network (`other` is the positive class), what gives `other` away."""
    truth = np.r_[np.zeros(len(real.table)), np.ones(len(other.table))]
    patients = np.r_["real " + real.table["patient"].astype(str), "other " + other.table["patient"].astype(str)]
    folds = _folds(patients, truth)
    both = pd.concat([real.at_100, other.at_100], ignore_index=True)
    forests: dict[str, dict[str, float]] = {}
    single = [_difference(m, real.at_100, other.at_100, None) for m in both if m.startswith(GROUPS["all"])]
    telling = pd.Series(dtype=float)
    for group, prefixes in GROUPS.items():
        x = both[[m for m in both if m.startswith(prefixes)]]
        scores, importance = _forest(x, truth, folds, explain=group == "all")
        forests[group] = _score(scores, truth)
        print(f"  {name} forest {group}: {forests[group]}", flush=True)
        if group == "all":
            telling = importance.sort_values(ascending=False).head(10)
    most = min(steps, max(60, len(truth) // 3))  # small sets are learned by heart sooner
    network = _score(_network(np.concatenate([real.view, other.view]), truth, folds, most), truth)
    print(f"  {name} network: {network}", flush=True)
    single = sorted((s for s in single if s["ks"]), key=lambda s: -s["ks"])
    return {
        "real_ecgs": len(real.table), "other_ecgs": len(other.table), "forest": forests,
        "network": network, "network_steps": most,
        "most_telling": [_difference(m, real.at_100, other.at_100, float(v)) for m, v in telling.items()],
        "most_different": single[:40], "by_lead_and_measure": _by_lead(single),
    }  # fmt: skip


def judge(reals: dict[str, Collection], simulated: Collection, steps: int) -> dict[str, Any]:
    """set -> what `_told_apart` says of it against the simulated tracings of the same stage."""
    return {
        source: {"stage": STAGE[source]} | _told_apart(source, *pair(real, simulated, STAGE[source], True), steps)
        for source, real in reals.items()
    }


def reference(reals: dict[str, Collection], steps: int) -> dict[str, Any]:
    """AUROCs of two real sets against PTB-XL: no simulator needs to come closer than they are to one another."""
    out = {}
    for source in ("ludb", "cinc"):
        found = _told_apart(f"{source} against ptbxl", *pair(reals[source], reals["ptbxl"], "narrow", True), steps)
        out[source] = {key: found[key] for key in ("real_ecgs", "forest", "network", "network_steps")}
    return out
