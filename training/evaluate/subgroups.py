"""Is the model as good for everybody? AUROC, calibration and abstention by band of age and by sex.

Macro AUROCs of two groups compare only over the same labels, so those of a division (by age, by sex) are taken over the
labels with `POSITIVES` positives and negatives in each of its groups; that is fewer than elsewhere, since real groups
are small and a mean over several labels is steadier than each. Groups of fewer than `FEWEST` patients have no figures.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from ecgkt.prediction import AGGREGATES
from ecgkt.results.trust_metrics import Refusals, Subgroup
from training.evaluate.calibration_error import calibration_figures
from training.metrics import Array, estimate, label_aurocs

Flags = npt.NDArray[np.bool_]
BANDS = ((0, 50, "under 50 years"), (50, 65, "50–64 years"), (65, 80, "65–79 years"), (80, 200, "80 years and over"))
POSITIVES = 2
FEWEST = 10  # patients: fewer could be told apart, and their figures say nothing


def divisions(ecgs: pd.DataFrame) -> dict[str, dict[str, Flags]]:
    """{"age": {group: [N]}, "sex": {group: [N]}}: which ECGs are of which group; unknown is a group of its own.

    ecgs: columns age (years, NaN unknown) and sex ("male", "female", anything else unknown).
    """
    age, sex = ecgs["age"].to_numpy(float), ecgs["sex"]
    by_age = {name: (age >= low) & (age < high) for low, high, name in BANDS} | {"not known": np.isnan(age)}
    by_sex = {name: (sex == name).to_numpy(bool) for name in ("female", "male")}
    by_sex["not known"] = ~(by_sex["female"] | by_sex["male"])
    return {
        "age": {name: mask for name, mask in by_age.items() if mask.any()},
        "sex": {name: mask for name, mask in by_sex.items() if mask.any()},
    }


def subgroup_figures(
    codes: list[str], probabilities: Array, targets: Array, ecgs: pd.DataFrame, resamples: Array
) -> list[Subgroup]:
    """A row a group.

    probabilities, targets: [N, L], NaN unknown; ecgs: [N] patient, age, sex; resamples: [R, N]. Figures that cannot be
    measured are None.
    """
    rows = []
    targets = np.where(np.isnan(probabilities), np.nan, targets)
    counted = [column for column, code in enumerate(codes) if code not in AGGREGATES]
    for by, groups in divisions(ecgs).items():
        large = {name: mask for name, mask in groups.items() if ecgs["patient"][mask].nunique() >= FEWEST}
        aurocs = {
            name: label_aurocs(
                probabilities[mask][:, counted], targets[mask][:, counted], resamples[:, mask], POSITIVES
            )
            for name, mask in large.items()
        }
        # Those of unknown age or sex are too few to have a say in which labels are compared.
        known = [set(measured) for name, measured in aurocs.items() if name != "not known"]
        common = set.intersection(*known) if known else set()
        for name, mask in groups.items():
            shared = [aurocs[name][c] for c in common if c in aurocs.get(name, {})]
            complete = bool(shared) and len(shared) == len(common)
            calibration = calibration_figures(probabilities[mask], targets[mask], resamples[:, mask], by_label=False)
            shown = calibration if name in large else None
            rows.append(
                Subgroup(
                    by=by,
                    group=name,
                    patients=int(ecgs["patient"][mask].nunique()),
                    ecgs=int(mask.sum()),
                    positives=int(np.nansum(targets[mask])),
                    labels=len(common),
                    auroc=estimate(np.nanmean(np.stack(shared), axis=0)) if complete else None,
                    ece=shown.ece_debiased if shown else None,
                    in_the_large=shown.in_the_large if shown else None,
                )
            )
    return rows


def abstention_figures(refused: Flags, ecgs: pd.DataFrame) -> list[Refusals]:
    """A row a group, all together first.

    refused: [N] what `ecgkt.quality.usable.assess` would not pass. The interval is Clopper and Pearson's (1934): a
    bootstrap of a group without a refusal would claim that there never is one.
    """
    everybody = {"all": {"all": np.ones(len(ecgs), bool)}}
    rows = []
    for by, groups in (everybody | divisions(ecgs)).items():
        for name, mask in groups.items():
            count, total = int(refused[mask].sum()), int(mask.sum())
            exact = binomtest(count, total).proportion_ci(method="exact")
            share = (count / total, float(exact.low), float(exact.high))
            patients = int(ecgs["patient"][mask].nunique())
            rows.append(Refusals(by=by, group=name, patients=patients, ecgs=total, refused=count, share=share))
    return rows
