"""Is it as good for everybody? AUROC, calibration and abstention by band of age and by sex."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgkt.prediction import HEADS, TITLES
from ecgkt.results.label_curve import interval, number, share
from ecgkt.ui.widgets import charts, html

KINDS = ("real", "simulated")


def section(metrics: dict[str, Any]) -> None:
    """Figures by age and sex; nothing where the bundle has none."""
    if metrics.get("subgroups"):
        st.header("Is it as good for everybody?", anchor="subgroups")
        _head(metrics["subgroups"], metrics.get("abstention", {}))
        _left_out(metrics)


@st.fragment
def _head(subgroups: dict[str, Any], abstention: dict[str, Any]) -> None:
    there = [head for head in HEADS if subgroups.get(head)]
    head = st.segmented_control(
        "Groups for", there, default=there[0], required=True, format_func=lambda h: TITLES[h][0], key="subgroups_head"
    )
    by_kind = subgroups[head or there[0]]
    kinds = [kind for kind in KINDS if by_kind.get(kind)]
    names = list(dict.fromkeys((row["by"], row["group"]) for kind in kinds for row in by_kind[kind]))
    sets = []
    for kind in kinds:
        values = {(row["by"], row["group"]): interval(row["auroc"]) for row in by_kind[kind]}
        sets.append((f"{kind} test ECGs", [values.get(name) for name in names]))
    alt = f"Macro AUROC of {head} with 95% intervals by age and sex; the table below has the same numbers."
    charts.show(charts.forest([_title(*n) for n in names], sets, "Macro AUROC"), f"subgroups-{head}", alt)
    for kind in kinds:
        refused = {(row["by"], row["group"]): row for row in abstention.get(kind, [])}
        rows = [_row(row, refused.get((row["by"], row["group"]))) for row in by_kind[kind]]
        labels = {row["by"]: row["labels"] for row in by_kind[kind]}
        over = " and ".join(f"{count} by {by}" for by, count in labels.items())
        html.table(
            (
                "Group",
                "Patients",
                "ECGs",
                "Positives",
                "Macro AUROC",
                "Calibration error",
                "Observed − predicted",
                "Refused",
            ),
            rows,
            f"{TITLES[head][0]}, {kind} test ECGs (95% intervals). AUROC over the labels that every group has enough "
            f"of: {over}. Calibration error debiased.",
            numbers=(1, 2, 3),
        )


def _title(by: str, group: str) -> str:
    return f"{by} {group}" if group == "not known" else group


def _row(row: dict[str, Any], refused: dict[str, Any] | None) -> list[str]:
    return [
        _title(row["by"], row["group"]),
        f"{row['patients']:,}",
        f"{row['ecgs']:,}",
        f"{row['positives']:,}",
        number(interval(row["auroc"])),
        number(interval(row["ece"])),
        number(interval(row["in_the_large"])).replace("-", "−"),
        share(interval(refused["share"])) if refused else "–",
    ]


def _left_out(metrics: dict[str, Any]) -> None:
    html.text(
        "Refused: test ECGs of which the dashboard would say nothing, since the quality check does not pass them "
        "(exact interval); counted after the preparation left out what it could not use."
    )
    rows = [
        (name, reason, f"{count:,}")
        for name, reasons in metrics.get("left_out_in_preparation", {}).items()
        for reason, count in reasons.items()
    ]
    if rows:
        with st.expander("Left out in the preparation"):
            html.table(("Data set", "Reason", "Records"), rows, numbers=(2,))
