"""Whole populations, from the cohort's truth alone, so that it takes seconds: intervals and rates by rhythm and
age against the device's measurements of 10,646 ECGs (chapman_diagnostics), labs against intervals within heart failure
against 992 patients (music_subject_info), and shares of findings against what is published (published.csv)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp, spearmanr

# Chapman's rhythms -> statements of a simulated ECG. MUSE calls sinus arrhythmia apart, and so do the statements.
RHYTHMS = {"SR": "SR", "SB": "SBRAD", "ST": "STACH", "AFIB": "AFIB"}
AGES = ((18, 50), (50, 70), (70, 100))
MEASURES = {"rate": "VentricularRate", "qrs": "QRSDuration", "qt": "QTInterval", "qtc": "qtc"}
LEAST = 30  # ECGs on either side
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# pair -> real interval and lab, simulated interval and lab (LVEF is no variable of the simulator), sign
MUSIC = {
    "QRS ~ log NT-proBNP": ("QRS duration (ms)", "Pro-BNP (ng/L)", "qrs_ms", "nt_probnp", 1),
    "QTc ~ potassium": ("QT corrected ", "Potassium (mEq/L)", "qtc_ms", "potassium", 1),
    "QRS ~ LVEF (simulated: severity, sign turned)": ("QRS duration (ms)", "LVEF (%)", "qrs_ms", "severity", -1),
}


@dataclass(frozen=True)
class Truth:
    """One row an ECG, the first of its stay: ecgs with age, male and codes; conditions: stay -> condition -> severity;
    labs: study -> lab -> value."""

    ecgs: pd.DataFrame
    conditions: pd.DataFrame
    labs: pd.DataFrame


def read(cohort: Path) -> Truth:
    folder = cohort / "truth"
    ecgs = pd.read_parquet(folder / "ecgs.parquet").drop_duplicates("stay_id")
    people = pd.read_parquet(folder / "patients.parquet")[["subject_id", "age", "male"]]
    codes = pd.read_parquet(folder / "findings.parquet").groupby("study_id")["code"].agg(set)
    ecgs = ecgs.merge(people, on="subject_id").set_index("study_id")
    ecgs["codes"] = [codes.get(study, set()) for study in ecgs.index]
    state = pd.read_parquet(folder / "state.parquet")
    labs = pd.read_parquet(folder / "labs.parquet")
    return Truth(
        ecgs,
        state.pivot_table(index="stay_id", columns="condition", values="severity").reindex(ecgs["stay_id"]),
        labs.pivot_table(index="study_id", columns="lab", values="value").reindex(ecgs.index),
    )


def judge(cohort: Path, data: Path) -> dict[str, Any]:
    truth = read(cohort)
    return {"chapman": chapman(truth, data), "music": music(truth, data), "published": published(truth)}


def chapman(truth: Truth, data: Path) -> list[dict[str, Any]]:
    """A row a rhythm, age and measure: quantiles of both sides and their Kolmogorov-Smirnov distance."""
    real = pd.read_csv(data / "chapman_diagnostics" / "Diagnostics.csv")
    real = real[real["QRSDuration"].between(60, 240) & (real["QTInterval"] > 200)]  # a QRS of 18 ms is no measurement
    real["qtc"] = real["QTInterval"] * (real["VentricularRate"] / 60) ** (1 / 3)
    ours = truth.ecgs.rename(columns={"heart_rate": "rate", "qrs_ms": "qrs", "qt_ms": "qt", "qtc_ms": "qtc"})
    rows = []
    for rhythm, code in RHYTHMS.items():
        shown = ours[[code in codes for codes in ours["codes"]]]
        for low, high in AGES:
            a = real[(real["Rhythm"] == rhythm) & real["PatientAge"].between(low, high, inclusive="left")]
            b = shown[shown["age"].between(low, high, inclusive="left")]
            if min(len(a), len(b)) < LEAST:
                continue
            for name, column in MEASURES.items():
                rows.append({
                    "rhythm": rhythm, "age": f"{low}-{high - 1}", "measure": name, "real_ecgs": len(a),
                    "simulated_ecgs": len(b), "real": _quantiles(a[column]), "simulated": _quantiles(b[name]),
                    "ks": round(float(ks_2samp(a[column], b[name]).statistic), 3),
                })  # fmt: skip
    return rows


def music(truth: Truth, data: Path) -> list[dict[str, Any]]:
    """Spearman's rank correlations within heart failure, real and simulated."""
    with open(data / "music_subject_info" / "subject-info.csv", encoding="latin-1", newline="") as file:
        real = pd.DataFrame(list(csv.DictReader(file, delimiter=";")))
    failing = truth.conditions["heart_failure"].notna().to_numpy()
    ours = pd.concat([truth.ecgs, truth.labs], axis=1)[failing]
    ours["severity"] = truth.conditions["heart_failure"].to_numpy()[failing]
    rows = []
    for name, (interval, lab, our_interval, our_lab, sign) in MUSIC.items():
        x, y = (_numbers(real[column]) for column in (interval, lab))
        known = x.between(50, 700) & y.notna()
        found = float(spearmanr(x[known], y[known]).statistic)
        simulated = sign * float(spearmanr(ours[our_interval], ours[our_lab]).statistic)
        rows.append({"pair": name, "real": round(found, 2), "real_patients": int(known.sum()),
                     "simulated": round(simulated, 2), "simulated_ecgs": len(ours)})  # fmt: skip
    return rows


def _numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.str.strip().str.replace(",", "."), errors="coerce")


def _quantiles(values: pd.Series) -> list[float]:
    return [float(f"{v:.4g}") for v in np.quantile(values, QUANTILES)]


def published(truth: Truth) -> list[dict[str, Any]]:
    """Shares (%) or medians that a source states, and the simulated ones: the rows of published.csv."""
    with open(Path(__file__).with_name("published.csv"), encoding="utf-8", newline="") as file:
        asked = list(csv.DictReader(file))
    rows = []
    for row in asked:
        group = _group(truth, row["among"])
        value = _share(truth.ecgs[group], row["share_of"])
        rows.append({"among": row["among"], "share_of": row["share_of"], "published": row["published"],
                     "source": row["source"], "simulated": value, "ecgs": int(group.sum())})  # fmt: skip
    return rows


def _group(truth: Truth, among: str) -> np.ndarray:
    """Whom a row is about: "all", a condition, "no CONDITION", or "potassium >= 5.5"; "in sinus rhythm" may follow."""
    among, _, rhythm = among.partition(" in ")
    words = among.split()
    if among == "all":
        chosen = np.ones(len(truth.ecgs), bool)
    elif len(words) == 3:
        chosen = (truth.labs[words[0]] >= float(words[2])).to_numpy()
    else:
        present = truth.conditions[words[-1]].notna().to_numpy()
        chosen = ~present if words[0] == "no" else present
    return chosen & (truth.ecgs["pr_ms"].notna().to_numpy() if rhythm else True)


def _share(ecgs: pd.DataFrame, of: str) -> float:
    """Percent with one of the codes, or with a measure beyond a limit ("heart_rate > 100"); "median pr_ms"."""
    words = of.split()
    if words[0] == "median":
        return round(float(ecgs[words[1]].median()), 1)
    if words[1:2] == [">"]:
        return round(100 * float((ecgs[words[0]] > float(words[2])).mean()), 1)
    return round(100 * float(np.mean([bool(codes & set(words)) for codes in ecgs["codes"]])), 1)
