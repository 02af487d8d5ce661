"""data_card.md beside a prepared cohort: how many at each step, who, how often what, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecgkt.prediction import HEADS
from training.cohort.prepared import Prepared

SOURCES = {
    "simulated": "a simulated cohort in MIMIC-IV's layout",
    "mimic": "files in MIMIC-IV's layout",
    "ptbxl": "files in PTB-XL's layout",
    "challenge": "records of the PhysioNet/CinC Challenges 2020 and 2021",
    "ludb": "files in LUDB's layout",
    "own": "own data: ECG files and tables as a YAML describes them",
}
COUNTED = ("train", "validation", "test")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


@dataclass(frozen=True)
class Step:
    """What is left after a step of the selection, and how many ECGs the step left out for which reason."""

    what: str
    ecgs: int
    patients: int
    left_out: Mapping[str, int]


def _flow(cohort: Prepared, steps: Sequence[Step]) -> str:
    lines = ["```mermaid", "flowchart TD"]
    for i, step in enumerate(steps):
        lines.append(f'  step{i}["{step.ecgs} ECGs {step.what}, {step.patients} patients"]')
        if i:
            lines.append(f"  step{i - 1} --> step{i}")
        for j, (reason, n) in enumerate(sorted(step.left_out.items())):
            lines.append(f'  step{i - 1} --> out{i}x{j}["{n} left out: {reason}"]')
    for split, part in cohort.info["splits"].items():
        node = f'{split}["{split}: {part["ecgs"]} ECGs, {part["patients"]} patients"]'
        lines.append(f"  step{len(steps) - 1} --> {node}")
    return "\n".join([*lines, "```", ""])


def _measured(measured: pd.DataFrame) -> str:
    """The measurements that were converted, repaired or dropped."""
    rows = []
    for line in measured.to_dict("records"):
        unusable, factor = bool(np.isnan(line["factor"])), line["factor"]
        repaired = line["input"] == "vital:temperature" and line["note"]
        done = "dropped" if unusable else "repaired" if repaired else "as it is" if factor == 1 else f"x {factor:g}"
        if line["implausible"] or done != "as it is":
            implausible = "-" if unusable else line["implausible"]
            rows.append([line["input"], line["note"] or "none stated", line["measurements"], done, implausible])
    head = ["input", "unit or repair", "measurements", "what was done", "of these implausible, dropped"]
    return _table(head, rows) if rows else "None was converted, repaired or dropped.\n"


def _people(cohort: Prepared) -> str:
    rows: list[list[object]] = []
    for split, part in cohort.ecgs.groupby("split"):
        low, middle, high = part["age"].quantile([0.25, 0.5, 0.75])
        sex = part["sex"].value_counts(normalize=True).get("female", float("nan"))
        rows.append([split, part["patient"].nunique(), len(part), f"{middle:.0f} ({low:.0f}-{high:.0f})", f"{sex:.0%}"])
    return _table(["split", "patients", "ECGs", "age, median (quartiles)", "female"], rows)


def prevalence(labels: pd.DataFrame, split: pd.Series) -> pd.DataFrame:
    """Per label: known and positive ECGs of each split, and the prevalence among the known of the training split."""
    columns: dict[str, pd.Series] = {}
    for name in COUNTED:
        part = labels[split.to_numpy() == name]
        columns[f"{name}_known"] = part.notna().sum()
        columns[f"{name}_positive"] = (part == 1).sum()
    table = pd.DataFrame(columns)
    table["prevalence"] = table["train_positive"] / table["train_known"]
    return table


def _labels(cohort: Prepared, head: str) -> str:
    described = {label["code"]: label for label in cohort.info["labels"][head]}
    counts = prevalence(getattr(cohort, head), cohort.ecgs["split"])
    rows = [
        [code, described[str(code)]["name"], described[str(code)]["group"], f"{row['prevalence']:.1%}"]
        + [f"{row[f'{s}_positive']:.0f} / {row[f'{s}_known']:.0f}" for s in COUNTED]
        for code, row in counts.sort_values("prevalence", ascending=False).iterrows()
        if code in described
    ]
    return _table(["code", "name", "group", "prevalence", *(f"{s}: positive / known" for s in COUNTED)], rows)


def write_card(
    cohort: Prepared,
    steps: Sequence[Step],
    remarks: Sequence[str],
    lags: Mapping[str, float] | None = None,
    measured: pd.DataFrame | None = None,
) -> None:
    """Write data_card.md. steps: from all that the source lists to all that is prepared; lags and measured as
    `training.cohort.clinical` gives them."""
    info = cohort.info
    parts = [
        f"# Data card: {info['name']}\n",
        f"Source: {SOURCES[info['source']]}. License: {info['license']}. {info['note']} Research use only.\n",
        f"{info['ecgs']} ECGs of {info['patients']} patients; content fingerprint `{info['fingerprint']}`.\n",
        *(f"{remark}\n" for remark in remarks),
        "## Cohort\n",
        _flow(cohort, steps),
        "extra: not the first ECG of its stay in validation or test; neither trained on nor evaluated.\n",
        _people(cohort),
        "## Clinical inputs\n",
    ]
    rows = []
    for column in cohort.clinical:
        values = cohort.clinical[column].dropna()
        spread = " / ".join(f"{q:.3g}" for q in values.quantile([0.05, 0.5, 0.95])) if len(values) else "-"
        lag = (lags or {}).get(str(column))
        rows.append([column, f"{1 - len(values) / len(cohort):.1%}", spread, "-" if lag is None else f"{lag:.0f}"])
    parts.append(_table(["input", "missing", "5% / median / 95%", "median time to the ECG (min)"], rows))
    if measured is not None:
        said = "Units and limits, near an ECG; a measurement near two ECGs counts twice.\n"
        parts += ["### Converted, repaired, dropped\n", said, _measured(measured)]
    for head in HEADS:
        table = _labels(cohort, head) if info["labels"][head] else "Unknown throughout.\n"
        parts += [f"## {head.capitalize()}\n", table]
    (cohort.folder / "data_card.md").write_text("\n".join(parts), encoding="utf-8")
