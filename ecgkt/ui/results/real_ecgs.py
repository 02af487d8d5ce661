"""What can be said of real ECGs: findings; labs by proxy only, since no real ECG here has a lab beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ecgkt import vocabulary
from ecgkt.results.label_curve import interval, number
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette

if TYPE_CHECKING:
    from ecgkt.model.model import Model

LISTS = {"superclasses": "Diagnostic superclasses", "statements": "Statements"}
COLUMNS = 3  # charts side by side
UNIT = "mmol/L"  # of every dose


def findings(metrics: dict[str, Any]) -> None:
    """Macro AUROC over two fixed lists of findings, and each of them."""
    figures = metrics.get("real_findings")
    if not figures:
        return
    st.subheader("Findings on real ECGs kept aside")
    rows, each = [], []
    for key, title in LISTS.items():
        part = figures[key]
        labels = part["labels"]
        few = f"fewer than five positives: {', '.join(part['few'])}" if part["few"] else ""
        missing = f"without a positive and left out: {', '.join(part['missing'])}" if part["missing"] else ""
        note = "; ".join(filter(None, (few, missing)))
        rows.append((title, str(len(labels)), number(interval(part["auroc"])), note))
        each += [(code, str(one["positives"]), number(interval(one["auroc"]))) for code, one in labels.items()]
    caption = f"Macro AUROC over a fixed list (95% interval), {figures['ecgs']:,} real test ECGs"
    html.table(("List", "Labels", "Macro AUROC", ""), rows, caption, numbers=(1,))
    with st.expander("Each of them"):
        html.table(("Label", "Positives", "AUROC"), each, numbers=(1,))


def labs(model: Model) -> None:
    """Proxies, dose and response, and the domain probe; nothing where the bundle has none of them."""
    proxies, doses, probes = (model.metrics.get(key) for key in ("lab_proxies", "dose_response", "domain_probe"))
    if not (proxies or doses or probes):
        return
    st.header("Labs on real ECGs, by proxy", anchor="labs")
    said = "These are indirect signs only."
    if all(label.learned_from == "simulated" for label in model.labels["labs"]):
        said = (
            "Labs were learned from simulated patients, and no real ECG here has a laboratory value beside it, so "
            f"nothing measures how well they are predicted on real ones. {said}"
        )
    html.text(said, "lead-in")
    if proxies:
        _proxies(proxies, {label.code: label.name for labels in model.labels.values() for label in labels})
    if doses:
        _doses(doses, {label.code: label.threshold for label in model.labels["labs"]})
    if probes:
        rows = [(_name(key), number(interval(one["auroc"])), f"{one['chance']:g}", str(one["what"]))
                for key, one in probes.items()]  # fmt: skip
        st.subheader("Does it see that an ECG is simulated?")
        taken_out = model.card.get("stages", {}).get("knowledge_transfer", {}).get("source_taken_out_on")
        if taken_out:
            html.text(
                f"What tells the two apart was taken out of the lab scores, as far as one line can tell them apart, on "
                f"{taken_out:,} normal ECGs of training. These are others."
            )
        html.table(("Looked at", "AUROC", "Chance", "What was done"), rows)


def _proxies(proxies: dict[str, Any], known: dict[str, str]) -> None:
    st.subheader("Scores against statements that go with them")
    values = [interval(one["auroc"]) for one in proxies.values()]
    names = [_proxy_name(key, known) for key in proxies]
    alt = f"AUROC with 95% intervals of {len(names)} proxies; the table below has the same numbers."
    charts.show(charts.forest(names, [("real ECGs", values)], "AUROC (chance is 0.5)"), "lab-proxies", alt)
    rows = [
        (name, str(one["what"]), f"{one['positives']:,}", f"{one['against']:,}", number(value))
        for name, one, value in zip(names, proxies.values(), values, strict=True)
    ]
    html.table(("Score", "What it is held against", "With", "Without", "AUROC"), rows, numbers=(2, 3))


def _doses(doses: dict[str, Any], thresholds: dict[str, float]) -> None:
    st.subheader("Dose and response on real ECGs")
    html.text(
        "Real ECGs whose waves were changed as the lab would change them, by published slopes: the predicted "
        "probability should follow. Median and middle half of these ECGs."
    )
    columns = st.columns(COLUMNS, gap="large")
    for place, (key, dose) in enumerate(doses.items()):
        with columns[place % COLUMNS]:
            html.text(_name(key))
            first, last = dose["probability"][0], dose["probability"][-1]
            alt = (
                f"Predicted probability of {_name(key)} from {dose['values'][0]:g} to {dose['values'][-1]:g}: "
                f"{html.percent(first, 1)} to {html.percent(last, 1)}. The table below has the same numbers."
            )
            threshold = thresholds.get(f"{key}_high")
            if threshold is not None:
                alt += f" Its threshold is {html.percent(threshold, 1)}."
            charts.show(_dose_figure(key, dose, threshold), f"dose-{key}", alt)
    with st.expander("Dose and response as a table"):
        for key, dose in doses.items():
            steps = zip(dose["values"], dose["probability"], dose["low"], dose["high"], strict=True)
            rows = [
                (f"{v:g}", f"{html.percent(m, 1)} ({html.percent(a, 1)} to {html.percent(b, 1)})")
                for v, m, a, b in steps
            ]
            html.table((f"{_name(key)}, {UNIT}", "Predicted probability"), rows)


def _dose_figure(key: str, dose: dict[str, Any], threshold: float | None) -> dict[str, Any]:
    p = palette()
    x, color = dose["values"], p.models[0]
    band = {
        "type": "scatter", "mode": "lines", "x": [*x, *x[::-1]], "y": [*dose["high"], *dose["low"][::-1]],
        "fill": "toself", "fillcolor": p.wash, "line": {"width": 0}, "hoverinfo": "skip",
    }  # fmt: skip
    middle = {
        "type": "scatter", "mode": "lines+markers", "x": x, "y": dose["probability"],
        "line": {"color": color, "width": 1.6}, "marker": {"color": color, "size": 6},
        "hovertemplate": "%{x:g}: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    y = charts.axis(p, "Predicted probability", tickformat=".0%", rangemode="tozero", automargin=True)
    layout = charts.layout(p, 260, charts.axis(p, f"{_name(key)}, {UNIT}"), y, showlegend=False)
    layout["margin"]["t"] = 10
    if threshold is not None:
        layout["shapes"] = [charts.line(p, 0, threshold, 1, threshold, xref="paper")]
        layout["annotations"] = [{
            "x": 0, "xref": "paper", "y": threshold, "text": "threshold", "showarrow": False, "xanchor": "left",
            "yanchor": "bottom", "font": {"size": 12, "color": p.quiet},
        }]  # fmt: skip
    return {"data": [band, middle], "layout": layout}


def _name(key: str) -> str:
    """A lab's name for its key; any other key as words."""
    lab = vocabulary.labs().get(key)
    words = key.replace("_", " ")
    return lab.name if lab else words[:1].upper() + words[1:]


def _proxy_name(key: str, known: dict[str, str]) -> str:
    """ "potassium_high" or "potassium_high on EL", with the label's name for its code."""
    code, on, statement = key.partition(" on ")
    finding = vocabulary.findings().get(statement)
    return f"{known.get(code, _name(code))}{on}{finding.name if finding else statement}"
