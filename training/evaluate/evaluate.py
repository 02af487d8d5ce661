"""Every model on the same test ECGs, with patient-level bootstrap intervals and the gap closed.

    python -m training evaluate --config training/configs/default.yaml

Writes OUT/evaluation/metrics.json, record.json and each model's predictions (validation and test logits). Findings are
measured on real test ECGs where those are known and have enough positives, on simulated ones otherwise; each label
says which. Diagnoses and labs exist for cohort patients only.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from training.calibrate.platt import calibrated, cross_fitted, fit_head
from training.config import Config
from training.data.pool import Pool
from training.evaluate.auroc import difference, gap_closed, head_figures, real_findings
from training.evaluate.calibration_error import calibration_figures
from training.evaluate.refusals import refusals
from training.evaluate.selective_prediction import trust_figures
from training.evaluate.subgroups import abstention_figures, subgroup_figures
from training.metrics import Array, patient_resamples
from training.train.predict import Predictions, predict
from training.train.run import load_network, load_sets

MODELS = ("knowledge_transfer", "signal_only", "signal_only_labs", "random_linear", "clinical_only", "multimodal")


def predictions(config: Config, name: str, pool: Pool, split: str) -> Predictions:
    """Logits of one model on a split, computed once and kept until the data or the model change."""
    path = config.folder / "evaluation" / "predictions" / f"{name}_{split}_{fingerprint_of(config, pool, name)}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = predict(load_network(config, name), pool, pool.rows(split))
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **arrays)  # type: ignore[arg-type]
        partial.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        return {head: stored[head] for head in stored.files}


def fingerprint_of(config: Config, pool: Pool, name: str) -> str:
    """12 hex digits that change when the data or the record of the trained network do."""
    fingerprints = [str(prepared.info["fingerprint"]) for prepared in pool.sets]
    record = (config.folder / "stages" / name / "record.json").read_text()
    return hashlib.sha256("\n".join([*fingerprints, record]).encode()).hexdigest()[:12]


def evaluate(config: Config) -> dict[str, Any]:
    _, sets = load_sets(config)
    pool = Pool(sets)
    rows = pool.rows("test")
    patients = pool.ecgs["patient"].to_numpy(str)[rows]
    simulated = pool.simulated(rows)
    resamples = patient_resamples(patients, config.bootstrap, config.seed)
    codes = pool.codes()
    models: dict[str, Any] = {}
    macros: dict[str, Array] = {}
    for name in tqdm(MODELS, desc="evaluate"):
        logits = predictions(config, name, pool, "test")
        models[name] = {}
        for head, scores in logits.items():
            targets = pool.targets[head][rows].astype(float)
            figures, macro = head_figures(codes[head], scores, targets, simulated, resamples)
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
        **_shipped(config, pool, codes, simulated, resamples),
        **trust_figures(
            config,
            pool,
            {split: predictions(config, "knowledge_transfer", pool, split) for split in ("validation", "test")},
            {split: pool.simulated(pool.rows(split)) for split in ("validation", "test")},
            resamples,
        ),
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


def _shipped(
    config: Config, pool: Pool, codes: dict[str, list[str]], simulated: npt.NDArray[np.bool_], resamples: Array
) -> dict[str, Any]:
    """What is measured of the model that ships only: calibration, subgroups, abstention, real findings.

    Test ECGs have the calibration that the bundle gets, fitted on all validation patients; validation ECGs one that was
    fitted on other validation patients.
    """
    name = "knowledge_transfer"
    rows, before = pool.rows("test"), pool.rows("validation")
    ecgs, earlier = pool.ecgs.iloc[rows], pool.ecgs.iloc[before]
    patients = earlier["patient"].to_numpy(str)
    kinds = {"real": ~simulated, "simulated": simulated}
    kinds_before = {"real": ~pool.simulated(before), "simulated": pool.simulated(before)}
    resamples_before = patient_resamples(patients, config.bootstrap, config.seed)
    calibration: dict[str, Any] = {}
    subgroups: dict[str, Any] = {}
    found: dict[str, Any] | None = None
    fitted_on = predictions(config, name, pool, "validation")
    for head, logits in predictions(config, name, pool, "test").items():
        truth, truth_before = (pool.targets[head][r].astype(float) for r in (rows, before))
        fit_data = (fitted_on[head], truth_before, kinds_before["simulated"])
        p = calibrated(logits, fit_head(*fit_data))
        p_before = cross_fitted(*fit_data, patients, config.seed)
        calibration[head], subgroups[head] = {}, {}
        for kind, mask in kinds.items():
            figures = calibration_figures(p[mask], truth[mask], resamples[:, mask])
            if figures:
                here = kinds_before[kind]
                figures["validation"] = calibration_figures(
                    p_before[here], truth_before[here], resamples_before[:, here]
                )
                calibration[head][kind] = figures
                subgroups[head][kind] = subgroup_figures(
                    codes[head], p[mask], truth[mask], ecgs[mask], resamples[:, mask]
                )
        if head == "findings" and kinds["real"].any():
            real = kinds["real"]
            found = real_findings(codes[head], logits[real], truth[real], resamples[:, real])
    refused = refusals(config, pool, rows)
    return {
        "calibration": calibration,
        "subgroups": subgroups,
        "abstention": {
            kind: abstention_figures(refused[mask], ecgs[mask]) for kind, mask in kinds.items() if mask.any()
        },
        "left_out_in_preparation": {prepared.info["name"]: prepared.info["excluded"] for prepared in pool.sets},
        "real_findings": found,
    }


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
