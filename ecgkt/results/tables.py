"""A table as plain data. Pages write it as HTML (`ecgkt.ui.widgets.html`), the model card as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """header: one title a column; rows: as many cells each. numbers: columns of plain numbers, right-aligned; marked:
    rows that stand out."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    numbers: Sequence[int] = ()
    marked: Sequence[int] = ()
