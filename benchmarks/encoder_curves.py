"""The label-efficiency curve with each encoder: is what knowledge transfer is worth a matter of the encoder?

    python benchmarks/encoder_curves.py [--run training/configs/default.yaml] [--patients 2000] [--steps 200]
                                        [--encoders ENCODER ...] [--only ENCODER] [--work DIR]

The same patients, labels, batches and steps for every encoder of `training.py` beside this, one seed: signal only, the
paper's way, distilled from a multimodal teacher with the same encoder, and that teacher. Each network is kept below
DIR, so a stopped run goes on; `--only` makes one encoder's, for processes side by side. Needs the prepared sets of the
run (`python -m training prepare all --config ...`). Writes encoder_curves.json and encoder_curves.md.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.training import ENCODERS, Classifier  # noqa: E402
from ecgkt.model.networks.network import count_parameters  # noqa: E402
from training.config import load_config  # noqa: E402
from training.label_curve.curve import CurveConfig, curve  # noqa: E402

SEED = 1
RECIPES = ["signal_only", "vicreg", "distilled", "multimodal"]
TRANSFER = "distilled"


def folder_name(encoder: str) -> str:
    return "_".join(encoder.replace(",", "").split())


def config_of(encoder: str, arguments: argparse.Namespace) -> CurveConfig:
    """The curve of one encoder, at one number of labeled patients. No oracle and no other size: only what is told."""
    return CurveConfig(
        run=arguments.run, source="simulated", out=str(arguments.work / folder_name(encoder)), steps=arguments.steps,
        stage1_share=0.3, labeled_share=0.3, watch_every=arguments.steps // 2, seeds=[SEED], sizes=[],
        tenth=arguments.patients, everywhere=RECIPES, at_tenth=[], best=TRANSFER, oracle={}, encoder=ENCODERS[encoder],
    )  # fmt: skip


def measured(encoder: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What curve.json tells of the one number of patients that was asked for."""
    made = json.loads((arguments.work / folder_name(encoder) / "curve.json").read_text())
    point, about = made["label_curve"][0], made["label_curve_about"]
    return {
        "encoder": encoder,
        "parameters": count_parameters([Classifier(ENCODERS[encoder]).encoder]),
        "models": point["models"],
        "distilled_minus_signal_only": point["gain"],
        "distilled_minus_paper": about["conclusions"]["best_minus_others_at_tenth"]["vicreg"],
        "seconds": sum(run["seconds"] for run in about["runs"]),
    }


def shown(interval: list[float], sign: str = "") -> str:
    value, low, high = interval
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def markdown(about: dict[str, Any]) -> str:
    lines = [
        "# The label-efficiency curve with each encoder",
        "",
        f"Simulated patients, {about['patients']:,} of them labeled; every network had {about['steps']:,} steps of "
        f"{about['batch']} ECGs and the same rates, chosen for BeatNet: a short budget, in which the others have not "
        "learned all they can. Macro AUROC over diagnoses of test patients; one seed, so intervals tell of the "
        "patients alone.",
        "",
        "| encoder | parameters | signal only | paper's way | distilled | multimodal | distilled minus signal only "
        "| distilled minus paper's way | minutes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in about["encoders"]:
        models = " | ".join(f"{row['models'][name][0]:.3f}" for name in RECIPES)
        lines.append(
            f"| {row['encoder']} | {row['parameters']:,} | {models} | {shown(row['distilled_minus_signal_only'], '+')} "
            f"| {shown(row['distilled_minus_paper'], '+')} | {row['seconds'] / 60:.0f} |"
        )
    if about["left_out"]:
        lines += ["", f"Not made: {', '.join(about['left_out'])}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="training/configs/default.yaml")
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--encoders", nargs="+", choices=list(ENCODERS), default=list(ENCODERS), help="of the table")
    parser.add_argument("--only", choices=list(ENCODERS), help="one encoder's networks, and no table")
    parser.add_argument("--work", type=Path, default=Path("runs/encoder_curves"))
    arguments = parser.parse_args()
    for encoder in [arguments.only] if arguments.only else arguments.encoders:
        curve(config_of(encoder, arguments))
    if arguments.only:
        return
    about = {
        "patients": arguments.patients,
        "steps": arguments.steps,
        "batch": load_config(arguments.run).batch,
        "seed": SEED,
        "left_out": [encoder for encoder in ENCODERS if encoder not in arguments.encoders],
        "encoders": [measured(encoder, arguments) for encoder in arguments.encoders],
    }
    (HERE / "encoder_curves.json").write_text(json.dumps(about, indent=1) + "\n")
    (HERE / "encoder_curves.md").write_text(markdown(about))
    print(markdown(about))


if __name__ == "__main__":
    main()
