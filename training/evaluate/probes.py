"""What the labs taught the encoder: linear probes on the embeddings of the network that learned from labs and vitals
and of the one that did not, on the same simulated patients.

Ridge regressions (for sex a ridge on -1 and 1, ranked), five folds over patients, one ECG each; the penalty is chosen
within each training fold. The null labs, which nothing in a tracing depends on, are the check: they must come out at 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from ecgkt import vocabulary
from ecgkt.results import names
from ecgkt.results.simulated_metrics import Probe, ProbeKind
from ecgkt.simulation.tables import labs
from training.evaluate.drawn_cohort import DrawnCohort
from training.metrics import Array, auroc, estimate

FOLDS = 5
PENALTIES = np.geomspace(1, 1e5, 11)
RESAMPLES = 300
Target = tuple[str, ProbeKind, bool, Array]  # name, kind, in logarithms?, values [N]


def probes(cohort: DrawnCohort, columns: tuple[str, ...], seed: int) -> list[Probe]:
    """A probe for each measurement, for age and sex, and for each lab; labs that span decades by their logarithm."""
    scales = {lab.key: lab.scale for lab in labs()}
    targets: list[Target] = [(name, "measurement", False, values) for name, values in cohort.measured.items()]
    targets += [("Age", "patient", False, cohort.age), ("Sex", "patient", False, cohort.male.astype(float))]
    for column, key in enumerate(columns):
        if key in vocabulary.labs():
            values, is_log = cohort.quantities[:, column].astype(float), scales.get(key) == "log"
            targets.append((key, "lab", is_log, np.log(np.maximum(values, 1e-6)) if is_log else values))
    weights = np.random.default_rng(seed).multinomial(
        len(cohort.index), np.full(len(cohort.index), 1 / len(cohort.index)), RESAMPLES
    )
    resampled: dict[str, dict[str, Array]] = {name: {} for name, *_ in targets}
    for network, embeddings in cohort.embeddings.items():
        for known, together in _by_patients(targets).items():
            mask = np.frombuffer(known, bool)
            values = np.stack([targets[place][3][mask] for place in together], axis=1)
            predicted = cross_validated(embeddings[mask], values, seed)
            for column, place in enumerate(together):
                name = targets[place][0]
                parts = predicted[:, column], values[:, column], weights[:, mask].astype(float)
                resampled[name][network] = _figure(name, *parts)
    return [
        Probe(
            name,
            kind,
            "auroc" if name == "Sex" else "r2",
            int(np.isfinite(values).sum()),
            {network: found for network, each in resampled[name].items() if (found := estimate(each)) is not None},
            estimate(resampled[name][names.TRANSFER] - resampled[name][names.SIGNAL]),
            is_log,
        )
        for name, kind, is_log, values in targets
    ]


def _by_patients(targets: Sequence[Target]) -> dict[bytes, list[int]]:
    """Which patients a target is known of (as bytes of a mask) -> places of the targets that share these."""
    groups: dict[bytes, list[int]] = {}
    for place, (*_, values) in enumerate(targets):
        groups.setdefault(np.isfinite(values).tobytes(), []).append(place)
    return groups


def cross_validated(embeddings: npt.NDArray[np.float32], values: Array, seed: int) -> Array:
    """[N, T] predictions of values [N, T], each by a ridge that has not seen the patient."""
    out = np.empty(values.shape)
    for train, test in KFold(FOLDS, shuffle=True, random_state=seed).split(embeddings):
        scaler = StandardScaler().fit(embeddings[train])
        ridge = RidgeCV(alphas=PENALTIES, alpha_per_target=values.ndim > 1)
        ridge.fit(scaler.transform(embeddings[train]).astype(float), values[train])
        out[test] = ridge.predict(scaler.transform(embeddings[test]).astype(float)).reshape(out[test].shape)
    return out


def _figure(name: str, predicted: Array, values: Array, weights: Array) -> Array:
    """[1 + R]: the figure itself, then its resamples."""
    if name == "Sex":
        return np.concatenate([auroc(predicted, values), auroc(predicted, values, weights)])
    return explained(predicted, values, np.concatenate([np.ones((1, len(values))), weights]))


def explained(predicted: Array, values: Array, weights: Array) -> Array:
    """[R] R2, the share of the variance of `values` [N] that predictions explain, under each row of weights [R, N]."""
    total = weights.sum(axis=1)
    mean = weights @ values / total
    variance = weights @ values**2 / total - mean**2
    return np.asarray(1 - (weights @ (values - predicted) ** 2 / total) / variance)
