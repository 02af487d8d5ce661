"""What can be known of lab scores on real ECGs, none of which has a lab beside it.

    python -m training checks --config training/configs/default.yaml

Writes OUT/evaluation/parts/: lab_proxies (scores against statements that go with them), dose_response (real ECGs
changed as a rising potassium would change them) and domain_probe (can the lab scores tell real from simulated?).
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgkt.model.networks.network import Network
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import DomainProbe, DoseResponse, LabProxy
from training.calibrate.fitted import fitted
from training.config import Config
from training.data.pool import Pool
from training.evaluate.hyperkalemia import with_potassium
from training.metrics import MIN_POSITIVES, Array, auroc, estimate, patient_resamples
from training.train import files, predict
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
    """Raises StageError where the run has no real ECGs. No domain probe without simulated ones, and no dose and
    response without normal ones."""
    _, sets = load_sets(config)
    pool = Pool(sets)
    every = np.arange(len(pool.ecgs))
    real = every[~pool.simulated(every)]
    real = real[~_learned_from(pool, real)]
    if not len(real):
        raise StageError("This run has no real ECGs to check lab scores on.")
    network = load_network(config, MODEL)
    folder = config.folder / "evaluation" / "parts"
    logits = predict.logits_by_pool(network, pool, real)
    parts: dict[str, dict[str, LabProxy] | dict[str, DoseResponse] | dict[str, DomainProbe]] = {
        "lab_proxies": lab_proxies(pool, real, logits, config),
    }
    if "potassium_high" in pool.codes()["labs"] and _held_out_normal(pool, real).any():
        parts["dose_response"] = {"potassium": potassium_response(config, pool, network, real)}
    probed = normal_of_like_age(pool, ["validation", "test"], config.seed)
    if pool.codes()["labs"] and pool.ecgs["patient"].iloc[probed].nunique() >= 2 * FOLDS:
        parts["domain_probe"] = domain_probe(config, pool, network)
    for name, made in parts.items():
        content = msgspec.json.encode(made)
        files.write(folder / f"{name}.json", msgspec.json.format(content, indent=1) + b"\n")
        print(name, content.decode()[:400])


def _learned_from(pool: Pool, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """[rows] whether an ECG is one for training with labs or diagnoses of its own, whose scores prove nothing."""
    known = [~np.isnan(pool.targets[head][rows]).all(axis=1) for head in ("labs", "diagnoses")]
    return np.isin(rows, pool.rows("train")) & (known[0] | known[1])


def _held_out_normal(pool: Pool, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """[rows] whether an ECG is stated to be normal and lies outside training."""
    codes = pool.codes()["findings"]
    if "NORM" not in codes:
        return np.zeros(len(rows), dtype=bool)
    held_out = np.isin(rows, np.concatenate([pool.rows("validation"), pool.rows("test")]))
    return held_out & (pool.targets["findings"][rows, codes.index("NORM")] == 1)


def lab_proxies(
    pool: Pool, real: npt.NDArray[np.int64], logits: dict[str, Array], config: Config
) -> dict[str, LabProxy]:
    """Score on statement -> AUROC, on all real ECGs: no network saw a lab or a diagnosis of theirs."""
    codes = pool.codes()
    stated = {code: pool.targets["findings"][real, number] == 1 for number, code in enumerate(codes["findings"])}
    resamples = patient_resamples(pool.ecgs["patient"].to_numpy(str)[real], config.bootstrap, config.seed)
    out: dict[str, LabProxy] = {}
    for head, code, statement in PROXIES:
        if code not in codes[head] or statement not in stated or "NORM" not in stated:
            continue
        has = stated[statement]
        normal = stated["NORM"] & ~has
        if has.sum() < MIN_POSITIVES:
            continue
        used = has | normal
        scores = logits[head][used, codes[head].index(code)]
        truth = has[used].astype(float)
        out[f"{code} on {statement}"] = LabProxy(
            auroc=_auroc(scores, truth, resamples[:, used]),
            positives=int(has.sum()),
            against=int(normal.sum()),
            what=f"{code} score, real ECGs with {statement} against those with NORM",
        )
    return out


def potassium_response(config: Config, pool: Pool, network: Network, real: npt.NDArray[np.int64]) -> DoseResponse:
    """Calibrated probability of hyperkalemia on real normal ECGs outside training, changed to each potassium."""
    codes = pool.codes()
    signals = pool.signals(real[_held_out_normal(pool, real)])
    column = codes["labs"].index("potassium_high")
    made = fitted(config, pool, MODEL)
    at = network.architecture.labels["labs"].index("potassium_high")
    probabilities = []
    for potassium in POTASSIUM:
        changed = np.stack([with_potassium(signal, potassium) for signal in signals])
        logits = predict.logits_of_signals(network, changed)["labs"]
        placed = np.zeros((len(signals), len(codes["labs"])))
        placed[:, column] = logits[:, at]
        probabilities.append(made.probabilities("labs", codes["labs"], placed)[:, column])
    levels = np.stack(probabilities)  # [potassium, ECGs]
    return DoseResponse(
        values=list(POTASSIUM),
        unit="mmol/L",
        probability=np.median(levels, axis=1).tolist(),
        low=np.quantile(levels, 0.25, axis=1).tolist(),
        high=np.quantile(levels, 0.75, axis=1).tolist(),
        ecgs=len(signals),
        rising=float((levels[-1] > levels[0]).mean()),
    )


def domain_probe(config: Config, pool: Pool, network: Network) -> dict[str, DomainProbe]:
    """How well real and simulated normal ECGs are told apart, by what is looked at; each patient judged by a reader
    that did not learn from them.

    Only ECGs that no network was trained on, so that what was taken out of the lab heads there (erasure.py) is not
    tested on itself. A forest sees what no mean shows.
    """
    rows = normal_of_like_age(pool, ["validation", "test"], config.seed)
    is_real = (~pool.simulated(rows)).astype(int)
    patients = pool.ecgs["patient"].to_numpy(str)[rows]
    embedding, of_heads = predict.embeddings(network, pool, rows), predict.logits(network, pool, rows)
    labs, findings = of_heads["labs"], of_heads["findings"]
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    forest = RandomForestClassifier(300, min_samples_leaf=5, random_state=config.seed)
    shuffled = np.random.default_rng(config.seed).permutation(is_real)
    single = [float(auroc(labs[:, column], is_real.astype(float))[0]) for column in range(labs.shape[1])]
    telling = int(np.argmax(np.abs(np.array(single) - 0.5)))
    regression = "logistic regression"
    out = {}
    for name, features, reader, truth, classifier in (
        ("lab logits", labs, line, is_real, regression),
        ("lab logits, nonlinear", labs, forest, is_real, "random forest"),
        ("single most telling lab logit", labs[:, [telling]], line, is_real,
         f"{regression}, {network.architecture.labels['labs'][telling]} alone"),
        ("lab logits, sources shuffled", labs, line, shuffled, f"{regression}, as a check"),
        ("finding logits", findings, line, is_real, regression),
        ("embedding", embedding, line, is_real, regression),
    ):  # fmt: skip
        out[name] = DomainProbe(
            auroc=_probe(reader, features, truth, patients, config),
            chance=0.5,
            classifier=classifier,
            real=int(is_real.sum()),
            simulated=int((1 - is_real).sum()),
        )
    return out


def _probe(
    reader: ClassifierMixin, features: Array, truth: npt.NDArray[np.int64], patients: npt.NDArray[np.str_],
    config: Config,
) -> Interval | None:  # fmt: skip
    """AUROC of a classifier, cross-validated by patient."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=config.seed)
    scores = cross_val_predict(reader, features, truth, groups=patients, cv=folds, method="predict_proba")[:, 1]
    resamples = patient_resamples(patients, config.bootstrap, config.seed)
    return _auroc(scores, truth.astype(float), resamples)


def _auroc(scores: Array, truth: Array, resamples: Array) -> Interval | None:
    return estimate(np.concatenate([auroc(scores, truth), auroc(scores, truth, resamples)]))
