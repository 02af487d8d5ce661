"""When does it not answer? Verdicts with a bounded share of errors, risk against coverage, tracings unlike any seen."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results.label_curve import interval, number, share
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

ORDERS = {"confidence": "least sure left out first", "novelty": "most unlike left out first"}


def section(metrics: dict[str, Any]) -> None:
    """What is measured of verdicts and abstention; nothing where the bundle has no figures of it."""
    if not metrics.get("conformal"):
        return
    st.header("When does it not answer?", anchor="abstention")
    _verdicts(metrics["conformal"])
    _risk(metrics.get("risk_coverage", {}))
    if metrics.get("novelty"):
        _novelty(metrics["novelty"])


def _verdicts(conformal: dict[str, Any]) -> None:
    alpha = f"{100 * conformal['alpha']:.0f} %"
    st.subheader("Present, absent or uncertain")
    html.text(
        f"Of patients who have a label, at most {alpha} are called absent, of those who have not at most {alpha} "
        "present: for each label by itself, over patients exchangeable with the validation patients (one ECG each, "
        "real ones where enough of them have the label, simulated ones otherwise). It is no promise for one patient, "
        "nor for patients of another kind. Labels with too few validation patients have no verdict.",
        "lead-in",
    )
    rows = []
    for head in (head for head in HEADS if conformal["heads"].get(head)):
        figures = conformal["heads"][head]
        mean = figures["mean"]
        by_population = [entry["population"] for entry in figures["labels"].values()]
        real = by_population.count("real")
        rows.append(
            [
                TITLES[head][0],
                f"{real} real, {len(by_population) - real} simulated, {len(figures['without'])} none",
                *(share(interval(mean.get(key))) for key in ("kept_present", "kept_absent")),
                *(share(interval(mean.get(key))) for key in ("says_present", "says_absent")),
            ]
        )
    html.table(
        ("", "Labels, by who set the limits", "Kept: have it", "Kept: have not", "Called present", "Called absent"),
        rows,
        "Test patients, mean over labels (95% intervals). Kept: not called the opposite; promised 90 %. The rest "
        "of the patients are uncertain.",
    )


@st.fragment
def _risk(risk: dict[str, Any]) -> None:
    there = {f"{TITLES[head][0]}, {kind} test ECGs": (head, kind) for head in HEADS for kind in risk.get(head, {})}
    if not there:
        return
    st.subheader("Answering fewer ECGs")
    first = next(iter(there))
    chosen = st.segmented_control("Risk of", list(there), default=first, required=True, key="risk_of")
    head, kind = there[chosen or first]
    figures = risk[head][kind]
    alt = (
        f"Brier score of {head} on {kind} test ECGs against the share of ECGs answered, for two orders of leaving out; "
        "the table below has the same numbers."
    )
    charts.show(_chart(figures), f"risk-{head}-{kind}", alt)
    rows = []
    for n, coverage in enumerate(figures["coverage"]):
        cells = [f"{100 * coverage:.0f} %"]
        for order in (figures["orders"][name] for name in ORDERS):
            cells.append(number(interval(order["brier"][n])))
            if order["auroc_labels"]:
                auroc = order["auroc"][n]
                cells.append("–" if auroc is None else f"{auroc:.3f}")
        rows.append(cells)
    areas = "; ".join(
        f"{words}: area {number(interval(figures['orders'][name]['brier_area']))}, gain on no order "
        f"{number(interval(figures['orders'][name]['brier_gain'])).replace('-', '−')}"
        for name, words in ORDERS.items()
    )
    titles = []
    for name, words in ORDERS.items():
        titles.append(f"Brier score, {words}")
        labels = figures["orders"][name]["auroc_labels"]
        if labels:
            titles.append(f"Macro AUROC, {labels} labels")
    html.table(
        ("ECGs answered", *titles),
        rows[::-1],
        f"{figures['ecgs']:,} ECGs. {areas[0].upper()}{areas[1:]} (95% intervals). A Brier score falls too where few "
        "labels are positive, hence the AUROC beside it, over labels with enough cases at every share, where there are "
        "any.",
    )


def _chart(figures: dict[str, Any]) -> dict[str, Any]:
    p = palette()
    data = []
    for k, (name, words) in enumerate(ORDERS.items()):
        values = [(v[0], v[1], v[2]) for v in figures["orders"][name]["brier"]]
        # A little apart, so that whiskers do not lie on each other.
        places = [coverage + 0.006 * (2 * k - 1) for coverage in figures["coverage"]]
        trace = charts.whiskers(words, places, values, charts.series(p, k))
        data.append(trace | {"mode": "lines+markers", "line": {"color": charts.series(p, k)["color"], "width": 1.2}})
    overall = figures["orders"]["confidence"]["brier"][-1][0]
    x = charts.axis(p, "Share of ECGs answered", range=[0.05, 1.05], dtick=0.1, tickformat=".0%")
    y = charts.axis(p, "Brier score", rangemode="tozero", automargin=True)
    return {"data": data, "layout": charts.layout(p, 340, x, y, shapes=[charts.line(p, 0.1, overall, 1, overall)])}


def _novelty(novelty: dict[str, Any]) -> None:
    st.subheader("Unlike the ECGs it was trained on")
    html.text(
        "Beyond the first limit, which 1 % of a source's validation ECGs may pass, a tracing is flagged; beyond the "
        "second, twice as far from their middle as the farthest of them, there is no answer. Most junk is caught "
        "before by the quality check; here that check is left out."
    )
    rows = [
        [f"{name}, {'simulated' if entry['simulated'] else 'real'} test ECGs", "", *_shares(entry)]
        for name, entry in novelty["test"].items()
    ]
    rows += [
        [f"{entry['kind'][0].upper()}{entry['kind'][1:]}", "yes" if entry["seen"] else "no", *_shares(entry)]
        for entry in novelty["junk"]
    ]
    html.table(("Tracings", "Kind seen in fitting", "ECGs", "Flagged", "No answer"), rows, numbers=(2, 3, 4))


def _shares(entry: dict[str, Any]) -> list[str]:
    return [f"{entry['ecgs']:,}", html.percent(entry["near"] - entry["far"], 1), html.percent(entry["far"], 1)]
