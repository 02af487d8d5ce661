"""The label-efficiency curve on the Compare page: macro AUROC against labeled patients, as a chart and tables."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ecgkt.prediction import Label
from ecgkt.results import label_curve, label_curve_tables, sections, tail
from ecgkt.results.curve_metrics import CurvePoint
from ecgkt.results.intervals import Interval
from ecgkt.results.metrics import Metrics
from ecgkt.results.names import MULTIMODAL, ORACLE, SIGNAL, title
from ecgkt.sheet.plotly_types import Figure
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

ALL = "All diagnoses"
DODGE = 0.012  # of a decade, between the whiskers of two models


def section(metrics: Metrics, diagnoses: Sequence[Label]) -> None:
    """Everything of the label-efficiency curve, nothing where the bundle has none; diagnoses: those of the model."""
    if sections.LABEL_CURVE.measured(metrics):
        html.section(sections.LABEL_CURVE)
        controls = label_curve.controls(diagnoses)
        _curve(metrics, controls)
        _by_group(metrics, controls)
        _tail(metrics)


@st.fragment
def _curve(metrics: Metrics, controls: frozenset[str]) -> None:
    groups = sorted(metrics.label_curve_groups)
    chosen = ALL
    if groups:
        chosen = st.selectbox(
            "Diagnoses",
            [ALL, *groups],
            key="curve_group",
            width=420,
            format_func=lambda group: label_curve_tables.marked(group, controls),
        )
    group = "" if chosen == ALL else str(chosen)
    curve, transfer = label_curve.points(metrics, group), label_curve.transfer_name(metrics)
    for sentence in label_curve.sentences(metrics, group) + label_curve.gaps_closed(metrics, group):
        html.text(sentence, "lead-in")
    first = label_curve.foremost(metrics)
    drawn = [name for name in label_curve.models(curve) if name != ORACLE and len(_measured(curve, name)) > 1]
    # As many as there are colors; the table has all.
    drawn = sorted(drawn, key=lambda name: name not in first)[: len(palette().models)]
    if drawn:  # at more than one number of patients
        alt = (
            f"Macro AUROC with 95% intervals against the number of labeled patients, {chosen}: "
            f"{', '.join(map(title, drawn))}. The table below has the same numbers."
        )
        charts.show(_figure(curve, drawn, transfer), f"curve-{chosen}", alt)
    html.show(label_curve_tables.curve(metrics, group))
    described = label_curve_tables.models(metrics)
    if described.rows:
        with st.expander("What each of these models is"):
            html.show(described)


def _measured(curve: list[CurvePoint], name: str) -> list[tuple[int, Interval]]:
    return [(point.patients, value) for point in curve if (value := point.models.get(name))]


def _figure(curve: list[CurvePoint], names: list[str], transfer: str) -> Figure:
    """Plotly figure: a line a model; the number of patients on a log scale, as it was chosen."""
    p = palette()
    fixed = [transfer, SIGNAL, MULTIMODAL, label_curve.PAPER]  # keep the colors that they have elsewhere
    others = [name for name in names if name not in fixed]
    data = []
    for k, name in enumerate(names):
        look = charts.series(p, fixed.index(name) if name in fixed else len(fixed) + others.index(name))
        there = _measured(curve, name)
        places = [patients * 10 ** (DODGE * (k - (len(names) - 1) / 2)) for patients, _ in there]
        trace = charts.whiskers(title(name), places, [value for _, value in there], look)
        data.append(trace | {"mode": "lines+markers", "line": {"color": look["color"], "width": 1.6}})
    ticks = [point.patients for point in curve]
    x = charts.axis(p, "Patients with labeled diagnoses (log scale)", type="log")
    x |= {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{value:,}" for value in ticks]}
    layout = charts.layout(p, 420, x, charts.axis(p, "Macro AUROC", automargin=True))
    oracles = [value for _, value in _measured(curve, ORACLE)]
    if oracles:  # one level: no number of labels takes an ECG beyond it
        level = oracles[-1][0]
        layout["shapes"] = [charts.line(p, 0, level, 1, level, xref="paper")]
        layout["annotations"] = [charts.note(p, title(ORACLE), level)]
    return {"data": data, "layout": layout}


def _by_group(metrics: Metrics, controls: frozenset[str]) -> None:
    gains = label_curve.gains(metrics, controls)
    if not gains:
        return
    st.subheader("Where transfer helps and where it hurts")
    html.text(" ".join(label_curve.verdicts(metrics, controls)), "lead-in")
    what = label_curve_tables.gain_title(metrics)
    figure = charts.forest(list(gains), [(what, list(gains.values()))], f"{what} (0: no difference)", 0.0)
    charts.show(figure, "curve-groups", f"{what} with 95% intervals for each group of diagnoses; table below.")
    with st.expander("The same as a table"):
        html.show(label_curve_tables.gains(metrics, controls))


def _tail(metrics: Metrics) -> None:
    """What transfer gains with all labels, by how rare a diagnosis is; nothing where that was not measured."""
    points = tail.points(metrics)
    if not points:
        return
    st.subheader(tail.TITLE)
    html.text(tail.sentence(metrics), "lead-in")
    what = "Macro AUROC, transfer minus signal-only"
    rows = [f"{tail.band(point)} positive ECGs" for point in points]
    figure = charts.forest(rows, [(what, [point.gain for point in points])], what, 0.0)
    charts.show(figure, "curve-tail", f"{what}, with 95% intervals by positive training ECGs; table below.")
    html.show(tail.table(metrics))
