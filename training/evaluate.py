"""Every model on the same test ECGs, with patient-level bootstrap intervals and the gap closed.

    python -m training evaluate --config training/configs/default.yaml

Writes OUT/evaluation/metrics.json, record.json and each model's predictions (validation and test logits). Findings are
measured on real test ECGs where those are known and have enough positives, on simulated ones otherwise; each label
says which. Diagnoses and labs exist for cohort patients only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ecgkt.explanation import AGGREGATES
from ecgkt.nn.network import Network
from training.config import Config
from training.data import Pool
from training.metrics import Array, interval, label_aurocs, patient_resamples
from training.stages import load_network, load_sets

MODELS = ("knowledge_transfer", "signal_only", "signal_only_labs", "random_linear", "clinical_only", "multimodal")
Predictions = dict[str, Array]


def predict(network: Network, pool: Pool, rows: npt.NDArray[np.int64]) -> Predictions:
    """Logits head -> [rows, labels of `pool`]; NaN for labels that the network does not have."""
    codes = pool.codes()
    columns = [pool.columns.index(column) for column in network.architecture.columns]
    out = {h: np.full((len(rows), len(codes[h])), np.nan) for h in network.architecture.labels}
    places = {h: [codes[h].index(c) for c in listed] for h, listed in network.architecture.labels.items()}
    for first in range(0, len(rows), 256):
        batch = pool.batch(rows[first : first + 256])
        with torch.inference_mode():
            logits = network(batch.signal, batch.table[:, columns])
        for head, values in logits.items():
            out[head][first : first + len(values), places[head]] = values.double().numpy()
    return out


def predictions(config: Config, name: str, pool: Pool, split: str) -> Predictions:
    """Logits of one model on a split, computed once and kept."""
    path = config.folder / "evaluation" / "predictions" / f"{name}_{split}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = predict(load_network(config, name), pool, pool.rows(split))
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **arrays)  # type: ignore[arg-type]
        partial.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        return {head: stored[head] for head in stored.files}


def simulated_rows(pool: Pool, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """[rows] whether each ECG is of a simulated patient."""
    return np.array([bool(prepared.info["simulated"]) for prepared in pool.sets])[pool.source_of[rows]]


def evaluate(config: Config) -> dict[str, Any]:
    _, sets = load_sets(config)
    pool = Pool(sets)
    rows = pool.rows("test")
    patients = pool.ecgs["patient"].to_numpy(str)[rows]
    simulated = simulated_rows(pool, rows)
    resamples = patient_resamples(patients, config.bootstrap, config.seed)
    models: dict[str, Any] = {}
    macros: dict[str, Array] = {}
    for name in tqdm(MODELS, desc="evaluate"):
        logits = predictions(config, name, pool, "test")
        models[name] = {}
        for head, scores in logits.items():
            figures, macro = _head_figures(pool, head, scores, rows, simulated, resamples)
            models[name][head] = figures
            if head == "diagnoses" and macro is not None:
                macros[name] = macro
    metrics = {
        "test": {"patients": len(np.unique(patients)), "ecgs": len(rows)},
        "test_by_source": {
            prepared.info["name"]: {
                "simulated": bool(prepared.info["simulated"]),
                "patients": len(np.unique(patients[pool.source_of[rows] == number])),
                "ecgs": int((pool.source_of[rows] == number).sum()),
            }
            for number, prepared in enumerate(pool.sets)
        },
        "models": models,
        "gap_closed": gap_closed(macros),
        "transfer_minus_signal_only": difference(macros, "knowledge_transfer", "signal_only"),
        "transfer_minus_signal_only_labs": difference(macros, "knowledge_transfer", "signal_only_labs"),
        "bootstrap": {"resamples": config.bootstrap, "unit": "patient", "interval": "95% percentile"},
    }
    path = config.folder / "evaluation" / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics, indent=1) + "\n")
    record = {
        "stage": "evaluate",
        "config_hash": config.hash(),
        "seed": config.seed,
        "data": {prepared.info["name"]: prepared.info["fingerprint"] for prepared in sets},
        "models": list(MODELS),
    }
    (path.parent / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    _print_table(metrics)
    return metrics


def _head_figures(
    pool: Pool,
    head: str,
    scores: Array,
    rows: npt.NDArray[np.int64],
    simulated: npt.NDArray[np.bool_],
    resamples: Array,
) -> tuple[dict[str, Any], Array | None]:
    """One model's figures on one head, and the macro AUROC [1 + R] over the labels measured on the first kind."""
    entries = pool.labels[head]
    targets = pool.targets[head][rows].astype(float)
    targets[np.isnan(scores)] = np.nan
    measured: dict[str, dict[int, Array]] = {}
    for kind, mask in (("real", ~simulated), ("simulated", simulated)):
        if mask.any():
            measured[kind] = label_aurocs(scores[mask], targets[mask], resamples[:, mask])
    labels: dict[str, Any] = {}
    for column, entry in enumerate(entries):
        for kind in ("real", "simulated"):
            values = measured.get(kind, {}).get(column)
            if values is not None:
                mask = simulated if kind == "simulated" else ~simulated
                labels[str(entry["code"])] = {
                    "auroc": [float(values[0]), *interval(values[1:])],
                    "positives": int(np.nansum(targets[mask, column])),
                    "measured_on": kind,
                }
                break
    figures: dict[str, Any] = {"macro_auroc": None, "labels": labels}
    macro = None
    for kind in ("real", "simulated"):
        columns = [c for c in measured.get(kind, {}) if str(entries[c]["code"]) not in AGGREGATES]
        if columns:
            mean = np.nanmean(np.stack([measured[kind][c] for c in columns]), axis=0)
            summary = {"macro_auroc": [float(mean[0]), *interval(mean[1:])], "labels": len(columns)}
            figures.setdefault("by_kind", {})[kind] = summary
            if macro is None:
                macro = mean
                figures["macro_auroc"], figures["measured_on"] = summary["macro_auroc"], kind
    return figures, macro


