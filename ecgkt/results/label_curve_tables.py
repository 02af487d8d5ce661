"""The label-efficiency curve as tables: models against labeled patients, what the models are, gain by group."""

from __future__ import annotations

from collections.abc import Collection

from ecgkt.results import label_curve, names, numbers
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table


def curve(metrics: Metrics, group: str = "", only: Collection[str] = ()) -> Table:
    """Macro AUROC of every model, or of those in `only`, and the gaps closed."""
    points = label_curve.points(metrics, group)
    listed, transfer, about = label_curve.models(points), label_curve.transfer_name(metrics), metrics.label_curve_about
    listed = [name for name in listed if not only or name in only]
    rows = [
        [
            names.title(name) + " (the transfer)" * (name == transfer),
            *_once([numbers.interval(point.models.get(name)) for point in points]),
        ]
        for name in listed
    ]
    for title, values in (
        ("Gap closed", [point.gap_closed for point in points]),
        ("Attainable gap closed", [point.attainable_gap_closed for point in points]),
    ):
        if any(values):
            rows.append([title, *map(numbers.percent_interval, values)])
    caption = "Macro AUROC over diagnoses, test patients (95% confidence interval)."
    if about:
        caption += f" {about.seeds} seeds, each with its own draw of labeled patients. {about.note}"
    marked = [listed.index(transfer)] if transfer in listed else []
    header = ("Labeled patients", *(f"{point.patients:,}" for point in points))
    return Table(header, rows, caption.strip(), marked=marked)


def _once(cells: list[str]) -> list[str]:
    """Of what does not hang on the number of labeled patients (the oracle) the figure once."""
    if len(cells) > 1 and len(set(cells)) == 1:
        return [cells[0], *["the same"] * (len(cells) - 1)]
    return cells


def models(metrics: Metrics) -> Table:
    """What each model of the curve is."""
    described = metrics.label_curve_about.models if metrics.label_curve_about else {}
    listed = [name for name in label_curve.models(label_curve.points(metrics)) if name in described]
    return Table(("Model", "What it is"), [(names.title(name), described[name]) for name in listed])


def gain_title(metrics: Metrics) -> str:
    shares = label_curve.gains_are_shares(metrics)
    return "Share of the gap closed" if shares else "Macro AUROC, transfer minus signal-only"


def gains(metrics: Metrics, controls: Collection[str] = ()) -> Table:
    """The gain in each group of diagnoses at a tenth of the labels; controls: groups that are no results, so marked."""
    write = numbers.percent_interval if label_curve.gains_are_shares(metrics) else numbers.signed_interval
    rows = [(marked(group, controls), write(gain)) for group, gain in label_curve.gains(metrics).items()]
    return Table(("Group of diagnoses", gain_title(metrics)), rows)


def marked(group: str, controls: Collection[str]) -> str:
    return f"{group} (negative controls)" if group in controls else group
