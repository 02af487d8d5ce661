"""What of a simulated patient can be set by hand: quantities with the range that the tables know effects for, and
conditions that show on a tracing; and what a parameter of the tables is called in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgkt import vocabulary
from ecgkt.simulation.what_if import RATE_OF_HEART, TEMPERATURE


@dataclass(frozen=True)
class Lever:
    """A quantity from `low` to `high` in steps of `step`; without a step in equal ratios, as what spans decades is."""

    key: str
    low: float
    high: float
    step: float | None

    @property
    def name(self) -> str:
        words = {TEMPERATURE: "Body temperature", RATE_OF_HEART: "Heart rate"}
        return words.get(self.key) or vocabulary.labs()[self.key].name

    @property
    def unit(self) -> str:
        return {TEMPERATURE: "°C", RATE_OF_HEART: "/min"}.get(self.key) or vocabulary.labs()[self.key].unit

    @property
    def reference(self) -> tuple[float, float] | None:
        """Reference limits of a lab."""
        lab = vocabulary.labs().get(self.key)
        return (lab.reference_low, lab.reference_high) if lab else None

    def values(self, points: int) -> np.ndarray:
        """[points] from end to end, evenly as the lever runs."""
        spaced = np.linspace if self.step else np.geomspace
        return np.asarray(spaced(self.low, self.high, points))

    def nearest(self, value: float) -> float:
        """`value` as the lever can be set: within its range, on its steps (or to two digits)."""
        value = min(max(value, self.low), self.high)
        return round(round(value / self.step) * self.step, 6) if self.step else float(f"{value:.2g}")


LEVERS = (
    Lever("potassium", 2.0, 9.0, 0.1),
    Lever("calcium", 5.0, 15.0, 0.1),
    Lever("magnesium", 0.8, 3.0, 0.1),
    Lever("haemoglobin", 3.0, 18.0, 0.1),
    Lever("tsh", 0.02, 30.0, None),
    Lever("troponin_t", 0.002, 1.0, None),
    Lever(TEMPERATURE, 26.0, 41.0, 0.1),
    Lever(RATE_OF_HEART, 40.0, 150.0, 1.0),
)
# Of conditions.csv those that change a tracing by much more than its noise.
CONDITIONS = {
    "afib": "Atrial fibrillation",
    "aflutter": "Atrial flutter",
    "svt": "Supraventricular tachycardia",
    "vt": "Ventricular tachycardia",
    "avb1": "First-degree AV block",
    "avb3": "Complete AV block",
    "lbbb": "LBBB",
    "rbbb": "RBBB",
    "lafb": "Left anterior fascicular block",
    "wpw": "Pre-excitation",
    "pacemaker": "Ventricular pacing",
    "lvh": "LVH",
    "hypertrophic_cardiomyopathy": "Hypertrophic cardiomyopathy",
    "pulmonary_hypertension": "Pulmonary hypertension (RVH)",
    "stemi_anterior": "Anterior STEMI",
    "stemi_inferior": "Inferior STEMI",
    "nstemi": "NSTEMI",
    "old_infarction": "Old infarction",
    "takotsubo": "Takotsubo",
    "pericarditis": "Pericarditis",
    "pericardial_effusion": "Pericardial effusion",
    "long_qt": "Long QT",
    "digoxin_toxicity": "Digoxin toxicity",
    "tricyclic_poisoning": "Tricyclic poisoning",
}
PARAMETERS = {
    "rate": "Heart rate",
    "pr": "PR",
    "p_ms": "P duration",
    "p_uv": "P height",
    "p_log": "P height",
    "p_terminal": "P terminal part in V1",
    "qrs": "QRS duration",
    "axis": "QRS axis",
    "voltage": "QRS voltage",
    "posterior": "S in V1 to V3",
    "t_uv": "T height",
    "t_narrow": "T narrower",
    "t_rotation": "T axis",
    "t_flat": "T flatter",
    "qtc": "QTc",
    "st_ms": "ST segment length",
    "st_sub": "ST depression",
    "u_uv": "U wave",
    "strain": "Lateral strain pattern",
    "q_wave": "Q waves of a wall",
    "injury": "ST elevation of a wall",
    "t_territory": "T inversion of a wall",
    "r_loss": "R progression, loss",
    "rvh": "Right ventricular forces",
    "s1q3t3": "S1Q3T3",
    "t_anterior": "T inversion V1 to V4",
    "scoop": "Scooped ST",
    "st_diffuse": "Diffuse ST elevation",
    "pr_segment": "PR segment depression",
    "j_wave": "Osborn (J) wave",
}
