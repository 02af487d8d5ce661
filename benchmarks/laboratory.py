"""How near the simulated labs, vitals and missing values are to the MIMIC-IV demo's; writes laboratory.json and .md.

    python benchmarks/laboratory.py --cohort DIR [--before DIR] [--demo data/mimic_iv_demo]

First values within a day, of the demo's unplanned admissions and of the simulated stays that end in admission (see
training/simulation/fitting/demo.py). `floor` is how far the demo is from itself: from resamples of its patients.
Without --cohort, 3,000 patients are simulated without tracings (and so without heart rates).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.real_data import REAL_DATA  # noqa: E402
from ecgkt.simulation import labs as laboratory  # noqa: E402
from ecgkt.simulation.state import draw_patient, draw_stay  # noqa: E402
from ecgkt.simulation.tables import labs  # noqa: E402
from ecgkt.simulation.visits import FIRST_SUBJECT  # noqa: E402
from training.simulation.fitting.demo import TRIAGE, Admissions, from_tables, read_cohort, read_demo  # noqa: E402
from training.simulation.fitting.marginals import QUANTILES, bootstrap  # noqa: E402
from training.simulation.layout import TABLES  # noqa: E402
from training.simulation.measurements import lab_rows, vital_rows  # noqa: E402
from training.simulation.writer import Rows  # noqa: E402

FEWEST, RESAMPLES = 40, 100
PANELS = ("potassium", "haemoglobin", "magnesium", "alt", "albumin", "inr", "troponin_t", "lactate", "pco2", "crp")


def _round(number: Any) -> float:
    return round(float(number), 3)


def without_tracings(patients: int, seed: int) -> Admissions:
    """The first stays of simulated patients, as their tables would have them."""
    rows: Rows = defaultdict(list)
    arrival = datetime(2150, 1, 1)
    for index in range(patients):
        rng = np.random.default_rng([seed, index])
        patient = draw_patient(rng, index)
        stay = draw_stay(rng, patient, 0, 0)
        values, vitals = laboratory.true_labs(rng, patient, stay, laboratory.patient_levels(rng, patient))
        when = arrival + timedelta(minutes=rng.uniform(2, 55))
        subject = FIRST_SUBJECT + index
        lab_rows(rng, subject, stay, "", values, when, rows)
        vital_rows(rng, patient, stay, subject, subject, vitals | {"heart_rate": 0.0}, arrival, when, rows)
        rows["stays"].append((subject, subject, arrival, "ADMITTED" if stay.admitted else "HOME"))
    stays = pd.DataFrame(rows["stays"], columns=["subject_id", "stay_id", "intime", "disposition"])
    events, triage = (
        pd.DataFrame(rows[name], columns=list(TABLES[name]))
        for name in ("mimic-iv/hosp/labevents", "mimic-iv-ed/ed/triage")
    )
    out = from_tables(stays, events, triage[["stay_id", "acuity", *TRIAGE]])
    out.vitals["heart_rate"] = np.nan
    return out


def marginal(demo: pd.Series, patient: np.ndarray, cohorts: dict[str, pd.Series]) -> dict[str, Any]:
    """Quantiles, fraction with a value and Kolmogorov-Smirnov distance of one lab or vital."""
    known = demo.dropna()
    out: dict[str, Any] = {"n": len(known), "demo": known.quantile(QUANTILES).round(3).tolist(),
                           "measured": {"demo": _round(demo.notna().mean())}, "ks": {}}  # fmt: skip
    for name, values in cohorts.items():
        if values.count() == 0:
            continue
        out[name] = values.quantile(QUANTILES).round(3).tolist()
        out["measured"][name] = _round(values.notna().mean())
        out["ks"][name] = _round(ks_2samp(known, values.dropna()).statistic)
    resamples = (demo.iloc[index].dropna() for index in bootstrap(patient, RESAMPLES))
    floor = [ks_2samp(known, values).statistic for values in resamples if len(values)]
    out["ks"]["floor_mean"], out["ks"]["floor_95"] = (_round(x) for x in (np.mean(floor),
                                                                               np.quantile(floor, 0.95)))  # fmt: skip
    return out


def matrices(demo: pd.DataFrame, patient: np.ndarray, cohorts: dict[str, pd.DataFrame], method: str) -> dict[str, Any]:
    """Correlations between columns: mean and largest absolute differences to the demo's, and the demo's to itself."""
    keys = list(demo.columns)
    goal = _pairs(demo, keys, method)
    out: dict[str, Any] = {"pairs": int(goal.notna().sum()), "mean_absolute_difference": {}, "largest": {}}
    for name, table in cohorts.items():
        gap = (_pairs(table, keys, method) - goal).dropna()
        out["mean_absolute_difference"][name] = _round(gap.abs().mean())
        out["largest"][name] = [
            {"pair": list(pair), "demo": _round(goal[pair]), "simulated": _round(goal[pair] + gap[pair])}
            for pair in gap.abs().sort_values(ascending=False, kind="stable").index[:8]
        ]  # fmt: skip
    floor = [float((_pairs(demo.iloc[i], keys, method) - goal).abs().mean()) for i in bootstrap(patient, RESAMPLES)]
    out["mean_absolute_difference"]["floor_mean"] = _round(np.mean(floor))
    out["mean_absolute_difference"]["floor_95"] = _round(np.quantile(floor, 0.95))
    return out


def _pairs(table: pd.DataFrame, keys: list[str], method: Any) -> pd.Series:
    matrix = table.reindex(columns=keys).corr(method, min_periods=FEWEST)
    matrix.index.name, matrix.columns.name = "first", "second"
    return matrix.where(np.triu(np.ones(matrix.shape, bool), 1)).stack(future_stack=True)


def compare(demo: Admissions, cohorts: dict[str, Admissions]) -> dict[str, Any]:
    order = [lab.key for lab in labs() if lab.key in demo.labs]
    labs_of, vitals_of = ({name: getattr(c, part) for name, c in cohorts.items()} for part in ("labs", "vitals"))
    return {
        "admissions": {"demo": len(demo.labs), **{name: len(c.labs) for name, c in cohorts.items()}},
        "patients": {"demo": len(set(demo.patient)), **{name: len(set(c.patient)) for name, c in cohorts.items()}},
        "quantiles": list(QUANTILES),
        "labs": {key: marginal(demo.labs[key], demo.patient, {n: t[key] for n, t in labs_of.items()}) for key in order},
        "vitals": {key: marginal(demo.vitals[key], demo.vital_patient, {n: t[key] for n, t in vitals_of.items()})
                   for key in demo.vitals},
        "spearman": matrices(demo.labs[order], demo.patient, labs_of, "spearman"),
        "measured_together": matrices(
            demo.labs[list(PANELS)].notna().astype(float), demo.patient,
            {name: table[list(PANELS)].notna().astype(float) for name, table in labs_of.items()}, "pearson"),
        "potassium": {name: {"below_3.5": _round((k < 3.5).mean()), "from_5.5": _round((k >= 5.5).mean())}
                      for name, k in (("demo", demo.labs.potassium.dropna()),
                                      *((n, t.potassium.dropna()) for n, t in labs_of.items()))},
    }  # fmt: skip


def as_text(result: dict[str, Any], names: list[str]) -> str:
    lines = [
        "# Simulated labs beside the MIMIC-IV demo's", "",
        "Written by `benchmarks/laboratory.py`. First value within a day: the demo's unplanned admissions, the",
        "simulated stays that end in admission. Vitals: the demo's are charted in intensive care, so the simulated",
        "are those of triage level 1 and 2. KS: Kolmogorov-Smirnov distance to the demo. Floor: the demo's distance to",
        "resamples of its own patients (mean, 95th percentile), below which a difference says nothing. The tables were",
        "fitted to these same admissions, by other simulated stays: this shows the fit, not how it would do on others.",
        "",
        "Admissions: " + ", ".join(f"{name} {count}" for name, count in result["admissions"].items()) + ".", "",
    ]  # fmt: skip
    for part in ("labs", "vitals"):
        heads = ["P10-P25-P50-P75-P90 demo", *(f"{n}" for n in names), *(f"KS {n}" for n in names), "KS floor",
                 "measured demo", *names]  # fmt: skip
        lines += ["| | n | " + " | ".join(heads) + " |", "|---" * (len(heads) + 2) + "|"]
        for key, row in result[part].items():
            cells = ["-".join(f"{x:g}" for x in row[n]) if n in row else "" for n in ("demo", *names)]
            cells += [f"{row['ks'][n]:.2f}" if n in row["ks"] else "" for n in names]
            cells += [f"{row['ks']['floor_mean']:.2f}, {row['ks']['floor_95']:.2f}"]
            cells += [f"{row['measured'].get(n, 0):.2f}" for n in ("demo", *names)]
            lines.append(f"| {key} | {row['n']} | " + " | ".join(cells) + " |")
        lines.append("")
    for key, title in (
        ("spearman", "Rank correlations of labs"),
        ("measured_together", "Panels measured together (phi)"),
    ):
        part, mean = result[key], result[key]["mean_absolute_difference"]
        lines += [f"## {title}", "", f"Mean absolute difference to the demo over {part['pairs']} pairs: "
                  + ", ".join(f"{n} {mean[n]:.3f}" for n in names)
                  + f"; floor {mean['floor_mean']:.3f}, {mean['floor_95']:.3f}.", ""]  # fmt: skip
        for name in names:
            worst = "; ".join(
                f"{'-'.join(w['pair'])} {w['simulated']:.2f} ({w['demo']:.2f})" for w in part["largest"][name]
            )
            lines += [f"Largest, {name} (demo): {worst}.", ""]
    lines.append("Potassium: " + "; ".join(f"{n} {k['below_3.5']:.1%} below 3.5, {k['from_5.5']:.1%} from 5.5"
                                           for n, k in result["potassium"].items()) + ".")  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path)
    parser.add_argument("--before", type=Path, help="a cohort of an earlier version")
    parser.add_argument("--demo", type=Path, default=REAL_DATA / "mimic_iv_demo")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    cohorts = {"before": read_cohort(options.before)} if options.before else {}
    cohorts["simulated"] = read_cohort(options.cohort) if options.cohort else without_tracings(3000, 1)
    result = compare(read_demo(options.demo), cohorts)
    text = as_text(result, list(cohorts))
    (options.out / "laboratory.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "laboratory.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
