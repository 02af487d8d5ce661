"""How many labeled patients a model needs: macro AUROC against their number, as a chart, a table and sentences."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgkt.results import label_curve
from ecgkt.results.label_curve import MULTIMODAL, ORACLE, SIGNAL, Point, interval, number, share, signed, title
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

ALL = "All diagnoses"
DODGE = 0.012  # of a decade, between the whiskers of two models


def section(metrics: dict[str, Any]) -> None:
    """Everything of the label-efficiency curve; nothing where the bundle has none."""
    if not label_curve.points(metrics):
        return
    st.header("How many labeled patients it takes")
    _curve(metrics)
    _by_group(metrics)


@st.fragment
def _curve(metrics: dict[str, Any]) -> None:
    groups = sorted(metrics.get("label_curve_groups", {}))
    chosen = st.selectbox("Diagnoses", [ALL, *groups], key="curve_group", width=420) if groups else ALL
    group = "" if chosen == ALL else str(chosen)
    curve = label_curve.points(metrics, group)
    for sentence in label_curve.sentences(metrics, group):
        html.text(sentence, "lead-in")
    names = label_curve.models(curve)
    first = [label_curve.transfer_name(metrics), *label_curve.BUDGETS, MULTIMODAL, label_curve.PAPER]
    drawn = [name for name in names if name != ORACLE and len(_measured(curve, name)) > 1]
    # As many as there are colors; the table has all.
    drawn = sorted(drawn, key=lambda name: name not in first)[: len(palette().models)]
    alt = (
        f"Macro AUROC with 95% intervals against the number of labeled patients, {chosen}: "
        f"{', '.join(map(title, drawn))}. The table below has the same numbers."
    )
    charts.show(_figure(curve, drawn, label_curve.transfer_name(metrics)), f"curve-{chosen}", alt)
    _table(metrics, curve, names)


def _measured(curve: list[Point], name: str) -> list[tuple[int, label_curve.Interval]]:
    pairs = [(point["patients"], interval(point.get(name))) for point in curve]
    return [(patients, value) for patients, value in pairs if value]


def _figure(curve: list[Point], names: list[str], transfer: str) -> dict[str, Any]:
    """Plotly figure: a line a model; the number of patients on a log scale, as it was chosen."""
    p = palette()
    fixed = [transfer, SIGNAL, MULTIMODAL]  # keep the colors that they have elsewhere
    others = [name for name in names if name not in fixed]
    data = []
    for k, name in enumerate(names):
        look = charts.series(p, fixed.index(name) if name in fixed else len(fixed) + others.index(name))
        there = _measured(curve, name)
        places = [patients * 10 ** (DODGE * (k - (len(names) - 1) / 2)) for patients, _ in there]
        trace = charts.whiskers(title(name), places, [value for _, value in there], look)
        data.append(trace | {"mode": "lines+markers", "line": {"color": look["color"], "width": 1.6}})
    ticks = [point["patients"] for point in curve]
    x = charts.axis(p, "Patients with labeled diagnoses (log scale)", type="log")
    x |= {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{value:,}" for value in ticks]}
    layout = charts.layout(p, 420, x, charts.axis(p, "Macro AUROC", automargin=True))
    oracles = [value for _, value in _measured(curve, ORACLE)]
    if oracles:  # one level: no number of labels takes an ECG beyond it
        level = oracles[-1][0]
        layout["shapes"] = [charts.line(p, 0, level, 1, level, xref="paper")]
        layout["annotations"] = [{
            "x": 0, "xref": "paper", "y": level, "text": title(ORACLE), "showarrow": False,
            "xanchor": "left", "yanchor": "bottom", "font": {"size": 12, "color": p.quiet},
        }]  # fmt: skip
    return {"data": data, "layout": layout}


def _table(metrics: dict[str, Any], curve: list[Point], names: list[str]) -> None:
    about = label_curve.about(metrics)
    what, transfer = about.get("models", {}), label_curve.transfer_name(metrics)
    rows = [
        [title(name) + " (the transfer)" * (name == transfer), *(number(interval(point.get(name))) for point in curve)]
        for name in names
    ]
    for key, words in (("gap_closed", "Gap closed"), ("attainable_gap_closed", "Attainable gap closed")):
        if any(interval(point.get(key)) for point in curve):
            rows.append([words, *(share(interval(point.get(key))) for point in curve)])
    seeds = f", {about['seeds']} seeds, each with its own draw of labeled patients" if about.get("seeds") else ""
    caption = f"Macro AUROC over diagnoses, test patients (95% interval){seeds}. {about.get('note', '')}"
    marked = [names.index(transfer)] if transfer in names else []
    html.table(("Labeled patients", *(f"{point['patients']:,}" for point in curve)), rows, caption, marked=marked)
    if what:
        with st.expander("What each of these models is"):
            html.table(("Model", ""), [(title(name), str(what[name])) for name in what])


def _by_group(metrics: dict[str, Any]) -> None:
    gains = label_curve.gains(metrics)
    if not gains:
        return
    st.subheader("Where it helps and where it costs")
    html.text(" ".join(label_curve.verdicts(metrics)), "lead-in")
    shares = label_curve.gains_are_shares(metrics)
    what = "Share of the gap closed" if shares else "Macro AUROC, transfer minus signal-only"
    figure = charts.forest(list(gains), [(what, list(gains.values()))], f"{what} (0: no difference)", 0.0)
    charts.show(figure, "curve-groups", f"{what} with 95% intervals for each group of diagnoses; table below.")
    with st.expander("The same as a table"):
        rows = [(group, share(gain) if shares else signed(gain)) for group, gain in gains.items()]
        html.table(("Group of diagnoses", what), rows)
