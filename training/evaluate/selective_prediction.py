"""Knowing when not to answer, put together: what the bundle gets, and what is measured of it on test patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.prediction import HEADS, Head
from ecgkt.results import trust_metrics
from ecgkt.results.intervals import Kind
from ecgkt.results.trust_metrics import Conformal, HeadVerdicts, Order, RiskCoverage
from training.calibrate.conformal import ALPHA, coverage, one_ecg_per_patient
from training.calibrate.fitted import fitted, fitted_novelty
from training.calibrate.out_of_distribution import figures
from training.config import Config
from training.data.pool import Pool
from training.evaluate.risk_coverage import entropy
from training.evaluate.risk_coverage import figures as risk_figures
from training.metrics import Array
from training.train.outputs import Outputs
from training.train.run import load_network

MODEL = "knowledge_transfer"


@dataclass(frozen=True)
class Trust:
    """`conformal`, `novelty` and `risk_coverage` of metrics.json."""

    conformal: Conformal
    novelty: trust_metrics.Novelty
    risk_coverage: dict[Head, dict[Kind, RiskCoverage]]


def trust_figures(
    config: Config,
    pool: Pool,
    tested: Outputs,
    simulated: npt.NDArray[np.bool_],
    resamples: Array,
) -> Trust:
    """What is measured on test patients of verdicts, abstention and novelty.

    tested: of the N test ECGs; simulated: [N]; resamples: [R, N] of test patients.
    """
    rows = pool.rows("test")
    made, novelty = fitted(config, pool, MODEL), fitted_novelty(config, pool, MODEL)
    chosen = one_ecg_per_patient(pool.ecgs["patient"].to_numpy(str)[rows], config.seed)
    unlike = novelty.score(tested.embedding)
    verdicts: dict[Head, HeadVerdicts] = {}
    risk: dict[Head, dict[Kind, RiskCoverage]] = {}
    masks: dict[Kind, npt.NDArray[np.bool_]] = {"real": ~simulated, "simulated": simulated}
    for head in HEADS:
        if head not in tested.logits:
            continue
        codes = pool.codes()[head]
        truth = pool.targets[head][rows].astype(float)
        p, limits = made.probabilities(head, codes, tested.logits[head]), made.limits(head, codes)
        verdicts[head] = coverage(
            made.guarantees[head], codes, p[chosen], truth[chosen], simulated[chosen], config.seed
        )
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
        figures(novelty, load_network(config, MODEL), pool, config.seed),
        {head: kinds for head, kinds in risk.items() if kinds},
    )
