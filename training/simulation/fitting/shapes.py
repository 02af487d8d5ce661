"""Beat shapes of real ECGs -> shapes.csv: what hearts look like before the tables' effects are added.

    python -m training.simulation.fitting.shapes data/ptb-xl --native data/ptb-xl-native

Of each recording of PTB-XL's folds 1 to 7 the median beat is taken, and the waves of `beats` are fitted to it in each
of the eight independent leads. `--native` names recordings with true amplitudes where those of the first folder are
modeled: normal beats then come from the native ones alone, and the other classes, of which there are few, from both,
the modeled ones scaled lead by lead as normal beats differ. A class (normal, left or right bundle branch block, left
anterior fascicular block) is the mean of its recordings' amplitudes and the principal components of their deviations,
each scaled to unit variance; the normal class also holds what a decade of age and being male change (least squares),
which the components leave out.
Folds 8 and 9 are left out, so that what is learned from simulated ECGs can be tested on them.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from tqdm import tqdm

import ecgkt
from ecgkt.datasets import ptbxl
from ecgkt.measurements.delineation import delineate
from ecgkt.simulation.beats import CENTRES, P_CENTRES, P_WIDTH, T_APART, WIDTHS, foot
from ecgkt.simulation.tables import FOLDER
from ecgkt.simulation.waveform import EIGHT, QRS, WAVES, skewed

RATE = 500
BEFORE, AFTER = 0.30, 0.70  # s around QRS onset
FOLDS = range(1, 8)
_ATRIAL = {"AFIB", "AFLT", "PACE"}
_SCAR = {"IMI", "ASMI", "AMI", "ALMI", "ILMI", "LMI"}
CLASSES: dict[str, Callable[[set[str]], bool]] = {
    "normal": lambda codes: codes <= {"NORM", "SR"},
    "lbbb": lambda codes: "CLBBB" in codes and not codes & _ATRIAL,
    "rbbb": lambda codes: "CRBBB" in codes and not codes & (_ATRIAL | _SCAR),
    "lafb": lambda codes: "LAFB" in codes and not codes & (_ATRIAL | _SCAR | {"CRBBB"}),
}
KEPT = {
    "normal": 20,
    "lbbb": 6,
    "rbbb": 4,
    "lafb": 8,
}  # components: 71 to 96 % of the weighted variance

# Deviations count so many times when components are sought: else P, a tenth of QRS, would be the same in everybody.
WEIGHTS = np.array([4.0] * 3 + [1.0] * 5 + [2.0] * 3)

Median = tuple[np.ndarray, float, float, float, float]


def median_beat(ecg: ecgkt.ECG) -> Median | None:
    """[8, samples] mV at RATE (0 just before QRS), and in ms from QRS onset: QRS end, T end, P onset, P end.

    None where fewer than five beats or no P or T are found. `BEFORE` s lie ahead of QRS onset.
    """
    found = delineate(ecg).beats
    if len(found) < 5 or any(time is None for time in (found[1].p_onset, found[1].t_offset)):
        return None
    signal = np.nan_to_num(ecg.resampled(RATE).signal[list(EIGHT)])
    window = int((BEFORE + AFTER) * RATE)
    starts = [round((beat.qrs_onset - BEFORE) * RATE) for beat in found[1:-1]]
    cut = np.array([signal[:, s : s + window] for s in starts if s >= 0 and s + window <= signal.shape[1]])
    if len(cut) < 3:
        return None
    beat = np.median(cut, axis=0)
    qrs = slice(int((BEFORE - 0.03) * RATE), int((BEFORE + 0.15) * RATE))
    for _ in range(2):  # R peaks are found to a few ms; aligned beats keep the QRS sharp
        shifts = [max(range(-8, 9), key=lambda d: (np.roll(c, d, 1)[:, qrs] * beat[:, qrs]).sum()) for c in cut]
        beat = np.median([np.roll(c, d, 1) for c, d in zip(cut, shifts, strict=True)], axis=0)
    at = int(BEFORE * RATE)
    beat = beat - np.median(beat[:, at - 12 : at - 4], axis=1, keepdims=True)
    b = found[1]
    p_on, p_off, t_off = (float(t or 0.0) - b.qrs_onset for t in (b.p_onset, b.p_offset, b.t_offset))
    return beat, (b.qrs_offset - b.qrs_onset) * 1000, t_off * 1000, p_on * 1000, p_off * 1000


def _solve(basis: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Ridge regression [waves, 8]: neighboring waves overlap, and must not cancel each other at huge amplitudes."""
    waves = basis.shape[1]
    return np.linalg.lstsq(
        np.vstack([basis, 0.1 * np.eye(waves)]), np.vstack([target, np.zeros((waves, 8))]), rcond=None
    )[0]


