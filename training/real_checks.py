"""What can be known of lab scores on real ECGs, none of which has a lab beside it.

    python -m training checks --config training/configs/default.yaml

Writes OUT/evaluation/parts/: lab_proxies (scores against statements that go with them), dose_response (real ECGs
changed as a rising potassium would change them) and domain_probe (can the lab scores tell real from simulated?).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from scipy.special import expit

from ecgkt.nn.network import Network
from training.altered import with_potassium
from training.calibration import calibrated, fit_head
from training.config import Config
from training.data import Pool
from training.evaluate import predict, predictions, simulated_rows
from training.metrics import MIN_POSITIVES, Array, auroc, interval, patient_resamples
from training.stages import StageError, load_network, load_sets

MODEL = "knowledge_transfer"
# head, code of the score, statement that goes with it; each against ECGs that are stated to be normal
PROXIES = (
    ("labs", "potassium_high", "EL"), ("labs", "potassium_low", "EL"), ("labs", "calcium_low", "LNGQT"),
    ("labs", "potassium_low", "LNGQT"), ("labs", "magnesium_low", "LNGQT"), ("labs", "potassium_low", "DIG"),
    ("labs", "calcium_high", "DIG"), ("diagnoses", "I4581", "LNGQT"), ("labs", "nt_probnp_high", "AFIB"),
    ("labs", "nt_probnp_high", "CLBBB"), ("labs", "nt_probnp_high", "LVH"), ("diagnoses", "I50", "AFIB"),
    ("diagnoses", "I50", "CLBBB"), ("diagnoses", "I50", "LVH"),
)  # fmt: skip
POTASSIUM = (4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0)  # mmol/L
FOLDS = 5
RIDGE = 1.0  # weight of the squared coefficients of the probe, features of unit variance


def checks(config: Config) -> None:
    """Raises StageError where the run has no real ECGs."""
    _, sets = load_sets(config)
    pool = Pool(sets)
    every = np.arange(len(pool.ecgs))
    real = every[~simulated_rows(pool, every)]
    if not len(real):
        raise StageError("This run has no real ECGs to check lab scores on.")
    network = load_network(config, MODEL)
    folder = config.folder / "evaluation" / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    logits = predict(network, pool, real)
    for name, made in (
        ("lab_proxies", lab_proxies(pool, real, logits, config)),
        ("dose_response", {"potassium": potassium_response(config, pool, network, real)}),
        ("domain_probe", domain_probe(config, pool, network, real)),
    ):
        (folder / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n")
        print(name, json.dumps(made)[:400])


def lab_proxies(pool: Pool, real: npt.NDArray[np.int64], logits: dict[str, Array], config: Config) -> dict[str, Any]:
    """{score on statement: AUROC with interval}, on all real ECGs: no network saw a lab or a diagnosis of theirs."""
    codes = pool.codes()
    stated = {code: pool.targets["findings"][real, number] == 1 for number, code in enumerate(codes["findings"])}
    resamples = patient_resamples(pool.ecgs["patient"].to_numpy(str)[real], config.bootstrap, config.seed)
    out: dict[str, Any] = {}
    for head, code, statement in PROXIES:
        if code not in codes[head] or statement not in stated:
            continue
        has = stated[statement]
        normal = stated["NORM"] & ~has
        if has.sum() < MIN_POSITIVES:
            continue
        used = has | normal
        scores = logits[head][used, codes[head].index(code)]
        truth = has[used].astype(float)
        values = auroc(scores, truth, resamples[:, used])
        out[f"{code} on {statement}"] = {
            "auroc": [float(auroc(scores, truth)[0]), *interval(values)],
            "positives": int(has.sum()),
            "against": int(normal.sum()),
            "what": f"{code} score of real ECGs stated {statement} against those stated NORM",
        }
    return out


def potassium_response(config: Config, pool: Pool, network: Network, real: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Calibrated probability of hyperkalaemia on real normal ECGs outside training, changed to each potassium.

    median, and the middle half of the ECGs; rising: share of the ECGs whose probability is higher at the highest
    potassium than at the lowest.
    """
    codes = pool.codes()
    held_out = np.isin(real, np.concatenate([pool.rows("validation"), pool.rows("test")]))
    normal = pool.targets["findings"][real, codes["findings"].index("NORM")] == 1
    signals = pool.signals(real[held_out & normal])
    column = codes["labs"].index("potassium_high")
    rows = pool.rows("validation")
    fitted = fit_head(
        predictions(config, MODEL, pool, "validation")["labs"],
        pool.targets["labs"][rows].astype(float),
        simulated_rows(pool, rows),
    )
    at = network.architecture.labels["labs"].index("potassium_high")
    probabilities = []
    for potassium in POTASSIUM:
        changed = np.stack([with_potassium(signal, potassium) for signal in signals])
        with torch.inference_mode():
            logits = network(torch.from_numpy(changed))["labs"].double().numpy()
        placed = np.zeros((len(signals), len(codes["labs"])))
        placed[:, column] = logits[:, at]
        probabilities.append(calibrated(placed, fitted)[:, column])
    levels = np.stack(probabilities)  # [potassium, ECGs]
    return {
        "values": list(POTASSIUM),
        "unit": "mmol/L",
        "probability": np.median(levels, axis=1).tolist(),
        "low": np.quantile(levels, 0.25, axis=1).tolist(),
        "high": np.quantile(levels, 0.75, axis=1).tolist(),
        "ecgs": len(signals),
        "rising": float((levels[-1] > levels[0]).mean()),
    }


