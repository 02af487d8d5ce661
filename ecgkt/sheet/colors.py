"""Colors of the paper and of what is drawn on it, those of relevance aside (`ecgkt.relevance.classes`)."""

from __future__ import annotations

from dataclasses import dataclass

from ecgkt.sheet.layout import Paper


@dataclass(frozen=True)
class PaperColors:
    """Colors of one kind of paper. The grid is red on light paper only; on dark paper it would glare."""

    paper: str
    minor: str
    major: str
    trace: str
    quiet: str
    caliper: str


LIGHT = PaperColors("#fffdfc", "#f9e6e3", "#efc3bd", "#17191c", "#5b5f66", "#0b6470")
DARK = PaperColors("#12161b", "#1d232a", "#323b46", "#eef2f5", "#9aa4af", "#56b7c0")


def paper_colors(paper: Paper) -> PaperColors:
    return DARK if paper.dark else LIGHT