def fit_beat(median: Median) -> tuple[np.ndarray, np.ndarray]:
    """([8, WAVES] mV, [4]: T peak, left and right sigma and T end, ms from QRS onset) of one median beat."""
    beat, qrs, t_end, p_on, p_off = median
    time = np.arange(beat.shape[1]) / RATE * 1000 - BEFORE * 1000

    def part(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        inside = (time > low) & (time < high)
        return time[inside], beat[:, inside].T

    at, target = part(p_on - 15, min(p_off + 15, -5))
    length = p_off - p_on
    # The line falls from before P to behind it, where recovery of the atria has begun, which `beats.p_wave` adds.
    before = beat[:, (time > max(p_on - 25, time[0] - 1)) & (time < max(p_on, time[0] + 15) - 5)].mean(axis=1)
    target = target - np.clip((p_off - at) / length, 0, 1)[:, None] * before
    atrial = _solve(np.exp(-0.5 * (((at[:, None] - p_on) / length - P_CENTRES) / P_WIDTH) ** 2), target)
    at, target = part(-20, qrs + 10)
    ventricular = _solve(np.exp(-0.5 * ((at[:, None] / qrs - CENTRES) / WIDTHS) ** 2), target)
    at, target = part(qrs + 10, t_end + 60)

    def recovery(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        peak, left, right = shape
        halves = [skewed(at, peak + place * t_end, left, right) for place in (-T_APART, T_APART)]
        basis = np.stack([skewed(at, *foot(qrs, peak, left)), *halves], axis=1)
        return basis, _solve(basis, target)

    def error(shape: np.ndarray) -> float:
        # A longer flank would be the U wave's and the resting line's, and would end T late.
        if shape[1] < 15 or not 10 < shape[2] < 0.1 * t_end or not qrs + 40 < shape[0] < t_end:
            return 1e9
        basis, amplitude = recovery(shape)
        return float(((target - basis @ amplitude) ** 2).sum())

    start = np.array([t_end - 85, 55.0, 40.0])
    shape = minimize(error, start, method="Nelder-Mead", options={"maxiter": 80, "xatol": 1, "fatol": 1e-4}).x
    return np.vstack([atrial, ventricular, recovery(shape)[1]]).T, np.array([*shape, t_end])


def fit(source: Path) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Class -> [recordings, 8, WAVES] amplitudes in mV; and the normal recordings' T timing, age, sex (0 is male)."""
    needed = ("strat_fold", "scp_codes", "age", "sex")
    chosen = [each for each in ptbxl.recordings(source / ptbxl.DATABASE, needed) if each.fold in FOLDS]
    amplitudes: dict[str, list[np.ndarray]] = {name: [] for name in CLASSES}
    timing = []
    for each in tqdm(chosen, unit="ECG", disable=None):
        codes = set(each.statements or ())
        names = [name for name, belongs in CLASSES.items() if belongs(codes)]
        median = median_beat(ecgkt.read(source / f"{each.low}.hea")) if names else None
        if median is None:
            continue
        amplitude, times = fit_beat(median)
        for name in names:
            amplitudes[name].append(amplitude)
        if names == ["normal"]:
            sex = {"male": 0.0, "female": 1.0}.get(each.sex or "", np.nan)
            timing.append([*times, median[1], np.nan if each.age is None else each.age, sex])
    columns = ["t_peak", "t_left", "t_right", "t_end", "qrs", "age", "sex"]
    return {name: np.array(a) for name, a in amplitudes.items()}, pd.DataFrame(timing, columns=columns)


def without_age_and_sex(amplitudes: np.ndarray, people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(amplitudes as at 60 and halfway between the sexes, [2, 8, WAVES]: change by decade, and of men to women)."""
    known = people[["age", "sex"]].notna().all(axis=1).to_numpy()
    design = np.stack([np.ones(len(people)), (people["age"] - 60) / 10, 0.5 - people["sex"]], axis=1)
    flat = amplitudes.reshape(len(amplitudes), -1)
    change = np.linalg.lstsq(design[known], flat[known], rcond=None)[0][1:]
    rest = flat - np.where(np.isnan(design[:, 1:]), 0, design[:, 1:]) @ change
    return rest.reshape(amplitudes.shape), change.reshape(2, *amplitudes.shape[1:])


def lead_scale(modeled: np.ndarray, native: np.ndarray) -> np.ndarray:
    """[8] factor from modeled to native amplitudes in each lead: of the root mean square of normal beats' QRS."""
    share = np.linspace(0, 1, 50)  # of QRS
    course = np.exp(-0.5 * ((share - CENTRES[:, None]) / WIDTHS[:, None]) ** 2)
    size = [np.sqrt(((of[:, :, QRS] @ course) ** 2).mean(axis=(0, 2))) for of in (modeled, native)]
    return np.asarray(size[1] / size[0])


def components(amplitudes: np.ndarray, count: int) -> np.ndarray:
    """[1 + count, 8, WAVES]: the mean, then components of the deviations, scaled to one standard deviation.

    Recordings further than 3.5 robust standard deviations in energy are failed delineations, not hearts, and left out.
    """
    energy = np.log((amplitudes**2).sum(axis=(1, 2)))
    middle = np.median(energy)
    spread = 1.48 * np.median(np.abs(energy - middle))
    good = amplitudes[np.abs(energy - middle) < 3.5 * spread]
    mean = good.mean(axis=0)
    _, scale, rows = np.linalg.svd(((good - mean) * WEIGHTS).reshape(len(good), -1), full_matrices=False)
    share = (scale[:count] ** 2).sum() / (scale**2).sum()
    print(f"{len(good)} recordings, {count} components: {share:.1%} of the variance")
    deviations = rows[:count] * scale[:count, None] / np.sqrt(len(good) - 1)
    return np.concatenate([mean[None], deviations.reshape(count, *mean.shape) / WEIGHTS])


def main(source: Path, native: Path | None) -> None:
    amplitudes, timing = fit(source)
    if native:
        modeled = amplitudes
        amplitudes, timing = fit(native)
        scale = lead_scale(modeled["normal"], amplitudes["normal"])[None, :, None]
        for name in KEPT.keys() - {"normal"}:
            amplitudes[name] = np.concatenate([amplitudes[name], scale * modeled[name]])
    amplitudes["normal"], people = without_age_and_sex(amplitudes["normal"], timing)
    with open(FOLDER / "shapes.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["class", "component", "wave", "I", "II", "V1", "V2", "V3", "V4", "V5", "V6"])
        for name, kept in KEPT.items():
            for number, component in enumerate(components(amplitudes[name], kept)):
                out.writerows(
                    [name, number, wave, *(f"{value:.4f}" for value in component[:, k])] for k, wave in enumerate(WAVES)
                )
        for name, change in zip(("decade", "male"), people, strict=True):
            out.writerows([name, 0, wave, *(f"{value:.4f}" for value in change[:, k])] for k, wave in enumerate(WAVES))
    relative = timing.div(timing["t_end"], axis=0)[["t_peak", "t_left", "t_right"]]
    print("share of QT, quartiles:", relative.quantile([0.25, 0.5, 0.75]).round(3).to_dict("list"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--native", type=Path)
    given = parser.parse_args()
    main(given.source, given.native)
