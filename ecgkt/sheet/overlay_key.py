"""The key of the relevance on the sheet: what each color, width and side means. It stays in its corner on zooming."""

from __future__ import annotations

from ecgkt.prediction import Attribution
from ecgkt.relevance.classes import Overlay, colors
from ecgkt.relevance.summary import rhythm_share
from ecgkt.sheet.colors import paper_colors
from ecgkt.sheet.layout import Paper
from ecgkt.sheet.overlay import DASH, WIDTHS
from ecgkt.sheet.plotly_types import Part

# From the key to the right and the lower edge, a swatch's width, and half the height of a swatch.
EDGE_MM, FOOT_MM, SWATCH_MM, HALF_MM = 3.0, 1.4, 9.0, 1.5


def key(paper: Paper, attribution: Attribution, overlay: Overlay) -> dict[str, list[Part]]:
    """Plotly `shapes` and `annotations` in the lower right corner, the rhythm in words: no lead can show it."""
    (left, right), (low, high) = paper.x_range, paper.y_range
    by_class = colors(attribution.signed, paper.dark)
    order = sorted(by_class)
    begin, middle = right - EDGE_MM - len(order) * SWATCH_MM, low + FOOT_MM + HALF_MM

    def at(x0: float, y0: float, x1: float, y1: float) -> Part:
        across, up = [(x - left) / (right - left) for x in (x0, x1)], [(y - low) / (high - low) for y in (y0, y1)]
        return {
            "name": "key", "xref": "paper", "yref": "paper", "layer": "above",
            "x0": across[0], "x1": across[1], "y0": up[0], "y1": up[1],
        }  # fmt: skip

    shapes = []
    for place, k in enumerate(order):
        x0, x1 = begin + place * SWATCH_MM, begin + (place + 1) * SWATCH_MM
        fill = {"type": "rect", "fillcolor": by_class[k], "line": {"width": 0}}
        if overlay.way == "line":
            stroke = {"color": by_class[k], "width": WIDTHS[abs(k)], "dash": DASH if k < 0 else "solid"}
            shapes.append({"type": "line", "line": stroke, **at(x0, middle, x1, middle)})
        elif overlay.way == "band":
            reach = (-HALF_MM, HALF_MM) if not attribution.signed else (min(k, 0) and -HALF_MM, max(k, 0) and HALF_MM)
            shapes.append({**fill, **at(x0, middle + reach[0], x1, middle + reach[1])})
        else:
            fill["fillcolor"] = by_class[4 if k > 0 else -4]
            gap = SWATCH_MM / 8
            shapes.append({**fill, **at(x0 + gap, middle, x1 - gap, middle + HALF_MM * k / 4)})
    if overlay.way != "line":
        line = {"color": paper_colors(paper).quiet, "width": 0.75}
        shapes.append({"type": "line", "line": line, **at(begin, middle, right - EDGE_MM, middle)})

    def note(text: str, x: float, anchor: str) -> Part:
        place = at(x, middle + HALF_MM, x, middle + HALF_MM)
        return {
            "name": "key", "text": text, "x": place["x0"], "y": place["y0"], "xref": "paper", "yref": "paper",
            "xanchor": anchor, "yanchor": "bottom", "showarrow": False, "borderpad": 0,
            "font": {"size": 11, "color": paper_colors(paper).quiet},
        }  # fmt: skip

    if attribution.signed:
        # Read as one line, and short enough for a sheet of half a window.
        words = [note("lowers", begin, "left"), note("raises the score", right - EDGE_MM, "right")]
    else:
        words = [note("contributes to the score", right - EDGE_MM, "right")]
    rhythm = rhythm_share(attribution)
    if round(100 * rhythm.total):
        # Short, or it runs into the scale on a narrow sheet; the page says it in full.
        sign = "" if not rhythm.net else "+" if rhythm.net > 0 else "\N{MINUS SIGN}"
        words.append(note(f"RR {sign}{100 * rhythm.total:.0f}%", begin - EDGE_MM, "right"))
    return {"shapes": shapes, "annotations": words}
