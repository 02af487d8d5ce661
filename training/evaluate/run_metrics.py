"""The figures of a run, put together from what several stages left."""

from __future__ import annotations

import json
from pathlib import Path

from ecgkt.results.metrics import Metrics, read_metrics
from training.train import files


def read_run_metrics(folder: Path, name: str) -> Metrics:
    """The figures of `evaluate` in a run's folder, with those that other stages left: evaluation/parts/NAME.json
    becomes NAME, and curve/curve.json holds label_curve, label_curve_groups, label_curve_about and tail.

    name: of the run, for messages. Raises FileNotFoundError before `evaluate`, Damaged and RecordError (both
    ValueError).
    """
    metrics = files.read_json(folder / "evaluation" / "metrics.json")
    for part in sorted((folder / "evaluation" / "parts").glob("*.json")):
        metrics[part.stem] = files.read_json(part)
    curve_file = folder / "curve" / "curve.json"
    if curve_file.exists():
        metrics |= files.read_json(curve_file)
    return read_metrics(json.dumps(metrics).encode(), f"The figures of the run {name}")
