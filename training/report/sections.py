"""What a page tells of one run: its stages as curves and times, its data, its figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results import calibration, label_curve, names, numbers
from ecgkt.results.intervals import KINDS, Interval
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from training.recipes import RECIPES
from training.report.compare import flat
from training.report.drawing import Line, chart, intervals
from training.report.read import Run, Stage
from training.train.log import Entry
from training.train.loop import SHOWN

TERMS = {"watched": "Macro AUROC of diagnoses, validation"}


@dataclass(frozen=True)
class Curves:
    """charts: one a term of the loss, of every network of the stage; networks: names in the order of their colors."""

    title: str
    state: str
    charts: list[str]
    networks: list[str]


def facts(run: Run) -> Table:
    """What was run, in a few rows."""
    config = run.config
    recipe = str(config.get("transfer", ""))
    known = RECIPES.get(recipe)
    rows = [
        ("Knowledge transfer", f"{names.title(recipe)}: {known.what}" if known else recipe),
        ("Encoder", "; ".join(f"{key} {value}" for key, value in flat(config.get("encoder", {})).items())),
        ("Steps", f"{config.get('pretrain_steps')} of stage 1, {config.get('finetune_steps')} after it"),
        ("Batch", f"{config.get('batch')} ECGs, {config.get('members', 1)} networks side by side"),
        ("Seed", str(config.get("seed"))),
        ("Machine", _machine(run.stages)),
    ]
    return Table(("Fact", "Value"), [row for row in rows if row[1]] if config else [])


def _machine(stages: list[Stage]) -> str:
    found = [stage.record["machine"] for stage in stages if stage.record and "machine" in stage.record]
    said = dict.fromkeys(", ".join(f"{key} {value}" for key, value in machine.items()) for machine in found)
    return "; ".join(said)


def data_sets(run: Run) -> Table:
    rows = []
    for each in run.data:
        splits = [each.splits.get(name) for name in ("train", "validation", "test")]
        rows.append(
            (each.name, "simulated" if each.simulated else "real", numbers.count(each.patients),
             *(numbers.count(split.ecgs if split else None) for split in splits),
             each.license or "none stated", each.note or "", each.fingerprint[:12])
        )  # fmt: skip
    header = ("Data set", "Patients are", "Patients", "ECGs to train", "to validate", "to test", "License", "Note",
              "Fingerprint")  # fmt: skip
    return Table(header, rows, numbers=(2, 3, 4, 5))


def curves(stage: Stage) -> Curves | None:
    """The loss of a stage by its parts; from the logs, or from the record of a stage without any. None without both."""
    logs = stage.logs
    if logs:
        terms = list(dict.fromkeys(term for entries in logs.values() for entry in entries for term in _terms(entry)))
        lines = {
            term: [Line(name, [(e.step, _terms(e)[term]) for e in entries if term in _terms(e)])
                   for name, entries in logs.items()]
            for term in terms
        }  # fmt: skip
    else:
        loss: dict[str, list[float]] = dict((stage.record or {}).get("figures", {}).get("loss", {}))
        loss.pop("watched", None)  # of which the record does not say at which steps
        lines = {
            term: [Line("", [(SHOWN * (number + 1), value) for number, value in enumerate(values)])]
            for term, values in loss.items()
        }
    charts = [chart(TERMS.get(term, f"Loss, {term}"), drawn, "step") for term, drawn in lines.items()]
    charts = [drawn for drawn in charts if drawn]
    if not charts:
        return None
    return Curves(stage.title, stage.state, charts, [name for name in logs if name] if len(logs) > 1 else [])


def _terms(entry: Entry) -> dict[str, float | None]:
    return entry.loss | ({} if entry.watched is None else {"watched": entry.watched})


def times(run: Run) -> Table:
    """How long every stage took, where that went, and how quickly it learned."""
    rows = []
    for stage in run.stages:
        entries = [entry for entries in stage.logs.values() for entry in entries]
        record: dict[str, Any] = stage.record or {}
        whole, data, model = (sum(getattr(entry, key) for entry in entries) for key in ("seconds", "data_s", "model_s"))
        speeds = [entry.ecgs_per_s for entry in entries if entry.ecgs_per_s]
        rows.append(
            (stage.title, stage.state, numbers.count(record.get("parameters")),
             duration(whole) if entries else numbers.NONE,
             numbers.percent(data / whole) if whole else numbers.NONE,
             numbers.percent(model / whole) if whole else numbers.NONE,
             f"{statistics.median(speeds):,.0f}" if speeds else numbers.NONE,
             _gpu(entries),
             duration(record["seconds_this_run"]) if "seconds_this_run" in record else numbers.NONE)
        )  # fmt: skip
    header = ("Stage", "State", "Parameters", "By the clock", "of it data", "model", "ECG/s, median", "GPU",
              "Its last process")  # fmt: skip
    caption = (
        "By the clock, all networks of a stage added up, as the logs have it (what was lost with a kill is not "
        "counted); what is neither data's nor the model's went into looks at validation patients and checkpoints. Its "
        "last process: from its begin to the record, which may have found most of the work done."
    )
    return Table(header, rows, caption, numbers=(2, 3, 4, 5, 6))


def _gpu(entries: list[Entry]) -> str:
    """How busy it was, and the most memory."""
    used = [entry.gpu for entry in entries if entry.gpu]
    if not used:
        return "none" if entries else numbers.NONE
    busy = [gpu.busy for gpu in used if gpu.busy is not None]
    return f"{numbers.percent(statistics.mean(busy) if busy else None)}, {max(gpu.memory_gb for gpu in used):.1f} GB"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def macro_charts(metrics: Metrics, other: Metrics | None) -> list[str]:
    """Macro AUROC of every model, a chart a head; beside that of another run."""
    models = list(dict.fromkeys([*metrics.models, *(other.models if other else {})]))
    ordered = sorted(models, key=lambda name: list(names.NETWORKS).index(name) if name in names.NETWORKS else 99)
    found = []
    for head in HEADS:
        rows: list[tuple[str, Interval | None, Interval | None]] = []
        for name in ordered:
            both = [one.head(name, head) if one else None for one in (metrics, other)]
            values = [figures.macro_auroc if figures else None for figures in both]
            rows.append((names.title(name), values[0], values[1]))
        found.append(intervals(f"{TITLES[head][0]}, macro AUROC", rows))
    return [drawn for drawn in found if drawn]


def curve_chart(metrics: Metrics) -> tuple[str, list[str]]:
    """The label-efficiency curve of the foremost models, and their names in the order of their colors."""
    points = label_curve.points(metrics)
    shown = [name for name in label_curve.foremost(metrics) if any(point.models.get(name) for point in points)]
    lines = [
        Line(names.title(name), [(p.patients, value[0]) for p in points if (value := p.models.get(name))], dots=True)
        for name in shown
    ]
    return chart("Macro AUROC, diagnoses", lines, "labeled patients", log_x=True), [line.name for line in lines]


def reliability(metrics: Metrics) -> Iterator[str]:
    """A reliability diagram a head and kind of test ECGs."""
    for head in HEADS:
        for kind in (kind for kind in KINDS if kind in calibration.kinds(metrics, head)):
            bins = metrics.calibration[head][kind].bins
            drawn = Line("", [(row.predicted, row.observed) for row in bins], dots=True)
            yield chart(f"{TITLES[head][0]}, {kind} ECGs: observed", [drawn], "predicted", square=True)


def urgent(metrics: Metrics, labels: dict[str, str]) -> Table:
    rows = [
        (f"{labels.get(one.code, one.code)} ({one.code})", f"{one.kind} ECGs", numbers.count(one.positives),
         numbers.percent_interval(one.sensitivity), numbers.percent_interval(one.found),
         numbers.percent_interval(one.spared))
        for one in metrics.urgent
    ]  # fmt: skip
    header = ("Label", "Measured on", "Positives", "Sensitivity at 95% specificity", "Sensitivity at its threshold",
              "Specificity there")  # fmt: skip
    return Table(header, rows, "What is urgent, on test ECGs (95% confidence interval).", numbers=(2,))
