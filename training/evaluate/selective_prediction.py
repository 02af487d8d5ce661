"""Knowing when not to answer, put together: what the bundle gets, and what is measured of it on test patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.model.out_of_distribution import Novelty
from ecgkt.prediction import HEADS, Head
from ecgkt.results import trust_metrics
from ecgkt.results.intervals import Kind
from ecgkt.results.trust_metrics import Conformal, HeadVerdicts, Order, RiskCoverage
from ecgkt.verdict import Guarantee
from training.calibrate.conformal import ALPHA, coverage, guarantees, one_ecg_per_patient
from training.calibrate.out_of_distribution import figures, fit
from training.calibrate.platt import calibrated, fit_head
from training.calibrate.thresholds import choose
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


@dataclass(frozen=True)
class Trust:
    """`conformal`, `novelty` and `risk_coverage` of metrics.json."""

    conformal: Conformal
    novelty: trust_metrics.Novelty
    risk_coverage: dict[Head, dict[Kind, RiskCoverage]]


def fit_guarantees(
    pool: Pool, logits: Logits, rows: Rows, simulated: npt.NDArray[np.bool_], seed: int
) -> dict[str, dict[str, Guarantee]]:
    """Head -> code -> guarantee, from one validation ECG a patient, on calibrated probabilities.

    logits: head -> [rows, labels]. The calibration was fitted on the same patients, but keeps the order of a label's
    logits, which is all that the limits rest on.
    """
    chosen = one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], seed)
    result: dict[str, dict[str, Guarantee]] = {}
    for head in (head for head in HEADS if head in logits):
        values, targets = logits[head], pool.targets[head][rows].astype(float)
        p = calibrated(values, fit_head(values, targets, simulated))
        limits = thresholds(pool, head, p, targets, simulated)
        result[head] = guarantees(pool.codes()[head], p[chosen], targets[chosen], simulated[chosen], limits)
    return result


def thresholds(pool: Pool, head: Head, p: Array, truth: Array, simulated: npt.NDArray[np.bool_]) -> Array:
    """[labels] the threshold of every label of a head; p, truth: [rows, labels]."""
    return np.array([limit for limit, _ in choose(pool, head, p, truth, simulated)])


def fit_novelty(config: Config, pool: Pool) -> Novelty:
    return fit(load_network(config, MODEL), pool, config.seed)


def trust_figures(
    config: Config,
    pool: Pool,
    logits: dict[str, Logits],
    simulated: dict[str, npt.NDArray[np.bool_]],
    resamples: Array,
) -> Trust:
    """What is measured on test patients of verdicts, abstention and novelty.

    logits: split -> head -> [N, L]; simulated: split -> [N]; both for validation and test.
    resamples: [R, N] of test patients.
    """
    validation, test = logits["validation"], logits["test"]
    before, rows = pool.rows("validation"), pool.rows("test")
    promised = fit_guarantees(pool, validation, before, simulated["validation"], config.seed)
    chosen = one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], config.seed)
    network, novelty = load_network(config, MODEL), fit_novelty(config, pool)
    unlike = novelty.score(embeddings(network, pool, rows))
    verdicts: dict[Head, HeadVerdicts] = {}
    risk: dict[Head, dict[Kind, RiskCoverage]] = {}
    masks: dict[Kind, npt.NDArray[np.bool_]] = {"real": ~simulated["test"], "simulated": simulated["test"]}
    for head in HEADS:
        if head not in test:
            continue
        codes = pool.codes()[head]
        truth_before, truth = (pool.targets[head][r].astype(float) for r in (before, rows))
        parameters = fit_head(validation[head], truth_before, simulated["validation"])
        p_before, p = calibrated(validation[head], parameters), calibrated(test[head], parameters)
        verdicts[head] = coverage(
            promised[head], codes, p[chosen], truth[chosen], simulated["test"][chosen], config.seed
        )
        limits = thresholds(pool, head, p_before, truth_before, simulated["validation"])
        risk[head] = {}
        for kind, here in masks.items():
            known = ~np.isnan(truth[here]).all(axis=0)
            if known.any() and head in ("findings", "diagnoses"):
                orders: dict[Order, Array] = {"confidence": entropy(p[here][:, known]), "novelty": unlike[here]}
                kept = [code for code, flag in zip(codes, known, strict=True) if flag]
                risk[head][kind] = risk_figures(
                    kept, p[here][:, known], truth[here][:, known], limits[known], orders, resamples[:, here]
                )
    return Trust(
        Conformal(alpha=ALPHA, heads=verdicts),
        figures(novelty, network, pool, config.seed),
        {head: kinds for head, kinds in risk.items() if kinds},
    )
