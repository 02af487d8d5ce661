"""One ECG of a simulated patient, drawn again with some of its causes set to other values.

    subject = find(seed=7, index=0)
    subject.ecg(Changed({"potassium": 7.2}))       # as it was, but for what potassium does
    subject.ecg(Changed(conditions={"lbbb": 0.6}))

An intervention: what is not named stays as it was, every random number included, even where the simulator has one cause
bring another (kidney failure switched on does not raise potassium). Labs that only report a disease act through it
(`MARKERS`). The same numbers make the same tracing, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from math import log

import numpy as np

from ecgkt.ecg import ECG
from ecgkt.simulation import findings, tables
from ecgkt.simulation.effects import Morphology, morphology, quantities
from ecgkt.simulation.state import ACUTE_CORONARY, Patient, Stay
from ecgkt.simulation.tables import Effect
from ecgkt.simulation.tracing import FIBRILLATES, RATE, SHOWN, Tracing, chances, draw_tracing
from ecgkt.simulation.visits import FIRST_STUDY, Planned, Visit, visits

TEMPERATURE, RATE_OF_HEART = "temperature", "heart_rate"  # what can be set beside the labs: deg C, per minute
REACTS = (("potassium", "above", "t_uv"), ("potassium", "below", "qtc"), ("calcium", "below", "st_ms"))
# Labs that do nothing to the heart by themselves, and the conditions whose severity they report.
MARKERS = {
    "tsh": ("hypothyroid", "hyperthyroid", "myxoedema", "thyroid_storm"),
    "troponin_t": ("nstemi", *(name for name in ACUTE_CORONARY if name.startswith("stemi_"))),
}


@dataclass(frozen=True)
class Changed:
    """quantities: lab (in its table's unit) or "temperature" (deg C) -> value. conditions: name -> severity 0-1, None
    where it is taken away. rate: per minute, in place of the one that follows from the causes; tachycardias, flutter, a
    pacemaker and complete block keep a rate of their own. average: every effect at its table's mean size, none silent.
    """

    quantities: Mapping[str, float] = field(default_factory=dict)
    conditions: Mapping[str, float | None] = field(default_factory=dict)
    rate: float | None = None
    average: bool = False

    def with_value(self, quantity: str, value: float) -> Changed:
        """The same, with one quantity (or `RATE_OF_HEART`) set as well."""
        if quantity == RATE_OF_HEART:
            return replace(self, rate=value)
        return replace(self, quantities={**self.quantities, quantity: value})


@dataclass(frozen=True)
class Acting:
    """One effect at work: its row of the tables, its size in this patient (0 where it is silent) and in the mean
    patient, in `unit`, and where the size is published ("" where it was chosen)."""

    effect: Effect
    size: float
    mean: float
    unit: str
    source: str


class Subject:
    """One ECG of one simulated patient. Nothing is changed after construction."""

    def __init__(self, visit: Visit, planned: Planned) -> None:
        self.visit, self.planned = visit, planned

    @property
    def patient(self) -> Patient:
        return self.visit.patient

    @property
    def active(self) -> Mapping[str, float]:
        """Condition -> severity 0-1, as drawn."""
        return self.visit.stay.active

    def value(self, quantity: str) -> float:
        """The true value of a lab (in its unit) or of "temperature" (deg C), as drawn."""
        return self.visit.vitals[quantity] if quantity == TEMPERATURE else self.visit.labs[quantity]

    def state(self, changed: Changed = Changed()) -> Stay:
        """The stay with the conditions that are asked for, those that changed markers report included."""
        active = {**self.active, **changed.conditions}
        for marker in MARKERS.keys() & changed.quantities.keys():
            active |= self._reported(marker, changed.quantities[marker], active)
        return replace(self.visit.stay, active={name: size for name, size in active.items() if size is not None})

    def _reported(self, marker: str, value: float, active: Mapping[str, float | None]) -> dict[str, float | None]:
        """The conditions of which `marker` at `value` would be the sign, None for those that it rules out.

        Where one of several could be (infarctions), it is the one that the patient has, else the first. The severity
        is that at which the condition's row of shifts.csv brings this patient's own level to the value.
        """
        moves = {name: row for name in MARKERS[marker] for row in tables.shifts()[name] if row[0] == marker}
        own = log(self.visit.labs[marker])
        own -= sum(moves[name][1] + moves[name][2] * self.active[name] for name in moves if name in self.active)
        away = log(max(value, 1e-9)) - own
        could = [name for name, (_, present, slope) in moves.items() if (away - present) / slope >= 0]
        chosen = next((name for name in could if active.get(name) is not None), could[0] if could else None)
        out: dict[str, float | None] = dict.fromkeys(moves)
        if chosen is not None:
            _, present, slope = moves[chosen]
            out[chosen] = min((away - present) / slope, 1.0)
        return out

    def _quantities(self, changed: Changed) -> tuple[dict[str, float], float]:
        """(lab -> value, temperature in deg C) as they are asked for."""
        labs = {**self.visit.labs, **changed.quantities}
        return labs, labs.pop(TEMPERATURE, self.visit.vitals[TEMPERATURE])

    def morphology(self, changed: Changed = Changed()) -> Morphology:
        """What shapes the ECG under these causes."""
        labs, temperature = self._quantities(changed)
        patient = self.patient
        if changed.average:
            patient = replace(patient, sensitivity=np.ones(len(tables.effects())))
        drawn = morphology(
            self.planned.streams("morphology"), patient, self.state(changed), self.visit.own, labs, temperature
        )
        if changed.rate is not None:
            drawn = Morphology({**drawn.values, "rate": changed.rate}, drawn.applied, drawn.own)
        return drawn

    def tracing(self, changed: Changed = Changed()) -> Tracing:
        """The recording under these causes. A condition that is asked for shows, whatever the chances of this ECG."""
        chance = chances(self.planned.streams("conduction"))
        for name, severity in changed.conditions.items():
            if severity is not None and name in SHOWN:
                chance[list(SHOWN).index(name)] = 0.0
            elif severity is not None and name == "afib":
                chance[FIBRILLATES] = 0.0
        return draw_tracing(
            self.planned.streams, self.patient, self.state(changed), self.visit.body, self.morphology(changed), chance
        )

    def ecg(self, changed: Changed = Changed()) -> ECG:
        """The tracing as any other ECG."""
        return self.as_ecg(self.tracing(changed))

    def as_ecg(self, tracing: Tracing) -> ECG:
        return ECG(tracing.signal, float(RATE), self.patient.age, "male" if self.patient.male else "female")

    def acting(self, changed: Changed = Changed()) -> list[Acting]:
        """Every effect of the tables that these causes have on the mean patient, in the tables' order."""
        felt_now = quantities(*self._quantities(changed))
        active = self.state(changed).active
        out = []
        written = (*tables.rows("effects"), *tables.rows("expression"))
        for row, text, sensitivity in zip(tables.effects(), written, self.patient.sensitivity.tolist(), strict=True):
            value = felt_now[row.source] if row.direction else active.get(row.source)
            mean = 0.0 if value is None else row.size(value)
            if mean:
                size = mean * (1.0 if changed.average else sensitivity)
                out.append(Acting(row, size, mean, text["unit"].split(" per ")[0], text["source"]))
        return out


def find(seed: int, index: int, study: int | None = None) -> Subject:
    """The ECG `study` (the first, where none is named) of patient `index` (from 0) of the cohort with this seed.

    Raises ValueError when the patient has no such study.
    """
    for visit in visits(seed, index):
        for planned in visit.ecgs:
            if study is None or planned.study == study:
                return Subject(visit, planned)
    raise ValueError(f"Patient {index} has no study {study}.")


def index_of(study: int) -> int:
    """The patient to whom a study of a simulated cohort belongs."""
    return (study - FIRST_STUDY) // 10


@lru_cache(maxsize=4)
def plain(seed: int) -> Subject:
    """The first patient of a seed without any condition and with a normal ECG, whose T wave and QT react to labs by
    half to twice the average: somebody to begin with, on whom a change shows."""
    rows = [(row.source, row.direction, row.parameter) for row in tables.effects()]
    wanted = [rows.index(each) for each in REACTS]
    for index in count():
        subject = find(seed, index)
        reacts = subject.patient.sensitivity[wanted]
        if not subject.active and reacts.min() > 0.5 and reacts.max() < 2:
            tracing = subject.tracing()
            if not tracing.fault and set(findings.find(subject.patient, tracing)) == {"SR", "NORM"}:
                return subject
    raise AssertionError("unreachable")
