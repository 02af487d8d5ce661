"""Markdown for the model card and the README: tables, bullets, headings."""

from __future__ import annotations

from collections.abc import Iterable

from ecgkt.results.tables import Table


def table(made: Table) -> str:
    """A table, its caption below; "" without rows. Columns of plain numbers are right-aligned."""
    if not made.rows:
        return ""
    rule = ["--:" if column in made.numbers else "---" for column in range(len(made.header))]
    rows = [
        [f"**{cells[0]}**", *cells[1:]] if number in made.marked else [*cells] for number, cells in enumerate(made.rows)
    ]
    head, *body = (f"| {' | '.join(map(_cell, cells))} |" for cells in ([*made.header], *rows))
    lines = "\n".join([head, f"|{'|'.join(rule)}|", *body])
    return f"{lines}\n\n{made.caption}" if made.caption else lines


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def document(parts: Iterable[str]) -> str:
    """Paragraphs with an empty line between them; empty ones left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
