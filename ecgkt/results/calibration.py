"""Do the probabilities mean what they say? Calibration errors and the bins of the reliability diagrams."""

from __future__ import annotations

from ecgkt.prediction import HEADS, TITLES, Head
from ecgkt.results import numbers
from ecgkt.results.intervals import KINDS, Kind
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from ecgkt.results.trust_metrics import Calibration

INTRODUCTION = (
    "Of all ECG-label pairs given a probability of 30%, three in ten should be positive. Probabilities are calibrated "
    "by Platt scaling on validation patients, findings on real ECGs wherever those carry the label."
)
CAPTION = (
    "Expected calibration error (95% confidence interval over patients). Most probabilities are small, so errors "
    "pooled over all labels are too; the mean over labels is stricter."
)


def kinds(metrics: Metrics, head: Head) -> list[Kind]:
    """The kinds of test ECGs that the head was measured on."""
    return [kind for kind in KINDS if kind in metrics.calibration.get(head, {})]


def sentence(figures: Calibration) -> str:
    return f"Expected calibration error {numbers.interval(figures.ece)} over {figures.pairs:,} ECG-label pairs"


def summary(metrics: Metrics) -> Table:
    """The debiased errors on test ECGs of every head, a row a head and kind."""
    rows = [
        [
            f"{TITLES[head][0]}, {kind}",
            numbers.count(figures.pairs),
            numbers.interval(figures.ece_debiased),
            numbers.interval(figures.classwise_debiased),
            numbers.signed_interval(figures.in_the_large),
        ]
        for head in HEADS
        for kind, figures in ((kind, metrics.calibration[head][kind]) for kind in kinds(metrics, head))
    ]
    header = ("Test ECGs", "ECG-label pairs", "ECE", "Mean over labels", "Observed minus predicted")
    return Table(header, rows, f"{CAPTION} ECE: ten bins of equal width. Both are debiased.", numbers=(1,))


def errors(metrics: Metrics, head: Head) -> Table:
    """Every calibration error of a head, test and cross-fitted validation side by side."""
    columns: list[Calibration] = []
    titles = []
    for kind in kinds(metrics, head):
        test = metrics.calibration[head][kind]
        for split, figures in (("test", test), ("validation", test.validation)):
            if figures:
                columns.append(figures)
                titles.append(f"{kind}, {split}")
    rows = [
        ["Ten bins of equal width", *(numbers.interval(c.ece) for c in columns)],
        ["the same, debiased", *(numbers.interval(c.ece_debiased) for c in columns)],
        ["Ten bins of equal mass", *(numbers.interval(c.ece_equal_mass) for c in columns)],
        ["Mean over labels", *(numbers.interval(c.classwise) for c in columns)],
        ["the same, debiased", *(numbers.interval(c.classwise_debiased) for c in columns)],
        ["Observed minus predicted", *(numbers.signed_interval(c.in_the_large) for c in columns)],
        ["ECG-label pairs", *(numbers.count(c.pairs) for c in columns)],
        ["Labels in the mean over labels", *(numbers.count(c.classwise_labels) for c in columns)],
    ]
    cross_fitted = "Validation figures are cross-fitted: each patient is judged by a calibration fitted on the others."
    return Table((TITLES[head][0], *titles), rows, f"{CAPTION} {cross_fitted}")


def bins(metrics: Metrics, head: Head, kind: Kind) -> Table:
    """The reliability diagram as a table."""
    rows = [
        (
            numbers.percent(row.predicted, 1),
            f"{numbers.percent(row.observed, 1)} ({numbers.percent(row.low, 1)} to {numbers.percent(row.high, 1)})",
            numbers.count(row.pairs),
        )
        for row in metrics.calibration[head][kind].bins
    ]
    header = ("Predicted", "Observed (95% confidence interval)", "Pairs")
    return Table(header, rows, f"{TITLES[head][0]}, {kind} test ECGs", numbers=(2,))
