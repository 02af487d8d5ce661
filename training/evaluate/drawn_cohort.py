"""Simulated patients drawn in memory, one ECG each, as a bundle's networks see them, with all that is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ecgkt import vocabulary
from ecgkt.ecg import ECG, LEADS
from ecgkt.model.bundle import VITALS
from ecgkt.model.model import Model
from ecgkt.prediction import AGGREGATES
from ecgkt.simulation.diagnoses import code
from ecgkt.simulation.findings import find
from ecgkt.simulation.tracing import RATE, Tracing, draw_tracing
from ecgkt.simulation.visits import Visit, visits
from training.cohort.labels.icd import cut_with_ancestors

BATCH = 64
V4 = LEADS.index("V4")
MEASURED = ("PR", "QRS", "QT", "T height in V4", "Heart rate")


@dataclass(frozen=True)
class DrawnCohort:
    """index: [N] patients of `seed`. embeddings: network -> [N, D]. quantities: [N, columns] (labs, then `VITALS`);
    labels: [N, codes] bool. measured: name -> [N] true value in the tracing, NaN where there is none. age: years.
    """

    seed: int
    index: npt.NDArray[np.int32]
    embeddings: dict[str, npt.NDArray[np.float32]]
    quantities: npt.NDArray[np.float32]
    labels: npt.NDArray[np.bool_]
    measured: dict[str, npt.NDArray[np.float64]]
    age: npt.NDArray[np.float64]
    male: npt.NDArray[np.bool_]


def draw(
    model: Model, networks: Sequence[str], seed: int, patients: int, columns: Sequence[str], codes: Sequence[str]
) -> DrawnCohort:
    """The first ECG of each of the first `patients` of a seed; those whose electrodes were mistaken are included."""
    quantities, labels, measured, people = [], [], [], []
    embedded: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in networks}
    waiting: list[ECG] = []
    for index in tqdm(range(patients), desc="simulated patients"):
        visit = next(visits(seed, index))
        planned = visit.ecgs[0]
        tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
        values = {**visit.labs, **visit.vitals, "heart_rate": tracing.rate}
        quantities.append([values[column] for column in columns])
        has = _labels(visit, tracing)
        labels.append([name in has for name in codes])
        measured.append(_measured(tracing))
        people.append((visit.patient.age, visit.patient.male))
        waiting.append(ECG(tracing.signal, float(RATE)))
        if len(waiting) == BATCH or index == patients - 1:
            for name in networks:
                embedded[name].append(model.embeddings(waiting, name))
            waiting = []
    return DrawnCohort(
        seed=seed,
        index=np.arange(patients, dtype=np.int32),
        embeddings={name: np.concatenate(parts) for name, parts in embedded.items()},
        quantities=np.array(quantities, np.float32),
        labels=np.array(labels, bool),
        measured=dict(zip(MEASURED, np.array(measured, float).T, strict=True)),
        age=np.array([age for age, _ in people]),
        male=np.array([male for _, male in people]),
    )


def _labels(visit: Visit, tracing: Tracing) -> set[str]:
    """Codes of diagnoses with their ancestors, all in ICD-10-CM, and of findings with their superclasses."""
    given = code(visit.rng, visit.patient, replace(visit.stay, icd9=False))
    diagnoses = {label for each in given for label in cut_with_ancestors(each)}
    findings = set(find(visit.patient, tracing))
    known = vocabulary.findings()
    classes = {known[finding].superclass for finding in findings if finding in known}
    return diagnoses | findings | (classes & set(AGGREGATES))


def _measured(tracing: Tracing) -> tuple[float, ...]:
    """In the order of MEASURED: ms, mV and per minute."""
    m, c = tracing.morphology, tracing.conduction
    has_pr = c.kind == "sinus" and not c.av and c.block != "paced"
    after = int((0.2 + m["qrs"] / 1000) * RATE) + 30
    return (
        m["pr"] if has_pr else np.nan,
        m["qrs"],
        tracing.qt * 1000 + m["st_ms"],
        float(tracing.beat[V4, after:].max()),
        tracing.rate,
    )


__all__ = ["MEASURED", "VITALS", "DrawnCohort", "draw"]
