"""Part 5: real and simulated tracings of the same kind side by side, drawn and filtered alike, to be looked at.

Pairs stay in runs/judge (recordings of real patients are not for the repository); four simulated tracings alone go to
benchmarks/. matplotlib comes with captum.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from benchmarks.simulation_judge import recordings
from benchmarks.simulation_judge.collected import Collection, matched
from ecgkt.ecg import LEADS
from ecgkt.model.preprocessing import MODEL_RATE

mpl.use("Agg")
from matplotlib import pyplot as plt

# name -> (codes of which one is wanted, codes that are not)
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "normal": (("NORM",), ("SBRAD", "STACH", "IRBBB")),
    "normal, another": (("NORM",), ("SBRAD", "STACH", "IRBBB")),
    "atrial fibrillation": (("AFIB",), ("CLBBB", "CRBBB", "PACE", "PVC")),
    "left bundle branch block": (("CLBBB",), ("AFIB", "PVC")),
    "right bundle branch block": (("CRBBB",), ("AFIB", "PVC", "IMI", "ASMI", "AMI")),
    "old inferior infarction": (("IMI",), ("AFIB", "CLBBB", "CRBBB", "ASMI", "AMI")),
    "old anterior infarction": (("ASMI", "AMI"), ("AFIB", "CLBBB", "CRBBB", "IMI")),
    "left ventricular hypertrophy": (("LVH",), ("AFIB", "CLBBB", "CRBBB", "IMI", "ASMI", "AMI")),
    "left anterior fascicular block": (("LAFB",), ("AFIB", "CLBBB", "CRBBB", "IMI", "ASMI", "AMI")),
    "ventricular premature beats": (("PVC",), ("AFIB", "CLBBB", "CRBBB")),
}
ALONE = ("normal", "atrial fibrillation", "left bundle branch block", "old inferior infarction")
ROW, COLUMN = 2.6, 2.5  # mV between rows, s a column


def draw(axes: Axes, view: np.ndarray, title: str) -> None:
    """3 x 4 leads of 2.5 s and lead II for 10 s, from a view [12, 1000] in mV."""
    time = np.arange(view.shape[1]) / MODEL_RATE
    axes.set_xticks(np.arange(0, 10.01, 0.2), minor=True)
    axes.set_yticks(np.arange(-4 * ROW, ROW, 0.5), minor=True)
    axes.grid(which="minor", color="#f3d5d0", linewidth=0.4)
    for i, lead in enumerate(LEADS):
        at = (time >= (i // 3) * COLUMN) & (time < (i // 3 + 1) * COLUMN)
        axes.plot(time[at], view[i, at] - (i % 3) * ROW, color="#17191c", linewidth=0.7)
        axes.text((i // 3) * COLUMN + 0.05, -(i % 3) * ROW + 1.0, lead, fontsize=7)
    axes.plot(time, view[1] - 3 * ROW, color="#17191c", linewidth=0.7)
    axes.set(xlim=(0, 10), ylim=(-3.6 * ROW, 0.7 * ROW), xticks=[], yticks=[])
    axes.set_title(title, fontsize=8, loc="left")


def _pick(collection: Collection, kind: str) -> Collection:
    wanted, unwanted = KINDS[kind]
    return collection[
        recordings.has(collection.table, *wanted)
        & ~recordings.has(collection.table, *unwanted)
        & collection.at_100["time:heart_rate"].notna().to_numpy()
    ]


def judge(reals: dict[str, Collection], simulated: Collection, work: Path, name: str) -> dict[str, Any]:
    """One PNG a kind; pairs alike in age, sex and rate, drawn by chance and not chosen by eye."""
    folder = work / "pictures" / name
    folder.mkdir(parents=True, exist_ok=True)
    alone: dict[str, np.ndarray] = {}
    for number, kind in enumerate(KINDS):
        real, ours = matched(_pick(reals["ptbxl"], kind), _pick(simulated, kind), seed=number)
        figure, both = plt.subplots(1, 2, figsize=(17, 6.2), layout="constrained")
        for axes, side, who in ((both[0], real, "real"), (both[1], ours, "simulated")):
            if len(side.table):
                draw(axes, side.view[0], f"{who}: {kind} ({side.table['codes'][0]})")
        figure.savefig(folder / f"{number:02d}.png", dpi=75)
        plt.close(figure)
        if kind in ALONE and len(ours.table):
            alone[kind] = ours.view[0]
    figure, many = plt.subplots(2, 2, figsize=(15, 10), layout="constrained")
    for axes, (kind, view) in zip(many.flat, alone.items(), strict=False):
        draw(axes, view, f"simulated: {kind}")
    shown = Path(__file__).resolve().parents[1] / f"simulation_{name}.png"
    figure.savefig(shown, dpi=60)
    plt.close(figure)
    return {"file": shown.name, "pairs": list(KINDS)}
