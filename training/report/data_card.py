"""data_card.md as it was written by training/cohort/data_card.py -> its parts, the flow of the selection among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ecgkt.results.tables import Table

NODE = re.compile(r'(\w+)\["(.*)"\]')
LEFT_OUT, STEP = re.compile(r"out(\d+)x\d+"), re.compile(r"step(\d+)")


@dataclass(frozen=True)
class Heading:
    level: int
    words: str


@dataclass(frozen=True)
class Paragraph:
    words: str


@dataclass(frozen=True)
class Step:
    """What is left, and what was left out on the way to it."""

    words: str
    left_out: list[str]


@dataclass(frozen=True)
class Flow:
    """steps: from all that there was to all that is used; splits: what that is divided into."""

    steps: list[Step]
    splits: list[str]


Part = Heading | Paragraph | Table | Flow


def read_data_card(text: str) -> list[Part]:
    """The parts in their order."""
    return list(_parts(iter(text.splitlines())))


def _parts(lines: Iterator[str]) -> Iterator[Part]:
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if rows:
            yield _table(rows)
            rows = []
        if line.startswith("```"):
            yield _flow(lines)
        elif line.startswith("#"):
            marks, _, words = line.partition(" ")
            yield Heading(len(marks), words)
        elif line.strip():
            yield Paragraph(line.replace("`", ""))
    if rows:
        yield _table(rows)


def _table(rows: list[list[str]]) -> Table:
    """The second row is the rule below the header."""
    return Table(rows[0], rows[2:])


def _flow(lines: Iterator[str]) -> Flow:
    """Reads on to the end of the block."""
    steps: dict[int, Step] = {}
    left_out: dict[int, list[str]] = {}
    splits: list[str] = []
    for line in lines:
        if line.startswith("```"):
            break
        node = NODE.search(line)
        if node is None:
            continue
        name, words = node.groups()
        if step := STEP.fullmatch(name):
            steps[int(step[1])] = Step(words, left_out.setdefault(int(step[1]), []))
        elif out := LEFT_OUT.fullmatch(name):
            left_out.setdefault(int(out[1]), []).append(words)
        else:
            splits.append(words)
    return Flow([steps[number] for number in sorted(steps)], splits)
