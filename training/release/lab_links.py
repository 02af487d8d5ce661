"""lab_links.json of a bundle: how its diagnoses hang on its labs, over a reference cohort of simulated patients.

    python -m training lab-links --model assets/models/default [--patients 1000] [--seed 60417]

Writes DIR/lab_links.json and its hash into DIR/bundle.json; weights and figures stay as they are. The seed is one that
no config trains or tests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

import ecgkt
from ecgkt.ecg import ECG, Sex
from ecgkt.lab_links.links import LEAST_R2, LabLinks
from ecgkt.model.bundle import add_lab_links
from ecgkt.model.model import Model
from ecgkt.simulation.tracing import RATE, draw_tracing
from ecgkt.simulation.visits import visits
from training.calibrate.lab_links import Array, fit_links

PATIENTS, SEED = 1000, 60417
BATCH = 64


def reference_ecgs(patients: int, seed: int) -> Iterator[ECG]:
    """Every ECG of the first `patients` patients of the simulator's `seed`."""
    for index in range(patients):
        for visit in visits(seed, index):
            for planned in visit.ecgs:
                tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
                sex: Sex = "male" if visit.patient.male else "female"
                yield ECG(tracing.signal.astype(np.float32), float(RATE), visit.patient.age, sex)


def probabilities(model: Model, ecgs: Iterator[ECG]) -> dict[str, Array]:
    """Code -> [ECGs] calibrated probabilities, of every label."""
    parts = []
    told = tqdm(desc="reference cohort", unit="ECG")
    while some := list(islice(ecgs, BATCH)):
        parts.append(model.probabilities(model.embeddings(some)))
        told.update(len(some))
    return {code: np.concatenate([part[code] for part in parts]).astype(float) for code in parts[0]}


def links_of(model: Model, patients: int = PATIENTS, seed: int = SEED) -> LabLinks | None:
    said = probabilities(model, reference_ecgs(patients, seed))
    reference = f"{patients} simulated patients, seed {seed}"
    return fit_links(said, model.labels["labs"], model.labels["diagnoses"], reference)


def write_links(folder: Path, patients: int = PATIENTS, seed: int = SEED) -> None:
    links = links_of(ecgkt.load(folder), patients, seed)
    if links is None:
        print("lab_links.json: none, no lab of this bundle is one that an ECG is seen to carry")
        return
    add_lab_links(folder, links)
    told = sum(each.r2 >= LEAST_R2 for each in links.diagnoses.values())
    print(f"lab_links.json: {links.ecgs} ECGs; labs explain {told} of {len(links.diagnoses)} diagnoses")
