"""Is it as good for everybody? AUROC, calibration and refusals by age group and sex."""

from __future__ import annotations

from ecgkt.prediction import HEADS, TITLES, Head
from ecgkt.results import numbers
from ecgkt.results.intervals import KINDS, Kind
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from ecgkt.results.trust_metrics import Subgroup

REFUSED = (
    "Refused: test ECGs that fail the dashboard's quality check and get no answer (exact 95% interval), not counting "
    "what the preparation had already left out."
)


def kinds(metrics: Metrics, head: Head) -> list[Kind]:
    """The kinds of test ECGs that the head was measured on."""
    return [kind for kind in KINDS if metrics.subgroups.get(head, {}).get(kind)]


def title(row: Subgroup) -> str:
    return f"{row.by} {row.group}" if row.group == "not known" else row.group


def overview(metrics: Metrics) -> Table:
    """Macro AUROC of every head by group, a column a head and kind of test ECGs."""
    columns = [(head, kind) for head in HEADS for kind in kinds(metrics, head)]
    values = {(head, kind): {title(row): row.auroc for row in metrics.subgroups[head][kind]} for head, kind in columns}
    groups = list(dict.fromkeys(group for found in values.values() for group in found))
    measured = [group for group in groups if any(found.get(group) for found in values.values())]
    rows = [[group, *(numbers.interval(values[column].get(group)) for column in columns)] for group in measured]
    titles = (f"{TITLES[head][0]}, {kind}" for head, kind in columns)
    caption = (
        "Macro AUROC over the labels with enough positives in every group (95% confidence interval): compare within a "
        "column only."
    )
    return Table(("Group", *titles), rows, caption)


def table(metrics: Metrics, head: Head, kind: Kind) -> Table:
    """All groups of one head on one kind of test ECGs."""
    groups = metrics.subgroups[head][kind]
    refused = {(row.by, row.group): row.share for row in metrics.abstention.get(kind, [])}
    rows = [
        [
            title(row),
            numbers.count(row.patients),
            numbers.count(row.ecgs),
            numbers.count(row.positives),
            numbers.interval(row.auroc),
            numbers.interval(row.ece),
            numbers.signed_interval(row.in_the_large),
            numbers.percent_interval(refused.get((row.by, row.group))),
        ]
        for row in groups
    ]
    labels = {row.by: row.labels for row in groups}
    over = " and ".join(f"{count} by {by}" for by, count in labels.items())
    return Table(
        (
            "Group", "Patients", "ECGs", "Positives", "Macro AUROC", "Calibration error", "Observed minus predicted",
            "Refused",
        ),
        rows,
        f"{TITLES[head][0]}, {kind} test ECGs (95% confidence intervals). AUROC over the labels with enough positives "
        f"in every group: {over}. Calibration error is debiased.",
        numbers=(1, 2, 3),
    )  # fmt: skip


def left_out(metrics: Metrics) -> Table:
    """Records that the preparation could not use, by data set and reason."""
    rows = [
        (name, reason, numbers.count(count))
        for name, reasons in metrics.left_out_in_preparation.items()
        for reason, count in reasons.items()
    ]
    return Table(("Data set", "Reason", "Records"), rows, numbers=(2,))
