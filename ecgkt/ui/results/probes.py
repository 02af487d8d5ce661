"""What can be read off the embeddings before and after knowledge transfer, on the Model page."""

from __future__ import annotations

import streamlit as st

from ecgkt.results import names, sections, simulated
from ecgkt.results.metrics import Metrics
from ecgkt.ui.widgets import charts, html

ORDER = (names.TRANSFER, names.SIGNAL)


def section(metrics: Metrics) -> None:
    """Nothing where the bundle has no probes."""
    if not sections.PROBES.measured(metrics):
        return
    html.section(sections.PROBES)
    html.text(simulated.gained(metrics.probes), "lead-in")
    html.text(simulated.PROBES_EXPLAINED)
    first = [probe for probe in metrics.probes if probe.kind != "lab"]
    labs = sorted(
        (probe for probe in metrics.probes if probe.kind == "lab"),
        key=lambda probe: -max((value[0] for value in probe.models.values()), default=0),
    )
    left, right = st.columns(2, gap="large")
    for place, key, listed, title in (
        (left, "probes-measured", first, "R² (sex: AUROC)"),
        (right, "probes-labs", labs, "R²"),
    ):
        rows = [simulated.probe_name(probe) for probe in listed]
        sets = [(names.title(name), [probe.models.get(name) for probe in listed]) for name in ORDER]
        with place:
            alt = f"{title} of {len(rows)} quantities for two networks; the table below has the same numbers."
            charts.show(charts.forest(rows, sets, title, reference=0.0), key, alt)
    with st.expander("The same as a table"):
        html.show(simulated.probes([*first, *labs]))
