"""How true explanations are, on the Model page: the ways of explaining beside each other, and real findings."""

from __future__ import annotations

import streamlit as st

from ecgkt.results import explained, numbers, sections
from ecgkt.results.explained import Explained
from ecgkt.sheet.plotly_types import Figure
from ecgkt.ui.widgets import charts, html
from ecgkt.ui.widgets.theme import palette


def section(found: Explained | None) -> None:
    """Nothing for a bundle that was not measured."""
    if found is None:
        return
    html.section(sections.EXPLAINED)
    html.text(explained.in_words(found), "lead-in")
    figure, alt = _figure(found)
    charts.show(figure, "explained", alt)
    html.show(explained.real(found))
    with st.expander("Ways of explaining, as a table"):
        html.show(explained.methods(found))
    with st.expander("By wave and by kind of score"):
        html.show(explained.parts(found))


def _figure(found: Explained) -> tuple[Figure, str]:
    """(a bar a way of explaining with a line at the tracing's own size, what it shows in words)."""
    p = palette()
    order = sorted(found.methods, key=lambda name: found.methods[name].inside)
    values = [found.methods[name].inside for name in order]
    title = "Share of the relevance where the cause changed the tracing"
    bars = {
        "type": "bar", "orientation": "h", "y": list(range(len(order))), "x": values,
        "marker": {"color": [p.above if name == explained.PAGES else p.bar for name in order]},
        "text": [numbers.percent(value) for value in values], "textposition": "outside", "cliponaxis": False,
        "textfont": {"size": 12, "color": p.text}, "hoverinfo": "skip",
    }  # fmt: skip
    x = charts.axis(p, tickformat=".0%", range=[0, 1.18 * max(values)], tickangle=0, dtick=0.2)
    y = charts.axis(p, showgrid=False, automargin=True, range=[-0.6, len(order) - 0.4], tickmode="array")
    names = charts.names([explained.method_name(name) for name in order])
    y |= {"tickvals": list(range(len(order))), "ticktext": names}
    drawn = charts.layout(p, 66 + 30 * len(order), x, y, bargap=0.4, showlegend=False)
    size = found.methods[explained.SIZE].inside
    drawn["shapes"] = [charts.line(p, size, 0, size, 1, yref="paper")]
    line = charts.note(p, "the tracing's own size", 1) | {"x": size, "xref": "x", "xanchor": "center", "yref": "paper"}
    drawn["annotations"] = [charts.under(p, title), line]
    drawn["margin"]["t"] = 20
    own = numbers.percent(found.methods[explained.PAGES].inside)
    alt = f"{title}, for {len(order)} ways of explaining: {own} by what the pages show. A table below has all."
    return {"data": [bars], "layout": drawn}, alt