def domain_probe(config: Config, pool: Pool, network: Network, real: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How well a logistic regression tells real from simulated normal ECGs, by what it is given; cross-validated.

    Only normal ECGs of like age: otherwise it would tell the patients apart, who differ in what they have.
    """
    codes = pool.codes()
    test = pool.rows("test")
    test = test[simulated_rows(pool, test)]
    normal = codes["findings"].index("NORM")
    rows = np.concatenate([real, test])
    rows = rows[pool.targets["findings"][rows, normal] == 1]
    rows = _same_ages(pool, rows, config.seed)
    is_real = (~simulated_rows(pool, rows)).astype(float)
    patients = pool.ecgs["patient"].to_numpy(str)[rows]
    embedding, logits = [], []
    for first in range(0, len(rows), 256):
        signal = torch.from_numpy(pool.signals(rows[first : first + 256]))
        with torch.inference_mode():
            embedding.append(network.embed(signal).double().numpy())
            logits.append({head: values.double().numpy() for head, values in network(signal).items()})
    given = {f"{head} logits": np.concatenate([part[head] for part in logits]) for head in ("labs", "findings")}
    given["embedding"] = np.concatenate(embedding)
    shuffled = np.random.default_rng(config.seed).permutation(is_real)
    what = f"logistic regression, {int(is_real.sum())} real against {int((1 - is_real).sum())} simulated normal ECGs"
    out = {}
    for name, features in given.items():
        out[name] = {"auroc": _probe(features, is_real, patients, config), "chance": 0.5, "what": what}
    out["labs logits, sources shuffled"] = {
        "auroc": _probe(given["labs logits"], shuffled, patients, config), "chance": 0.5, "what": f"{what}, as a check",
    }  # fmt: skip
    return out


def _same_ages(pool: Pool, rows: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """As many simulated as real ECGs in every band of ten years."""
    band = (pool.ecgs["age"].to_numpy(float)[rows] // 10).astype(int)
    simulated = simulated_rows(pool, rows)
    rng = np.random.default_rng(seed)
    kept = []
    for one in np.unique(band):
        here = [rows[(band == one) & (simulated == kind)] for kind in (False, True)]
        count = min(len(group) for group in here)
        kept += [rng.choice(group, count, replace=False) for group in here]
    return np.sort(np.concatenate(kept))


def _probe(features: Array, truth: Array, patients: npt.NDArray[np.str_], config: Config) -> list[float]:
    """[AUROC, low, high] of ridge logistic regression, each patient judged by a fit that did not see them."""
    names, which = np.unique(patients, return_inverse=True)
    fold = np.random.default_rng(config.seed).permutation(len(names))[which] % FOLDS
    scores = np.zeros(len(truth))
    for number in range(FOLDS):
        train, held = fold != number, fold == number
        mean, sd = features[train].mean(axis=0), features[train].std(axis=0) + 1e-9
        weights = _logistic((features[train] - mean) / sd, truth[train])
        scores[held] = (features[held] - mean) / sd @ weights[1:] + weights[0]
    resamples = patient_resamples(patients, config.bootstrap, config.seed)
    return [float(auroc(scores, truth)[0]), *interval(auroc(scores, truth, resamples))]


def _logistic(x: Array, truth: Array) -> Array:
    """[1 + features] intercept and weights of a logistic regression with a ridge on the weights."""
    design = np.column_stack([np.ones(len(x)), x])

    def loss(weights: Array) -> tuple[float, Array]:
        z = design @ weights
        ridge = RIDGE * np.r_[0.0, weights[1:]]
        value = np.logaddexp(0, z).sum() - truth @ z + ridge @ weights / 2
        return float(value), design.T @ (expit(z) - truth) + ridge

    return np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x)
