"""Fit the labs' and vitals' tables to the MIMIC-IV demo: `python -m training.simulation.fitting.laboratory DEMO_DIR`.

Rewrites, in this folder: ward and work-up of panels.csv (fractions measured and drawn together), the spreads among the
admitted in labs.csv and vitals.csv with the rows of acuity in shifts.csv (quantiles), lab_correlations.csv (rank
correlations). Healthy centers and spreads stay but for the null labs', and so does what conditions do.
Targets are the demo's unplanned admissions, simulated are stays that end in admission: see demo.py. Deterministic.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ecgkt.simulation import labs as laboratory
from ecgkt.simulation.tables import FOLDER, Panel, labs, panels, rows, shifts
from training.simulation.fitting.demo import Admissions, read_demo
from training.simulation.fitting.marginals import (
    FEWEST,
    READINGS,
    SEED,
    UNMOVED,
    Sample,
    bootstrap,
    draw_sample,
    fit_marginals,
)

PATIENTS = 5000
# A null lab may go with labs that have no effect on the ECG and that no condition moves but through the heart attack.
NULL_PARTNERS = {"alt": {"ast", "alp", "bilirubin"}}
LEAST_RHO, LEAST_EIGENVALUE = 0.06, 0.03


def drawn(sample: Sample, table: list[Panel], seed: int) -> np.ndarray:
    """[stays, panels] bool: drawn near the ECG or on the ward."""
    rng = np.random.default_rng(seed)
    out = np.zeros((len(sample.people), len(table)), bool)
    for i, (_, stay) in enumerate(sample.people):
        intensity = laboratory.workup(rng, stay)
        both = {*laboratory.draw_panels(rng, stay, intensity, False, table)}
        both |= {*laboratory.draw_panels(rng, stay, intensity, True, table)}
        out[i] = [panel.name in both for panel in table]
    return out


def fit_panels(sample: Sample, demo: Admissions) -> list[Panel]:
    """Ward probabilities and work-up loadings; near the ECG only what is then still drawn too often is made rarer."""
    table = list(panels())
    names = [panel.name for panel in table]
    first = {lab.panel: lab.key for lab in reversed(labs()) if lab.key in demo.labs}
    known = [i for i, panel in enumerate(names) if panel in first]
    target = demo.labs[[first[names[i]] for i in known]].notna().to_numpy()
    phi = np.corrcoef(target.T)
    for step in range(30):
        now = drawn(sample, table, SEED + step % 2)[:, known]
        gap = np.corrcoef(now.T) - phi
        for place, i in enumerate(known):
            delta = _logit(target[:, place].mean()) - _logit(now[:, place].mean())
            near, ward = table[i].probability, table[i].ward
            if delta < 0 and ward < 0.01:
                near = _shifted(near, delta)
            else:
                ward = _shifted(ward, delta)
            loading = table[i].workup - 0.7 * (gap[place].sum() / (len(known) - 1))
            table[i] = replace(table[i], probability=near, ward=ward, workup=min(max(loading, 0.0), 2.0))
    return table


def _logit(p: float) -> float:
    p = min(max(p, 0.001), 0.999)
    return float(np.log(p / (1 - p)))


def _shifted(p: float, delta: float) -> float:
    return float(np.clip(1 / (1 + np.exp(-_logit(p) - 0.7 * delta)), 0.001, 0.98))


def fit_correlations(
    sample: Sample, measured: dict[str, np.ndarray], demo: Admissions
) -> tuple[np.ndarray, np.ndarray]:
    """[n, n] correlations of z scores with which measured ranks go together as the demo's; and the demo's ([n, n]).

    How far a pair goes toward the demo's depends on how sure that is: d^2 / (d^2 + se^2) of the distance d at the
    start, se from resampled patients. Pairs below LEAST_RHO are dropped.
    """
    q = laboratory.quantities()
    tables = ((demo.labs, demo.patient), (demo.vitals, demo.vital_patient))
    goal = _combined([_spearman(table, q.keys) for table, _ in tables])
    error = _combined([
        np.std([_spearman(table.iloc[i], q.keys, FEWEST // 2) for i in bootstrap(patient, 60)], axis=0)
        for table, patient in tables
    ])  # fmt: skip
    allowed = np.isfinite(goal) & np.isfinite(error) & ~np.eye(len(q.keys), dtype=bool)
    for key in laboratory.NULL_LABS:
        partners = np.isin(q.keys, list(NULL_PARTNERS.get(key, ())))
        allowed[q.index[key]] &= partners
        allowed[:, q.index[key]] &= partners
    own, visit = np.random.default_rng(SEED).normal(size=(2, len(sample.people), len(q.keys)))
    present, severity = q.moves["acuity"]
    moved = sample.shift + present + np.outer(sample.acuity, severity)
    matrix, wanted = np.eye(len(q.keys)), goal
    for step in range(8):
        root = np.linalg.cholesky(matrix)
        values = laboratory.values(q, q.own * (own @ root.T) + q.visit * (visit @ root.T), moved, admitted=True)
        frame = pd.DataFrame(values, columns=list(q.keys))
        for lab in labs():
            if lab.key in frame:
                frame[lab.key] = frame[lab.key].clip(lower=lab.least)
        found = _spearman(frame.where(pd.DataFrame({key: measured[key] for key in q.keys})), q.keys)
        if step == 0:
            distance = np.where(allowed, goal - found, 0.0)
            wanted = found + distance**3 / (distance**2 + np.where(allowed, error, 1.0) ** 2)
        step_on = np.clip(matrix + 0.8 * (wanted - found), -0.95, 0.95)
        matrix = _definite(np.where(allowed, step_on, np.eye(len(q.keys))))
    matrix[np.abs(matrix) < LEAST_RHO] = 0.0
    return _definite(matrix), goal


def _spearman(table: pd.DataFrame, keys: tuple[str, ...], fewest: int = FEWEST) -> np.ndarray:
    return table.reindex(columns=list(keys)).corr("spearman", min_periods=fewest).to_numpy()


def _combined(parts: list[np.ndarray]) -> np.ndarray:
    return np.where(np.isnan(parts[0]), parts[1], parts[0])


def _definite(matrix: np.ndarray) -> np.ndarray:
    """A positive definite correlation matrix near to `matrix`; its zeros stay zeros.

    Alternating projections (Higham, IMA J Numer Anal 2002) without his correction, then what little is missing by
    shrinking all pairs by one factor.
    """
    kept = matrix != 0
    for _ in range(100):
        size, axes = np.linalg.eigh(matrix)
        if size[0] >= LEAST_EIGENVALUE:
            return matrix
        matrix = (axes * np.maximum(size, 1.5 * LEAST_EIGENVALUE)) @ axes.T
        scale = np.sqrt(np.diag(matrix))
        matrix = np.where(kept, matrix / np.outer(scale, scale), 0.0)
    share = min(1.0, (1 - LEAST_EIGENVALUE) / (1 - np.linalg.eigvalsh(matrix)[0]))
    return share * matrix + (1 - share) * np.eye(len(matrix))


def _quantiles(values: pd.Series) -> str:
    low, middle, high = values.quantile([0.1, 0.5, 0.9])
    return f"demo P10-P50-P90 {low:.3g}-{middle:.3g}-{high:.3g} (n={values.count()})"


def _write(name: str, changed: list[dict[str, str]]) -> None:
    with open(FOLDER / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(changed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(changed)
    for cached in (labs, panels, shifts, laboratory.quantities):
        cached.cache_clear()


def write_panels(table: list[Panel], demo: Admissions) -> None:
    first = {lab.panel: lab.key for lab in reversed(labs()) if lab.key in demo.labs}
    fitted = {panel.name: panel for panel in table}
    changed = rows("panels")
    for row in changed:
        panel = fitted[row["panel"]]
        row |= {"probability": f"{panel.probability:.2g}", "ward": f"{panel.ward:.2g}", "workup": f"{panel.workup:.2g}"}
        if panel.name in first:
            row["note"] = f"demo: {demo.labs[first[panel.name]].notna().mean():.2f} of admissions within the first day"
    _write("panels", changed)


def write_marginals(marginals: dict[str, np.ndarray], demo: Admissions) -> None:
    """labs.csv, vitals.csv and the rows of acuity in shifts.csv."""
    moves = [row for row in rows("shifts") if row["condition"] != "acuity"]
    for name, column, source in (("labs", "lab", demo.labs), ("vitals", "vital", demo.vitals)):
        changed = rows(name)
        for row in changed:
            if (key := row[column]) not in marginals:
                continue
            present, severity, below, above, center = (f"{x:.3g}" for x in marginals[key])
            null = key in laboratory.NULL_LABS
            row |= {"below": below, "above": above} if null else {"admitted_below": below, "admitted_above": above}
            if null:
                old = float(row["center"])
                row["center"] = f"{old * np.exp(float(center)) if row['scale'] == 'log' else old + float(center):.3g}"
            row["note"] = "; ".join([part for part in row["note"].split("; ") if part and not part.startswith("demo")]
                                    + [_quantiles(source[key])])  # fmt: skip
            if key not in UNMOVED:
                moves.append({"condition": "acuity", "quantity": key, "present": present, "severity": severity,
                              "note": "fitted to the demo"})  # fmt: skip
        _write(name, changed)
    _write("shifts", moves)


def main(folder: Path) -> None:
    demo = read_demo(folder)
    demo.labs["anion_gap"] = demo.labs.sodium + demo.labs.potassium - demo.labs.chloride - demo.labs.bicarbonate
    sample = draw_sample(PATIENTS, SEED)
    print(f"{len(demo.labs)} admissions of the demo, {len(sample.people)} simulated")

    write_panels(fit_panels(sample, demo), demo)
    taken = drawn(sample, list(panels()), SEED + 2)
    place = {panel.name: i for i, panel in enumerate(panels())}
    measured = {lab.key: taken[:, place[lab.panel]] for lab in labs()} | dict.fromkeys(READINGS, sample.urgent)
    write_marginals(fit_marginals(sample, measured, demo), demo)
    keys = laboratory.quantities().keys
    matrix, goal = fit_correlations(sample, measured, demo)
    _write("lab_correlations", [
        {"first": keys[i], "second": keys[j], "rho": f"{matrix[i, j]:.2f}", "note": f"demo, ranks: {goal[i, j]:.2f}"}
        for i, j in zip(*np.nonzero(np.triu(matrix, 1)), strict=True) if abs(matrix[i, j]) >= 0.005
    ])  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
