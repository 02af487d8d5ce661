"""A patient's stays and ECGs as causes: state, true labs and what shapes each tracing, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ecgkt.simulation import labs as laboratory
from ecgkt.simulation.body import Body, draw_body
from ecgkt.simulation.effects import Morphology, baseline, morphology
from ecgkt.simulation.state import Patient, Stay, draw_patient, draw_stay
from ecgkt.simulation.tracing import Streams

FIRST_SUBJECT, FIRST_HADM, FIRST_STAY, FIRST_STUDY = 10_000_000, 20_000_000, 30_000_000, 40_000_000


@dataclass(frozen=True)
class Planned:
    """An ECG to be drawn: its study number, its place in the stay, its random numbers and its parameters."""

    study: int
    repeat: int
    streams: Streams
    drawn: Morphology


@dataclass(frozen=True)
class Visit:
    """labs: lab -> true value; vitals: vital -> true value (units as in `labs.true_labs`); rng: for what is written
    about the stay, which must not move any tracing. own: the patient's ECG without disease (`effects.baseline`)."""

    patient: Patient
    body: Body
    stay: Stay
    labs: dict[str, float]
    vitals: dict[str, float]
    ecgs: list[Planned]
    rng: np.random.Generator
    own: dict[str, float]


def visits(seed: int, index: int) -> Iterator[Visit]:
    """The stays of patient `index`, in time. The same seed gives the same patient, whoever else is simulated."""
    rng = Streams(seed, index)("patient")
    patient = draw_patient(rng, index)
    body = draw_body(Streams(seed, index)("body"), patient)
    own, levels = baseline(rng, patient), laboratory.patient_levels(rng, patient)
    days, count = 0, 1 + min(int(rng.geometric(0.72)) - 1, 4)
    for number in range(count):
        stay = draw_stay(rng, patient, number, days)
        values, vitals = laboratory.true_labs(rng, patient, stay, levels)
        planned = []
        for repeat in range(1 + int(rng.random() < 0.12)):
            study = FIRST_STUDY + index * 10 + number * 2 + repeat
            streams = Streams(seed, index, study)
            drawn = morphology(streams("morphology"), patient, stay, own, values, vitals["temperature"])
            planned.append(Planned(study, repeat, streams, drawn))
        yield Visit(patient, body, stay, values, vitals, planned, Streams(seed, index, number)("written"), own)
        days += int(rng.integers(3, 500))
