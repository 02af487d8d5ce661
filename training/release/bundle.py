"""What the dashboard loads: three networks, their calibration, labels, figures and provenance in one folder.

    python -m training bundle --config training/configs/default.yaml --out assets/models/default

Calibration and thresholds come from the validation split only: see `training.calibrate.platt`.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgkt import vocabulary
from ecgkt.ecg import LEADS
from ecgkt.model.bundle import MODEL_FILES, save_bundle
from ecgkt.model.networks.network import CLIP_MV
from ecgkt.model.preprocessing import BAND, MODEL_RATE, MODEL_SAMPLES
from ecgkt.prediction import HEADS
from ecgkt.verdict import Guarantee
from training.calibrate.platt import Parameters, Thresholds, calibrate
from training.config import Config
from training.data.pool import Pool
from training.evaluate.evaluate import load_metrics, predictions
from training.evaluate.selective_prediction import fit_guarantees, fit_novelty
from training.train.run import load_network, load_sets, load_stage

INTENDED_USE = (
    "Research on what a 12-lead ECG tells of findings, diagnoses and laboratory abnormalities, and on how such a "
    "model explains itself. For researchers and clinicians who judge the method, not for the care of a patient."
)
NOT_FOR = [
    "Any clinical decision, triage, diagnosis, treatment, or the reassurance of a patient.",
    "Ruling anything out: a low probability is not a negative test.",
    "Patients under 18, paced rhythms, exercise or ambulatory recordings, recordings of fewer than 12 leads.",
    "Ranking patients or populations other than those described under training data.",
]


def bundle(config: Config, out: Path) -> None:
    sources, sets = load_sets(config)
    pool = Pool(sets)
    metrics = load_metrics(config)
    networks = {name: load_network(config, name) for name in MODEL_FILES}
    rows = pool.rows("validation")
    simulated = pool.simulated(rows)
    calibration: dict[str, dict[str, Parameters]] = {}
    thresholds: dict[str, Thresholds] = {}
    for name in networks:
        calibration[name], found = calibrate(pool, predictions(config, name, pool, "validation"), rows, simulated)
        if name == "knowledge_transfer":
            thresholds = found
    promised = fit_guarantees(
        pool, predictions(config, "knowledge_transfer", pool, "validation"), rows, simulated, config.seed
    )
    card = {
        "name": config.name,
        "created": datetime.date.today().isoformat(),
        "leads": list(LEADS),
        "rate": MODEL_RATE,
        "samples": MODEL_SAMPLES,
        "normalization": {
            "unit": "mV",
            "band_hz": list(BAND),
            "clip_mv": CLIP_MV,
            "lead_scale_mv": [round(float(v), 5) for v in networks["knowledge_transfer"].lead_scale[:, 0]],
        },
        "labels": {
            head: _label_entries(pool, head, thresholds.get(head, {}), promised.get(head, {}), metrics)
            for head in HEADS
        },
        "calibration": calibration,
        "training_data": [
            _provenance(prepared.info, source.pretrain) for source, prepared in zip(sources, sets, strict=True)
        ],
        "seeds": {"run": config.seed, **{s.name: s.seed for s in sources if s.seed}},
        "config": config.to_json(),
        "stages": {
            name: {k: record[k] for k in ("parameters", "seconds_this_run")}
            | {k: record["figures"][k] for k in ("source_erased_on",) if record["figures"].get(k)}
            for name in (*(["pretrain"] if config.pretrain_steps else []), *networks)
            for record in [load_stage(config, name)[1]]
        },
        "intended_use": INTENDED_USE,
        "not_for": NOT_FOR,
        "limits": _limits(pool),
    }
    save_bundle(out, networks, card, metrics, fit_novelty(config, pool))
    print(f"bundle written: {sum(f.stat().st_size for f in out.iterdir()) / 1e6:.1f} MB in {out}")


def _label_entries(
    pool: Pool, head: str, thresholds: Thresholds, promised: dict[str, Guarantee], metrics: dict[str, Any]
) -> list[dict[str, Any]]:
    """The labels of a head in the order of the network's outputs, with all that `ecgkt.prediction.Label` needs."""
    measured = metrics["models"]["knowledge_transfer"].get(head, {}).get("labels", {})
    train = pool.rows("train")
    names = {code: finding.name for code, finding in vocabulary.findings().items()} if head == "findings" else {}
    is_simulated = pool.simulated(train)
    entries = []
    for column, entry in enumerate(pool.labels[head]):
        truth = pool.targets[head][train, column]
        positive = truth == 1
        kinds = [
            kind for kind, mask in (("simulated", is_simulated), ("real", ~is_simulated)) if (positive & mask).any()
        ]
        code = str(entry["code"])
        figure = measured.get(code, {})
        threshold, source = thresholds[code]
        entries.append(
            {
                **entry,
                "name": names.get(code, entry["name"]),  # as the vocabulary has it now, whenever the set was prepared
                "prevalence": round(float(np.nanmean(truth)), 5) if (~np.isnan(truth)).any() else 0.0,
                "training_positives": int(positive.sum()),
                "threshold": round(threshold, 5),
                "threshold_source": source,
                "guarantee": vars(promised[code]) if code in promised else None,
                "auroc": figure.get("auroc"),
                "test_positives": figure.get("positives", 0),
                "measured_on": figure.get("measured_on"),
                "learned_from": " and ".join(kinds) or "nobody",
            }
        )
    return entries


def _provenance(meta: dict[str, Any], pretrain: bool) -> dict[str, Any]:
    kept = {
        key: meta.get(key) for key in ("name", "source", "simulated", "patients", "ecgs", "splits", "license", "note")
    }
    return {**kept, "fingerprint": meta["fingerprint"], "used_in_stage_1": pretrain}


def _limits(pool: Pool) -> list[str]:
    limits = []
    if any(prepared.info["simulated"] for prepared in pool.sets):
        limits.append(
            "Diagnoses and laboratory abnormalities were learned from simulated patients and tested on simulated "
            "patients; nothing is known of how they do on real ones."
        )
    if any(prepared.info["source"] == "ptbxl" for prepared in pool.sets):
        limits.append(
            "The real tracings come from a copy of PTB-XL filtered to 0.5-40 Hz whose amplitudes are modeled, so "
            "voltage criteria (LVH, low voltage) are weak."
        )
    limits.append(
        "Thresholds give the highest F1 among those of at least 90% specificity on validation ECGs; they serve no "
        "clinical purpose."
    )
    limits.append("Not done: testing in another hospital, by ethnicity, against a reader panel, prospectively.")
    return limits
