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
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgkt.model.networks.network import Network
from training.calibrate.platt import calibrated, fit_head
from training.config import Config
from training.data.pool import Pool
from training.evaluate.evaluate import predictions
from training.evaluate.hyperkalemia import with_potassium
from training.metrics import MIN_POSITIVES, Array, auroc, interval, patient_resamples
from training.train.predict import predict
from training.train.run import StageError, load_network, load_sets
from training.train.source_erasure import normal_of_like_age

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


def checks(config: Config) -> None:
    """Raises StageError where the run has no real ECGs. No domain probe without simulated ones."""
    _, sets = load_sets(config)
    pool = Pool(sets)
    every = np.arange(len(pool.ecgs))
    real = every[~pool.simulated(every)]
    if not len(real):
        raise StageError("This run has no real ECGs to check lab scores on.")
    network = load_network(config, MODEL)
    folder = config.folder / "evaluation" / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    logits = predict(network, pool, real)
    parts = {
        "lab_proxies": lab_proxies(pool, real, logits, config),
        "dose_response": {"potassium": potassium_response(config, pool, network, real)},
    }
    if len(real) < len(every):
        parts["domain_probe"] = domain_probe(config, pool, network)
    for name, made in parts.items():
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
        pool.simulated(rows),
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


def domain_probe(config: Config, pool: Pool, network: Network) -> dict[str, Any]:
    """How well real and simulated normal ECGs are told apart, by what is looked at; each patient judged by a reader
    that did not learn from them.

    Only ECGs that no network was trained on, so that what was taken out of the lab heads there (erasure.py) is not
    tested on itself. A forest sees what no mean shows.
    """
    rows = normal_of_like_age(pool, ["validation", "test"], config.seed)
    is_real = (~pool.simulated(rows)).astype(int)
    patients = pool.ecgs["patient"].to_numpy(str)[rows]
    signal = torch.from_numpy(pool.signals(rows))
    with torch.inference_mode():
        embedding, logits = network.embed(signal).double().numpy(), network(signal)
    labs, findings = (logits[head].double().numpy() for head in ("labs", "findings"))
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    forest = RandomForestClassifier(300, min_samples_leaf=5, random_state=config.seed)
    shuffled = np.random.default_rng(config.seed).permutation(is_real)
    single = [float(auroc(labs[:, column], is_real.astype(float))[0]) for column in range(labs.shape[1])]
    telling = int(np.argmax(np.abs(np.array(single) - 0.5)))
    held = f"{is_real.sum()} real against {(1 - is_real).sum()} simulated normal ECGs outside training"
    out = {}
    for name, features, reader, truth, what in (
        ("labs logits", labs, line, is_real, f"logistic regression, {held}"),
        ("labs logits, by a forest", labs, forest, is_real, f"random forest, {held}"),
        ("the most telling lab logit", labs[:, [telling]], line, is_real,
         f"{network.architecture.labels['labs'][telling]}, by itself, {held}"),
        ("labs logits, sources shuffled", labs, line, shuffled, f"logistic regression, {held}, as a check"),
        ("findings logits", findings, line, is_real, f"logistic regression, {held}"),
        ("embedding", embedding, line, is_real, f"logistic regression, {held}"),
    ):  # fmt: skip
        out[name] = {"auroc": _probe(reader, features, truth, patients, config), "chance": 0.5, "what": what}
    return out


def _probe(
    reader: ClassifierMixin, features: Array, truth: npt.NDArray[np.int64], patients: npt.NDArray[np.str_],
    config: Config,
) -> list[float]:  # fmt: skip
    """[AUROC, low, high] of a classifier, cross-validated by patient."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=config.seed)
    scores = cross_val_predict(reader, features, truth, groups=patients, cv=folds, method="predict_proba")[:, 1]
    resamples = patient_resamples(patients, config.bootstrap, config.seed)
    value = auroc(scores, truth.astype(float))[0]
    return [float(value), *interval(auroc(scores, truth.astype(float), resamples))]
