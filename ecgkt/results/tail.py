"""The long tail: with all labels, what transfer gains by how rare a diagnosis is in training."""

from __future__ import annotations

from ecgkt.results import label_curve, names, numbers
from ecgkt.results.curve_metrics import TailPoint
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table

TITLE = "By how rare a diagnosis is"


def points(metrics: Metrics) -> list[TailPoint]:
    """Those with a gain, the rarest first."""
    return sorted((point for point in metrics.tail if point.gain), key=lambda point: point.positives[0])


def band(point: TailPoint) -> str:
    """ "20 to 49", "300 or more": positive ECGs in the training split."""
    low, high = point.positives
    return f"{low:,} or more" if high is None else f"{low:,} to {high - 1:,}"


def sentence(metrics: Metrics) -> str:
    """What transfer does to the rarest diagnoses, and to how many bands of the others; "" without figures."""
    listed = points(metrics)
    if not listed:
        return ""
    rarest, *others = listed
    assert rarest.gain is not None
    helps = "helps" if rarest.gain[1] > 0 else "hurts" if rarest.gain[2] < 0 else "is not shown to change"
    said = (
        f"With all labels, transfer {helps} the rarest diagnoses ({rarest.labels} with {band(rarest)} positive "
        f"training ECGs): {numbers.signed_interval(rarest.gain)} in macro AUROC"
    )
    if not others:
        return f"{said}."
    better = sum(point.gain is not None and point.gain[1] > 0 for point in others)
    worse = sum(point.gain is not None and point.gain[2] < 0 for point in others)
    return f"{said}. Of the {len(others)} bands with more, a gain is shown in {better}, a loss in {worse}."


def table(metrics: Metrics) -> Table:
    """A row a band of positive training ECGs."""
    rows = [
        [
            band(point),
            numbers.count(point.labels),
            numbers.interval(point.signal_only),
            numbers.interval(point.knowledge_transfer),
            numbers.signed_interval(point.gain),
        ]
        for point in points(metrics)
    ]
    caption = (
        "Macro AUROC over the diagnoses of each band, negative controls included, test patients (95% confidence "
        "interval): the label-efficiency curve's networks with all labels, against the better of signal-only's budgets."
    )
    transfer = names.title(label_curve.transfer_name(metrics))
    header = ("Positive training ECGs", "Diagnoses", "Signal only", transfer, "Difference")
    return Table(header, rows, caption, numbers=(1,))
