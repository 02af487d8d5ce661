"""Knowing when not to answer, put together: what the bundle gets, and what is measured of it on test patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ecgkt.model.out_of_distribution import Novelty
from ecgkt.prediction import HEADS
from ecgkt.verdict import Guarantee
from training.calibrate.conformal import ALPHA, coverage, guarantees, one_ecg_per_patient
from training.calibrate.out_of_distribution import figures, fit
from training.calibrate.platt import calibrated, fit_head, threshold
from training.config import Config
from training.data.pool import Pool
from training.evaluate.risk_coverage import entropy
from training.evaluate.risk_coverage import figures as risk_figures
from training.metrics import Array
from training.train.predict import embeddings
from training.train.run import load_network

MODEL = "knowledge_transfer"
Rows = npt.NDArray[np.int64]
Logits = dict[str, Array]


def fit_guarantees(
    pool: Pool, logits: Logits, rows: Rows, simulated: npt.NDArray[np.bool_], seed: int
) -> dict[str, dict[str, Guarantee]]:
    """Head -> code -> guarantee, from one validation ECG a patient, on calibrated probabilities.

    logits: head -> [rows, labels]. The calibration was fitted on the same patients, but keeps the order of a label's
    logits, which is all that the limits rest on.
    """
    chosen = one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], seed)
    result: dict[str, dict[str, Guarantee]] = {}
    for head, values in logits.items():
        targets = pool.targets[head][rows].astype(float)
        p = calibrated(values, fit_head(values, targets, simulated))
        limits = thresholds(p, targets, simulated)
        result[head] = guarantees(pool.codes()[head], p[chosen], targets[chosen], simulated[chosen], limits)
    return result


def thresholds(p: Array, truth: Array, simulated: npt.NDArray[np.bool_]) -> Array:
    """[labels] the threshold of every label; p, truth: [rows, labels]."""
    return np.array([threshold(p[:, c], truth[:, c], simulated)[0] for c in range(p.shape[1])])


def fit_novelty(config: Config, pool: Pool) -> Novelty:
    return fit(load_network(config, MODEL), pool, config.seed)


def trust_figures(
    config: Config,
    pool: Pool,
    logits: dict[str, Logits],
    simulated: dict[str, npt.NDArray[np.bool_]],
    resamples: Array,
) -> dict[str, Any]:
    """`conformal`, `novelty` and `risk_coverage` of metrics.json.

    logits: split -> head -> [N, L]; simulated: split -> [N]; both for validation and test.
    resamples: [R, N] of test patients.
    """
    validation, test = logits["validation"], logits["test"]
    before, rows = pool.rows("validation"), pool.rows("test")
    promised = fit_guarantees(pool, validation, before, simulated["validation"], config.seed)
    chosen = one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], config.seed)
    network, novelty = load_network(config, MODEL), fit_novelty(config, pool)
    unlike = novelty.score(embeddings(network, pool, rows))
    conformal: dict[str, Any] = {"alpha": ALPHA, "heads": {}}
    risk: dict[str, Any] = {}
    for head in HEADS:
        if head not in test:
            continue
        codes = pool.codes()[head]
        truth_before, truth = (pool.targets[head][r].astype(float) for r in (before, rows))
        parameters = fit_head(validation[head], truth_before, simulated["validation"])
        p_before, p = calibrated(validation[head], parameters), calibrated(test[head], parameters)
        conformal["heads"][head] = coverage(
            promised[head], codes, p[chosen], truth[chosen], simulated["test"][chosen], config.seed
        )
        limits = thresholds(p_before, truth_before, simulated["validation"])
        risk[head] = {}
        for kind, here in (("real", ~simulated["test"]), ("simulated", simulated["test"])):
            known = ~np.isnan(truth[here]).all(axis=0)
            if known.any() and head in ("findings", "diagnoses"):
                orders = {"confidence": entropy(p[here][:, known]), "novelty": unlike[here]}
                kept = [code for code, flag in zip(codes, known, strict=True) if flag]
                risk[head][kind] = risk_figures(
                    kept, p[here][:, known], truth[here][:, known], limits[known], orders, resamples[:, here]
                )
    return {
        "conformal": conformal,
        "novelty": figures(novelty, network, pool, config.seed),
        "risk_coverage": {head: kinds for head, kinds in risk.items() if kinds},
    }
