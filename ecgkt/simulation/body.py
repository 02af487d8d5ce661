"""What a patient brings to every tracing: torso, heart shape, habits of rhythm; and where electrodes were put that day.

Lead vectors after Dower (a transformation of the Frank leads; Dower, Machado, Osborne, Clin Cardiol 1980), changed a
little from patient to patient.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ecgkt.simulation.state import Patient
from ecgkt.simulation.tables import FOLDER
from ecgkt.simulation.waveform import WAVES

# Rows: I, II, V1 to V6; columns: the dipole's X, Y, Z.
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
FOCI = ("outflow", "septum", "apex", "left_wall", "left_base")  # of ectopic beats, drawn by `beats.MUSCLE`
# How often electrodes are mistaken for one another: chosen, between the 0.4 % of an outpatient clinic and the 4 % of
# intensive care that were found by Rudiger et al., Am J Emerg Med 2007;25:174-178.
MISTAKES: dict[str, float] = {"arms_reversed": 0.004, "left_arm_leg_reversed": 0.002, "v1_v2": 0.004, "v2_v3": 0.003}


@dataclass(frozen=True)
class Body:
    """leads: [8, 3] the patient's lead vectors; gain: [8] factor of each lead; person: [8, WAVES] mV that age and sex
    add; scores: [components] place among real hearts, in SD.

    irregular: factor of respiratory variability; focus: where ectopic beats come from (`FOCI`).
    """

    leads: np.ndarray
    gain: np.ndarray
    person: np.ndarray
    scores: np.ndarray
    irregular: float
    focus: str

    @cached_property
    def shape(self) -> dict[str, np.ndarray]:
        """Class of shapes.csv -> [8, WAVES] mV: this patient's beat, so conducted."""
        return {
            name: self.gain[:, None]
            * (table[0] + self.person + np.tensordot(self.scores[: len(table) - 1], table[1:], axes=1))
            for name, table in shapes().items()
        }

    @cached_property
    def inverse(self) -> np.ndarray:
        """[3, 8] the dipole that explains eight amplitudes best."""
        return np.linalg.pinv(self.leads)


@lru_cache
def shapes() -> dict[str, np.ndarray]:
    """Class -> [1 + components, 8, WAVES] mV: mean and components of real beats (`fitting.shapes` says of which); and
    of "decade" and "male" the change with age and sex."""
    found: dict[str, dict[int, dict[str, list[float]]]] = {}
    with open(FOLDER / "shapes.csv", newline="", encoding="utf-8") as file:
        for name, component, wave, *eight in list(csv.reader(file))[1:]:
            found.setdefault(name, {}).setdefault(int(component), {})[wave] = [float(value) for value in eight]
    return {
        name: np.array([np.array([component[wave] for wave in WAVES]).T for component in components.values()])
        for name, components in found.items()
    }


def draw_body(rng: np.random.Generator, patient: Patient) -> Body:
    """A body by age and sex; the spreads of torso, gains and irregularity are chosen."""
    turn = np.deg2rad(rng.normal(0, 5))  # about the body's long axis: rotation of the heart
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    gain = np.exp(rng.normal(0, np.array([0.08, 0.08, 0.14, 0.12, 0.12, 0.12, 0.12, 0.12])) - 0.01)
    leads = gain[:, None] * (DOWER + rng.normal(0, 0.05, (8, 3))) @ rotation
    scores = np.clip(rng.normal(0, 1, len(shapes()["normal"]) - 1), -2.3, 2.3)
    decades = float(np.clip((patient.age - 60) / 10, -4, 3.5))
    person = decades * shapes()["decade"][0] + (0.5 if patient.male else -0.5) * shapes()["male"][0]
    return Body(leads, gain, person, scores, float(np.exp(rng.normal(0, 0.5))), str(rng.choice(FOCI)))


def placement(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, str]:
    """([8, 8] from the true leads to this recording's, "" or the name in `MISTAKES` of what was mistaken).

    Chest electrodes lie a little higher, lower or to the side of where they should; rarely cables are swapped. I is
    LA - RA and II is LL - RA, so the limb leads stay consistent whatever is swapped.
    """
    mix = np.eye(8)
    slide = rng.normal(0, 0.11, 6) + rng.normal(0, 0.07)
    for k in range(6):
        neighbor = int(np.clip(k + np.sign(slide[k]), 0, 5))
        mix[2 + k, 2 + k] -= abs(slide[k])
        mix[2 + k, 2 + neighbor] += abs(slide[k])
    # A row of electrodes too high or too low sees more or less of what points to the feet.
    mix[2:] += rng.normal(0, 0.07) * body.inverse[1]
    chance, mistake = rng.random(), ""
    for name, often in MISTAKES.items():
        if 0 <= chance < often:
            mistake = name
            swap = np.eye(8)
            if name == "arms_reversed":  # I' = -I, II' = LL - LA = II - I
                swap[:2, :2] = [[-1, 0], [-1, 1]]
            elif name == "left_arm_leg_reversed":  # I' = LL - RA = II, II' = I
                swap[:2, :2] = [[0, 1], [1, 0]]
            else:
                first = 2 if name == "v1_v2" else 3
                swap[[first, first + 1]] = swap[[first + 1, first]]
            mix = swap @ mix
        chance -= often
    return mix, mistake
