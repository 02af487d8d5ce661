"""From the state and the true labs to the numbers that shape one ECG, each effect recorded with its size.

A parameter is baseline (patient) + visit-to-visit noise + the sum of effects; an effect is its table's slope times the
patient's own sensitivity. With the same random numbers and one effect left out, the counterfactual tracing follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ecgkt.simulation.labs import BOUND_CALCIUM, HEALTHY_ALBUMIN
from ecgkt.simulation.state import TERRITORIES, Patient, Stay
from ecgkt.simulation.tables import complaints, effects

# Parameters that act on one wall of the heart; the wall comes from the condition.
REGIONAL = ("q_wave", "injury", "t_territory")
WALL = {
    "takotsubo": "anterior", "subarachnoid_haemorrhage": "anterior", "hypertrophic_cardiomyopathy": "lateral",
    "amyloidosis": "septal",
}  # fmt: skip
PARAMETERS = (
    "rate", "pr", "p_ms", "p_uv", "p_log", "p_terminal", "qrs", "axis", "voltage", "posterior", "t_uv", "t_narrow",
    "t_rotation", "t_flat", "qtc", "st_ms", "st_sub", "u_uv", "strain", "r_loss", "rvh", "s1q3t3", "t_anterior",
    "scoop", "st_diffuse", "pr_segment", "j_wave", *(f"{name}.{wall}" for name in REGIONAL for wall in TERRITORIES),
)  # fmt: skip
LIMITS = {
    "rate": (30.0, 165.0), "pr": (105.0, 340.0), "p_ms": (70.0, 150.0), "p_uv": (-60.0, 150.0), "p_log": (-3.0, 0.5),
    "qrs": (68.0, 200.0), "axis": (-38.0, 100.0), "voltage": (-1.2, 1.0), "t_uv": (-330.0, 900.0),
    "t_narrow": (-0.3, 0.5), "qtc": (320.0, 620.0),
    "st_ms": (-60.0, 140.0), "t_flat": (0.0, 1.3), "strain": (0.0, 1.2), "r_loss": (0.0, 0.8), "st_sub": (-20.0, 350.0),
}  # fmt: skip


@dataclass
class Morphology:
    """values: parameter -> number within `LIMITS`, in the tables' units: ms, uV (posterior: mV), bpm, degrees, log, or
    a share ("0-1" in the tables) that is 1 for a full-blown change and may exceed it.

    applied: (source, parameter, size) of every effect; own: the values without any effect. qtc is Fridericia's, of a
    narrow QRS; axis is a turn of the patient's own; regional parameters are called "injury.inferior" and so on.
    """

    values: dict[str, float]
    applied: list[tuple[str, str, float]] = field(default_factory=list)
    own: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def without(self, source: str) -> Morphology:
        """The same ECG, had this lab or condition left no mark: every other random number as it was."""
        return _sum(self.own, [effect for effect in self.applied if effect[0] != source])


def _sum(own: dict[str, float], applied: list[tuple[str, str, float]]) -> Morphology:
    values = dict(own)
    for _, name, size in applied:
        values[name] += size
    for name, (low, high) in LIMITS.items():
        values[name] = min(max(values[name], low), high)
    return Morphology(values, applied, own)


def baseline(rng: np.random.Generator, patient: Patient) -> dict[str, float]:
    """A patient's own ECG without disease, by age, sex and build; shape and axis of normal beats vary by `shapes.csv`.

    The numbers are chosen and held against real recordings by benchmarks/simulation.py.
    """
    older = patient.age - 60
    values = dict.fromkeys(PARAMETERS, 0.0)
    values["rate"] = 69 - 0.05 * older + (0 if patient.male else 2) + rng.normal(0, 12)
    values["pr"] = 154 + 0.22 * older + rng.normal(0, 17)
    values["p_ms"] = 106 + 0.08 * older + rng.normal(0, 9)
    values["p_uv"] = rng.normal(-8, 10)
    values["p_terminal"] = rng.normal(2, 8)
    values["qrs"] = (104 if patient.male else 97) + rng.normal(0, 7)
    values["axis"] = -0.5 * older - 0.8 * (patient.bmi - 28) + rng.normal(0, 8)
    values["voltage"] = -0.012 * (patient.bmi - 28) - 0.001 * older + (0.05 if patient.male else -0.05)
    values["voltage"] += rng.normal(0, 0.10)
    values["posterior"] = rng.normal(0, 0.05)
    values["t_uv"] = (30 if patient.male else -30) - 0.9 * older + rng.normal(0, 45)
    values["t_narrow"] = rng.normal(0, 0.08)
    values["t_rotation"] = rng.normal(0, 6)
    values["t_flat"] = max(0.0, rng.normal(-0.05, 0.12) + 0.002 * older)
    values["qtc"] = (408 if patient.male else 417) + 0.12 * older + rng.normal(0, 17)
    values["st_ms"] = rng.normal(0, 7)
    values["st_sub"] = rng.normal(2, 10)
    values["u_uv"] = max(0.0, rng.normal(30, 15))
    values["r_loss"] = max(0.0, rng.normal(-0.08, 0.15))
    if patient.male and patient.age < 50:
        values["st_diffuse"] = max(0.0, rng.normal(-40, 55))  # early repolarization, beyond what shapes.csv holds
    return values


def felt(labs: dict[str, float], temperature: float) -> dict[str, float]:
    """Quantity -> value, as the heart sees it and `tables.effects` means it.

    Ionized calcium: what is bound to albumin does not count.
    """
    ionized = labs["calcium"] - BOUND_CALCIUM * (labs["albumin"] - HEALTHY_ALBUMIN)
    return {**labs, "temperature": temperature, "calcium": ionized}


def morphology(
    rng: np.random.Generator, patient: Patient, stay: Stay, own: dict[str, float], labs: dict[str, float],
    temperature: float,
) -> Morphology:  # fmt: skip
    """One ECG's parameters: the patient's own, the day's variation, and every effect of labs and conditions."""
    values = dict(own)
    visit = {"rate": 7.0, "pr": 5.0, "qrs": 2.0, "axis": 4.0, "voltage": 0.05, "t_uv": 22.0, "qtc": 8.0, "st_sub": 6.0}
    for (name, spread), z in zip(visit.items(), rng.normal(size=len(visit)), strict=True):
        values[name] += spread * float(z)
    values["rate"] += next(c.rate for c in complaints() if c.name == stay.complaint)
    quantity = felt(labs, temperature)
    applied: list[tuple[str, str, float]] = []
    for row, sensitivity in zip(effects(), patient.sensitivity.tolist(), strict=True):
        if sensitivity == 0:
            continue
        if row.direction:
            size = row.size(quantity[row.source]) * sensitivity
        elif row.source in stay.active:
            size = row.size(stay.active[row.source]) * sensitivity
        else:
            continue
        if size != 0:
            wall = f".{_wall(row.source, patient, stay)}" if row.parameter in REGIONAL else ""
            applied.append((row.source, row.parameter + wall, size))
    return _sum(values, applied)


def _wall(source: str, patient: Patient, stay: Stay) -> str:
    if source.startswith("stemi_"):
        return source.removeprefix("stemi_")
    return WALL.get(source, patient.territory if source == "old_infarction" else stay.territory)
