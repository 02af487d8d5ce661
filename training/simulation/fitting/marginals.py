"""Samples of simulated admissions; the labs' and vitals' distributions fitted to the MIMIC-IV demo's (see fit.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from ecgkt.simulation import labs as laboratory
from ecgkt.simulation.state import Patient, Stay, draw_patient, draw_stay
from ecgkt.simulation.tables import Lab, labs
from training.simulation.fitting.demo import URGENT_LEVEL, Admissions
from training.simulation.measurements import READING_NOISE, triage_level

SEED = 20
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
READINGS = ("temperature", "heart_rate", "resp_rate", "o2sat", "sbp", "dbp")
FEWEST = 40  # admissions with a value, below which a lab or a pair is left as it is
# Acuity does not move the null labs; nor saturation, which those who are short of it are given oxygen for.
UNMOVED = (*laboratory.NULL_LABS, "o2sat")


@dataclass(frozen=True)
class Sample:
    """Simulated admissions: shift [stays, n] without acuity, acuity [stays], urgent [stays]: triage level 1 or 2."""

    people: list[tuple[Patient, Stay]]
    shift: np.ndarray
    acuity: np.ndarray
    urgent: np.ndarray


def draw_sample(patients: int, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    people = []
    for index in range(patients):
        patient = draw_patient(rng, index)
        stay = draw_stay(rng, patient, 0, 0)
        if stay.admitted:
            people.append((patient, stay))
    shift = np.array([laboratory.shift(*person) for person in people])
    shift[:, laboratory.quantities().index["temperature"]] *= rng.gamma(3, 1 / 3, len(people))
    urgent = np.array([triage_level(rng, stay) <= URGENT_LEVEL for _, stay in people])
    return Sample(people, shift, np.array([laboratory.acuity(stay) for _, stay in people]), urgent)


def bootstrap(patient: np.ndarray, times: int, seed: int = SEED) -> list[np.ndarray]:
    """Row numbers of `times` resamples of whole patients."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(patient == one) for one in np.unique(patient)]
    return [np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))]) for _ in range(times)]


def fit_marginal(
    target: pd.Series, patient: np.ndarray, simulate: Callable[[np.ndarray], np.ndarray], healthy: np.ndarray, key: str
) -> np.ndarray:
    """[present, per acuity, below, above, center's change (null labs)] so that simulated quantiles meet the target's.

    healthy: [below, above] of those who go home. Each distance counts in standard errors of the target's quantile
    (patients resampled). What departs from health costs: a shift in all of one SD, a shift by acuity of three, a spread
    twice as large as much as one error each.
    """
    goal = target.quantile(QUANTILES).to_numpy()
    resampled = [target.iloc[index].quantile(QUANTILES).to_numpy() for index in bootstrap(patient, 200)]
    error = np.maximum(np.std(resampled, axis=0), 0.03 * np.ptp(goal))
    still, null = key in UNMOVED, key in laboratory.NULL_LABS

    def full(x: np.ndarray) -> np.ndarray:
        scale = healthy.mean()
        shift = (0.0, 0.0) if still else (x[0] * scale, x[1] * scale)
        return np.array([*shift, *healthy * np.exp(x[2:4]), x[4] * scale if null else 0.0])

    def cost(x: np.ndarray) -> float:
        distance = (np.nanquantile(simulate(full(x)), QUANTILES) - goal) / error
        prior = (x / np.array([1.0, 3.0, 0.7, 0.7, np.inf])) ** 2
        return float((distance**2).sum() + (0 if null else prior.sum()))

    start = np.vstack([np.zeros(5), 0.5 * np.eye(5)])
    options = {"initial_simplex": start, "maxiter": 600, "xatol": 1e-3, "fatol": 1e-3}
    return full(minimize(cost, np.zeros(5), method="Nelder-Mead", options=options).x)


@dataclass(frozen=True)
class Marginal:
    """One lab's or vital's part of a sample: z, noise [stays] standard normal; kept [stays]: measured; bound [stays]:
    albumin beyond the healthy mean (g/dL), which carries calcium with it."""

    key: str
    z: np.ndarray
    noise: np.ndarray
    kept: np.ndarray
    sample: Sample
    bound: np.ndarray

    def true(self, numbers: np.ndarray) -> np.ndarray:
        """[stays] values by fit_marginal's numbers."""
        q = laboratory.quantities()
        present, severity, below, above, center = numbers
        i = q.index[self.key]
        change = np.where(self.z > 0, above, below) * self.z + self.sample.shift[:, i] + center
        change += present + severity * self.sample.acuity
        value = q.center[i] * np.exp(change) if q.log[i] else q.center[i] + change
        return value + (laboratory.BOUND_CALCIUM * self.bound if self.key == "calcium" else 0.0)

    def reported(self, numbers: np.ndarray) -> np.ndarray:
        """[measured] values with the noise and the limits of their report, not rounded."""
        value = self.true(numbers)
        if self.key in READINGS:
            value = value + READING_NOISE[READINGS.index(self.key)] * self.noise
            return np.minimum(value, 100.0 if self.key == "o2sat" else np.inf)[self.kept]
        lab = _lab(self.key)
        value = value * (1 + laboratory.NOISE.get(self.key, laboratory.OTHER_NOISE) * self.noise)
        return np.maximum(value, lab.least)[self.kept]


def _lab(key: str) -> Lab:
    return next(lab for lab in labs() if lab.key == key)


def _unrounded(target: pd.Series, key: str) -> pd.Series:
    """The values spread over what they were rounded from: quantiles in steps of 0.1 say little of an INR."""
    digits = int(key == "temperature") if key in READINGS else _lab(key).digits
    spread = np.random.default_rng(SEED).uniform(-0.5, 0.5, len(target)) * 10.0**-digits
    least = -np.inf if key in READINGS else _lab(key).least
    return (target + spread).clip(lower=least, upper=100.0 if key == "o2sat" else np.inf)


def fit_marginals(sample: Sample, measured: dict[str, np.ndarray], demo: Admissions) -> dict[str, np.ndarray]:
    """Lab or vital -> fit_marginal's numbers; measured: lab or vital -> [stays] bool."""
    q = laboratory.quantities()
    rng = np.random.default_rng(SEED)
    z, noise = rng.normal(size=(2, len(sample.people), len(q.keys)))
    bound = np.zeros(len(sample.people))
    out: dict[str, np.ndarray] = {}
    for key in sorted(q.keys, key=lambda k: k == "calcium"):  # after albumin, to which a part of it is bound
        target = demo.vitals[key] if key in READINGS else demo.labs.get(key)
        if target is None or target.count() < FEWEST:
            continue
        target, i = _unrounded(target, key), q.index[key]
        one = Marginal(key, z[:, i], noise[:, i], measured[key], sample, bound)
        patient = demo.vital_patient if key in READINGS else demo.patient
        out[key] = fit_marginal(target, patient, one.reported, np.array([q.below[0, i], q.above[0, i]]), key)
        if key == "albumin":
            bound = one.true(out[key]) - laboratory.HEALTHY_ALBUMIN
        found = np.nanquantile(one.reported(out[key]), QUANTILES)
        print(f"{key:14s}", found.round(2), target.quantile(QUANTILES).round(2).tolist(), out[key].round(3))
    return out
