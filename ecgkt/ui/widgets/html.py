"""Small tables and bars as HTML: real text for screen readers and for copying, aligned numbers, no widget each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import streamlit as st

from ecgkt.results.sections import Section
from ecgkt.results.tables import Table

FEW = 4  # columns of given widths that a phone can show beside each other
# Behind the label of a button, in Markdown: for screen readers only (style.css), since a button has no pressed state.
CHOSEN = " `shown on the tracing`"
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~$:&@-])")  # of Markdown


def bar(share: float, threshold: float | None = None) -> str:
    """A bar of `share` of the full width, with a mark at `threshold`. Decoration: the number must stand beside it."""
    above = ' class="above"' if threshold is None or share >= threshold else ""
    mark = "" if threshold is None else f'<u style="left:calc({100 * threshold:.1f}% - 1px)"></u>'
    width = 100 * min(max(share, 0), 1)
    return f'<span class="bar" aria-hidden="true"><i{above} style="width:{width:.1f}%"></i>{mark}</span>'


def signed_bar(lowers: float, raises: float) -> str:
    """Two bars from the middle, `lowers` to the left and `raises` to the right, each a share of its half. Decoration,
    like `bar`."""
    left, right = (50 * min(max(share, 0), 1) for share in (lowers, raises))
    return (
        '<span class="bar signed" aria-hidden="true">'
        f'<i class="lowers" style="left:{50 - left:.1f}%;width:{left:.1f}%"></i>'
        f'<i class="raises" style="left:50%;width:{right:.1f}%"></i><u style="left:calc(50% - 0.5px)"></u></span>'
    )


class Raw(str):
    """HTML made here (a bar), not to be escaped."""


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str = "",
    numbers: Sequence[int] = (),
    marked: Sequence[int] = (),
    widths: Sequence[int] = (),
) -> None:
    """A table. Cells are escaped unless `Raw`; columns in `numbers` are right-aligned, rows in `marked` stand out.

    widths: per cent of each column, so that the columns of several tables stand under each other.
    """
    side = [' class="num"' if i in numbers else "" for i in range(len(header))]
    head = "".join(f'<th scope="col"{side[i]}>{escape(cell)}</th>' for i, cell in enumerate(header))
    body = ""
    for n, row in enumerate(rows):
        cells = "".join(
            f"<td{side[i]}>{cell if isinstance(cell, Raw) else escape(str(cell))}</td>" for i, cell in enumerate(row)
        )
        body += f'<tr class="known">{cells}</tr>' if n in marked else f"<tr>{cells}</tr>"
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    if widths:
        title += "<colgroup>" + "".join(f'<col style="width:{width}%">' for width in widths) + "</colgroup>"
    kind = ("data fixed many" if len(widths) > FEW else "data fixed") if widths else "data"
    inner = f"{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    st.html(f'<div class="scroll"><table class="{kind}">{inner}</table></div>')


def literal(words: str) -> str:
    """A stranger's words for where Streamlit reads Markdown (headings, buttons, errors), to be shown as they are: a
    picture in them would be fetched from its host."""
    return _SPECIAL.sub(r"\\\1", words)


def show(made: Table) -> None:
    """A table of figures."""
    table(made.header, made.rows, made.caption, made.numbers, made.marked)


def section(begun: Section) -> None:
    """The heading of a section of figures, where links to it lead."""
    st.header(begun.title, anchor=begun.anchor)


def text(words: str, style: str = "quiet", role: str = "") -> None:
    """One paragraph in one of the styles of style.css; role: for screen readers, "status" for what is read out when it
    changes."""
    spoken = f' role="{role}"' if role else ""
    st.html(f'<div class="{style}"{spoken}>{escape(words)}</div>')


def warnings(sentences: Sequence[str]) -> None:
    """What makes a tracing doubtful, each sentence a line; nothing where nothing does."""
    if sentences:
        lines = "".join(f"<div>{escape(sentence)}</div>" for sentence in sentences)
        st.html(f'<div class="warnings" role="note" aria-label="Warnings about this tracing">{lines}</div>')
