"""What a bundle is given of simulated patients after training: the reference cohort behind "patients like this one",
probes of its embeddings, and how its heads follow their causes.

    python -m training reference --model assets/models/default

Patients are drawn anew, with a seed that no training set has; nothing of the run's own folder is needed, so a bundle
from before can be given them too. Weights stay as they are; `reference.safetensors`, metrics.json and the hashes in
bundle.json are written.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import save
from sklearn.decomposition import PCA

from ecgkt.json_records import encode
from ecgkt.model.bundle import METRICS_FILE, REFERENCE_FILE, load_bundle, reference_columns, sha256_of
from ecgkt.model.model import Model
from ecgkt.neighbors.nearest import own_spread
from ecgkt.neighbors.reference import Reference
from training.evaluate.cause_and_head import responses
from training.evaluate.drawn_cohort import DrawnCohort, draw
from training.evaluate.probes import probes
from training.train import files

SEED = 20261126
PATIENTS = 4000
CURVES = 60  # patients behind each curve of cause and head
DIMENSIONS = 32  # of the space in which patients are compared: more bring no better neighbors (benchmarks/neighbors.md)
COMPARED = ("signal_only", "knowledge_transfer")


def write_reference(folder: Path, patients: int = PATIENTS, curves: int = CURVES) -> None:
    """Put all three into the bundle in `folder`. Raises BundleError, ValueError where a training set has the seed."""
    bundle = load_bundle(folder)
    if SEED in bundle.card.seeds.values():
        raise ValueError(f"The reference cohort's seed {SEED} is that of a training set.")
    model, networks = Model(bundle), [name for name in COMPARED if name in bundle.networks]
    columns, codes = reference_columns(bundle.card)
    cohort = draw(model, networks, SEED, patients, columns, codes)
    reference = reference_of(cohort, columns, codes)
    metrics = msgspec.structs.replace(
        bundle.metrics,
        probes=probes(cohort, columns, SEED) if len(networks) == len(COMPARED) else [],
        responses=responses(model, SEED + 1, curves),
    )
    files.write(folder / REFERENCE_FILE, save(reference.tensors()))
    files.write(folder / METRICS_FILE, encode(metrics))
    hashes = {file: sha256_of(folder / file) for file in (*bundle.card.files, REFERENCE_FILE)}
    files.write(folder / "bundle.json", encode(msgspec.structs.replace(bundle.card, files=hashes)))
    print(f"{len(reference):,} reference patients, {(folder / REFERENCE_FILE).stat().st_size / 1e6:.2f} MB in {folder}")


def reference_of(cohort: DrawnCohort, columns: tuple[str, ...], codes: tuple[str, ...]) -> Reference:
    """The cohort in the space of the embedding's principal axes, each dimension of it standardized before."""
    embeddings = cohort.embeddings["knowledge_transfer"]
    mean, scale = embeddings.mean(axis=0), embeddings.std(axis=0) + 1e-6
    standard = (embeddings - mean) / scale
    size = min(DIMENSIONS, *standard.shape)
    axes = PCA(size, svd_solver="full").fit(standard).components_.T
    places = (standard @ axes).astype(np.float16)
    return Reference(
        cohort.seed,
        cohort.index,
        mean.astype(np.float32),
        scale.astype(np.float32),
        np.ascontiguousarray(axes, np.float32),
        places,
        columns,
        cohort.quantities,
        codes,
        cohort.labels,
        own_spread(places.astype(np.float32)),
    )
