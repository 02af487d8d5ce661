"""How well each network of a bundle does on its test patients: macro AUROC by head, AUROC by label, the gap closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ecgkt import vocabulary
from ecgkt.prediction import HEADS, LEAST_AUROC, TITLES, Head, Label
from ecgkt.results import names, numbers
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table

KINDS: dict[Head, str] = {"findings": "finding", "diagnoses": "diagnosis", "labs": "lab"}  # of two labels of one name


def cohort(metrics: Metrics) -> str:
    """The test cohort in words, simulated and real patients told apart where the bundle does."""
    parts = []
    for kind in ("simulated", "real"):
        sets = [each for each in metrics.test_by_source.values() if each.simulated == (kind == "simulated")]
        if sets:
            of = f" of {len(sets)} sets" if len(sets) > 1 else ""
            patients, ecgs = (sum(getattr(each, key) for each in sets) for key in ("patients", "ecgs"))
            parts.append(f"{numbers.count(patients)} {kind} patients{of} ({numbers.count(ecgs)} ECGs)")
    whole = f"{numbers.count(metrics.test.patients)} patients ({numbers.count(metrics.test.ecgs)} ECGs)"
    return " and ".join(parts) or whole


def summary(metrics: Metrics) -> Table:
    """Macro AUROC of every network on every head."""
    rows = []
    for name in sorted(metrics.models, key=_place):
        title, sees = names.NETWORKS.get(name, (names.title(name), numbers.NONE))
        figures = (metrics.head(name, head) for head in HEADS)
        rows.append([title, sees, *(numbers.interval(found.macro_auroc if found else None) for found in figures)])
    titles = []
    for head in HEADS:
        transfer = metrics.head(names.TRANSFER, head)
        kind = transfer.measured_on if transfer else None
        titles.append(TITLES[head][0] + (f", {kind} test ECGs" if kind else ""))
    marked = [n for n, row in enumerate(rows) if row[0] == names.title(names.TRANSFER)]
    caption = (
        f"Macro AUROC (95% confidence interval, {metrics.bootstrap.resamples:,} resamples of patients). "
        f"Test set: {cohort(metrics)}."
    )
    return Table(("Model", "Input", *titles), rows, caption, marked=marked)


def _place(name: str) -> int:
    known = list(names.NETWORKS)
    return known.index(name) if name in known else len(known)


def gap_closed(metrics: Metrics) -> str:
    """How much of the distance from signal-only to multimodal the knowledge transfer makes up, and what that means."""
    value = metrics.gap_closed
    if value is None:
        return "Gap closed: not measured."
    seed = " (one seed)" if metrics.label_curve else ""
    if value[2] < 0:
        verdict = "Here transfer did worse than signal-only training."
    elif value[1] <= 0:
        verdict = "The interval includes zero, so no gain is shown."
    else:
        verdict = ""
    return (
        f"Gap between signal-only and multimodal closed by knowledge transfer on diagnoses{seed}: "
        f"{numbers.percent_interval(value)}. {verdict}"
    ).strip()


def differences(metrics: Metrics) -> str:
    """Paired differences in macro AUROC of diagnoses; "" where none was measured."""
    parts = [
        f"{numbers.signed_interval(value)} compared with {names.title(name).lower()}"
        for name, value in (
            (names.SIGNAL, metrics.transfer_minus_signal_only),
            ("signal_only_labs", metrics.transfer_minus_signal_only_labs),
        )
        if value is not None
    ]
    return f"Paired difference in macro AUROC on diagnoses: {'; '.join(parts)}." if parts else ""


def compared(metrics: Metrics) -> list[str]:
    """Of the networks compared label by label those that were tested: bundles from before the paper's way lack it."""
    return [name for name in names.COMPARED if name in metrics.models]


def measured_labels(metrics: Metrics, labels: Sequence[Label]) -> list[Label]:
    """The labels with an AUROC by any of the networks compared, the best first."""

    def best(label: Label) -> float:
        found = (value for value in aurocs(metrics, label) if value)
        return max((value[0] for value in found), default=-1.0)

    return sorted((label for label in labels if best(label) >= 0), key=best, reverse=True)


def aurocs(metrics: Metrics, label: Label) -> list[Interval | None]:
    """By the networks of `compared`."""
    return [metrics.auroc(name, label.head, label.code) for name in compared(metrics)]


def by_label(metrics: Metrics, labels: Sequence[Label]) -> Table:
    """AUROC of each of these labels by each network compared, and why a label is never shown as a result."""
    rows = [
        [
            label.name,
            label.silent or "yes",
            numbers.count(label.test_positives),
            label.measured_on or numbers.NONE,
            *map(numbers.interval, aurocs(metrics, label)),
        ]
        for label in labels
    ]
    titles = map(names.title, compared(metrics))
    header = ("Label", "Shown as a result", "Positives", "Test ECGs", *titles)
    return Table(header, rows, "AUROC with 95% confidence interval", numbers=(2,))


def silent(labels: Iterable[Label]) -> str:
    """How many labels are no results, and why; "" where all are."""
    left_out = [label for label in labels if label.silent]
    if not left_out:
        return ""
    told = sum(bool(vocabulary.not_offered(label.code)) for label in left_out if label.head == "diagnoses")
    return (
        f"{numbers.count(len(left_out))} labels are negative controls and never shown as a result: "
        f"{told} diagnoses that no tracing holds (complaints, injuries, social history) and {len(left_out) - told} "
        f"whose test AUROC's lower limit is below {LEAST_AUROC:.2f}."
    )


def told_apart(labels: Iterable[Label]) -> dict[str, str]:
    """Code -> name, with its head where several labels have that name."""
    every = list(labels)
    named = Counter(label.name for label in every)
    return {
        label.code: label.name if named[label.name] == 1 else f"{label.name} ({KINDS[label.head]})" for label in every
    }


def urgent(metrics: Metrics, labels: Iterable[Label]) -> Table:
    """How many of the urgent are found at 95% specificity, and at the thresholds in use; empty where not measured."""
    known = told_apart(labels)
    rows = [
        (known[one.code], one.kind, numbers.count(one.positives), numbers.percent_interval(one.sensitivity),
         numbers.percent_interval(one.found), numbers.percent_interval(one.spared))
        for one in metrics.urgent
        if one.code in known
    ]  # fmt: skip
    caption = "What is urgent, on test ECGs (95% confidence interval), labels with at least five positives."
    heads = ("Label", "Test ECGs", "Positives", "Sensitivity at 95% specificity", "Sensitivity at its threshold",
             "Specificity there")  # fmt: skip
    return Table(heads, rows, caption, numbers=(2,))