def gap_closed(macros: dict[str, Array]) -> list[float] | None:
    """[value, low, high] of (transfer - signal-only) / (multimodal - signal-only), resample by resample."""
    if not {"knowledge_transfer", "signal_only", "multimodal"} <= set(macros):
        return None
    transfer, signal, both = (macros[name] for name in ("knowledge_transfer", "signal_only", "multimodal"))
    share = (transfer - signal) / (both - signal)
    return [float(share[0]), *interval(share[1:])]


def difference(macros: dict[str, Array], first: str, second: str) -> list[float] | None:
    """[value, low, high] of the paired difference in macro AUROC of diagnoses."""
    if not {first, second} <= set(macros):
        return None
    delta = macros[first] - macros[second]
    return [float(delta[0]), *interval(delta[1:])]


def _print_table(metrics: dict[str, Any]) -> None:
    print(f"{'macro AUROC':20s}" + "".join(f"{head:>24s}" for head in ("findings", "diagnoses", "labs")))
    for name, heads in metrics["models"].items():
        cells = []
        for head in ("findings", "diagnoses", "labs"):
            value = heads.get(head, {}).get("macro_auroc")
            cells.append(f"{value[0]:.3f} [{value[1]:.3f}-{value[2]:.3f}]" if value else "-")
        print(f"{name:20s}" + "".join(f"{cell:>24s}" for cell in cells))
    print("gap closed", metrics["gap_closed"])


def load_metrics(config: Config) -> dict[str, Any]:
    """The figures of `evaluate`, with those that other stages left: OUT/evaluation/parts/NAME.json becomes NAME, and
    OUT/curve/curve.json becomes label_curve (its points), label_curve_groups and label_curve_about (the rest)."""
    folder: Path = config.folder / "evaluation"
    metrics = dict(json.loads((folder / "metrics.json").read_text()))
    for part in sorted((folder / "parts").glob("*.json")):
        metrics[part.stem] = json.loads(part.read_text())
    curve_file = config.folder / "curve" / "curve.json"
    if curve_file.exists():
        curve = json.loads(curve_file.read_text())
        metrics["label_curve"] = curve.pop("points")
        metrics["label_curve_groups"] = curve.pop("groups", {})
        metrics["label_curve_about"] = curve
    return metrics
