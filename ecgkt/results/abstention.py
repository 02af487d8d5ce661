"""When does it not answer? Verdicts with a bounded share of errors, risk against coverage, ECGs unlike any seen."""

from __future__ import annotations

from ecgkt.prediction import HEADS, TITLES, Head
from ecgkt.results import numbers
from ecgkt.results.intervals import Kind
from ecgkt.results.metrics import Metrics
from ecgkt.results.tables import Table
from ecgkt.results.trust_metrics import Beyond, Conformal, Novelty, Order, RiskCoverage

ORDERS: dict[Order, str] = {"confidence": "least confident left out first", "novelty": "most unusual left out first"}
UNLIKE = (
    "An ECG is flagged beyond a first limit, which at most 1% of each source's validation ECGs may exceed; beyond a "
    "second, twice as far out as the farthest validation ECG, it gets no answer. The quality "
    "check, which runs first and rejects most input that is no ECG, is not included in these figures."
)


def promise(conformal: Conformal) -> str:
    """What a verdict promises, and to whom."""
    alpha = numbers.percent(conformal.alpha)
    return (
        f"Of patients who have a label, at most {alpha} are called absent; of those who do not, at most {alpha} are "
        "called present. This holds label by label, over patients exchangeable with the validation patients (one ECG "
        "each; real patients where enough have the label, simulated ones otherwise). It promises nothing for a single "
        "patient or another population. Labels with too few validation patients have no verdict."
    )


def verdicts(conformal: Conformal) -> Table:
    """How often the promise was kept on test patients, and how often there is a clear answer, head by head."""
    rows = []
    for head in (head for head in HEADS if head in conformal.heads):
        figures = conformal.heads[head]
        real = sum(entry.population == "real" for entry in figures.labels.values())
        mean = figures.mean
        shares = (mean.kept_present, mean.kept_absent, mean.says_present, mean.says_absent)
        rows.append(
            [
                TITLES[head][0],
                f"{real} real, {len(figures.labels) - real} simulated, {len(figures.without)} none",
                *map(numbers.percent_interval, shares),
            ]
        )
    return Table(
        (
            "", "Labels, by source of the limits", "Not called absent, with the label",
            "Not called present, without it", "Called present", "Called absent",
        ),
        rows,
        "Test patients, mean over labels (95% confidence intervals). Not called the opposite: "
        f"{numbers.percent(1 - conformal.alpha)} promised. All others are called uncertain.",
    )  # fmt: skip


def risk_curves(metrics: Metrics) -> list[tuple[Head, Kind]]:
    """The heads and kinds of test ECGs that risk against coverage was measured on."""
    return [(head, kind) for head in HEADS for kind in metrics.risk_coverage.get(head, {})]


def risk(figures: RiskCoverage) -> Table:
    """Brier score, and macro AUROC where measured, at each share of ECGs answered; the largest share first."""
    rows = []
    for n, coverage in enumerate(figures.coverage):
        cells = [numbers.percent(coverage)]
        for order in (figures.orders[name] for name in ORDERS):
            cells.append(numbers.interval(order.brier[n]))
            if order.auroc_labels:
                cells.append(numbers.decimal(order.auroc[n]))
        rows.append(cells)
    titles = []
    for name, words in ORDERS.items():
        titles.append(f"Brier score, {words}")
        if figures.orders[name].auroc_labels:
            titles.append(f"Macro AUROC, {figures.orders[name].auroc_labels} labels")
    areas = "; ".join(
        f"{words}: {numbers.interval(figures.orders[name].brier_area)}, "
        f"{numbers.signed_interval(figures.orders[name].brier_gain)} better than a random order"
        for name, words in ORDERS.items()
    )
    return Table(
        ("ECGs answered", *titles),
        rows[::-1],
        f"{figures.ecgs:,} ECGs. Area under the risk-coverage curve (95% confidence intervals), {areas}. A Brier score "
        "also falls where few labels are positive, hence the AUROC beside it, over labels with enough positives at "
        "every share, where there are any.",
    )


def novelty(figures: Novelty) -> Table:
    """Shares flagged and refused, of test ECGs and of signals that are no ECG."""
    rows = [
        [f"{name}, {'simulated' if entry.simulated else 'real'} test ECGs", "", *_shares(entry)]
        for name, entry in figures.test.items()
    ]
    rows += [
        [f"{entry.kind[0].upper()}{entry.kind[1:]}", "yes" if entry.seen else "no", *_shares(entry)]
        for entry in figures.junk
    ]
    return Table(("Signals", "Kind seen in fitting", "Count", "Flagged", "No answer"), rows, numbers=(2, 3, 4))


def _shares(entry: Beyond) -> list[str]:
    return [
        numbers.count(entry.ecgs), numbers.percent(entry.near - entry.far, 1), numbers.percent(entry.far, 1),
    ]  # fmt: skip
