"""Do the probabilities mean what they say? Reliability diagrams and calibration errors of the bundle."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results.label_curve import interval, number
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

KINDS = ("real", "simulated")
FEWEST = 10  # pairs in a bin that is drawn; the table has them all
ERRORS = {
    "ece": "Ten bins of equal width",
    "ece_debiased": "the same, debiased",
    "ece_equal_mass": "Ten bins of equal mass",
    "classwise": "Each label by itself, mean",
    "classwise_debiased": "the same, debiased",
    "in_the_large": "Observed minus predicted",
}


def section(metrics: dict[str, Any]) -> None:
    """Calibration of the model that ships; nothing where the bundle has no figures of it."""
    if metrics.get("calibration"):
        st.header("Do the probabilities mean what they say?", anchor="calibration")
        html.text(
            "Of the pairs of ECG and label given a probability of 30 %, three in ten should be positive. Probabilities "
            "are calibrated on validation patients, findings on real ECGs where those know the label. Validation "
            "figures come from calibrations fitted on other validation patients.",
            "lead-in",
        )
        _head(metrics["calibration"])


@st.fragment
def _head(calibration: dict[str, Any]) -> None:
    there = [head for head in HEADS if calibration.get(head)]
    head = st.segmented_control(
        "Calibration of", there, default=there[0], required=True, format_func=lambda h: TITLES[h][0], key="calibration"
    )
    by_kind = calibration[head or there[0]]
    kinds = [kind for kind in KINDS if by_kind.get(kind)]
    for kind, column in zip(kinds, st.columns(len(KINDS), gap="large"), strict=False):
        figures = by_kind[kind]
        error = number(interval(figures["ece"]))
        with column:
            st.subheader(f"{TITLES[head][0]}, {kind} test ECGs")
            html.text(f"Expected calibration error {error} over {figures['pairs']:,} pairs of ECG and label")
            alt = (
                f"Reliability diagram of {head} on {kind} test ECGs: observed against predicted share in ten bins; "
                f"expected calibration error {error}. The table below has the same numbers."
            )
            charts.show(_diagram(figures["bins"], KINDS.index(kind)), f"reliability-{head}-{kind}", alt)
    _errors(by_kind, kinds)
    with st.expander("The diagrams as tables"):
        for kind in kinds:
            rows = [
                [f"{100 * mean:.1f} %", f"{100 * seen:.1f} % ({100 * low:.1f} to {100 * high:.1f})", f"{pairs:,}"]
                for mean, seen, low, high, pairs in by_kind[kind]["bins"]
            ]
            html.table(("Predicted", "Observed (95% interval)", "Pairs"), rows, f"{kind} test ECGs", numbers=(2,))


def _diagram(bins: list[list[float]], number_of_kind: int) -> dict[str, Any]:
    p = palette()
    shown = [row for row in bins if row[4] >= FEWEST]
    look = charts.series(p, number_of_kind)
    trace = charts.whiskers("observed", [row[0] for row in shown], [(r[1], r[2], r[3]) for r in shown], look)
    trace |= {
        "customdata": [f"{row[4]:,}" for row in shown],
        "hovertemplate": "predicted %{x:.2f}, observed %{y:.2f}, %{customdata} pairs<extra></extra>",
    }
    x = charts.axis(p, "Predicted probability", range=[-0.02, 1.02], dtick=0.2)
    y = charts.axis(p, "Observed share", range=[-0.02, 1.02], dtick=0.2, automargin=True)
    layout = charts.layout(p, 380, x, y, shapes=[charts.line(p, 0, 0, 1, 1)], showlegend=False)
    layout["margin"]["t"] = 10
    return {"data": [trace], "layout": layout}


def _errors(by_kind: dict[str, Any], kinds: list[str]) -> None:
    """Every calibration error, test and cross-fitted validation side by side."""
    columns, names = [], []
    for kind in kinds:
        for split, figures in (("test", by_kind[kind]), ("validation", by_kind[kind].get("validation"))):
            if figures:
                columns.append(figures)
                names.append(f"{kind}, {split}")
    rows = [[title, *(number(interval(figures.get(key))) for figures in columns)] for key, title in ERRORS.items()]
    rows.append(["Pairs of ECG and label", *(f"{figures['pairs']:,}" for figures in columns)])
    rows.append(["Labels judged by themselves", *(str(figures.get("classwise_labels", "–")) for figures in columns)])
    caption = (
        "Expected calibration error (95% interval over patients). Most probabilities are small, so errors over all "
        "labels together are small too; the mean over labels is the stricter figure, and much of it is chance."
    )
    html.table(("", *names), rows, caption)
