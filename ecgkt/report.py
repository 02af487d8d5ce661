"""The statements in a machine's report, by the names and phrases of vocabulary/findings.csv, for filtering a list.

Training reads reports more finely (what is doubted or denied is unknown there); here it is simply not stated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from ecgkt import vocabulary

# One of these before a phrase, in the same clause, and the report does not state it.
DOUBT = re.compile(
    r"\b(possible|possibly|probable|probably|consider|cannot|can not|suggests?|suggesting|suspect(ed)?|questionable|"
    r"borderline|may be|might be|could be|rule out|otherwise|no|not|without|absence of|versus|vs|or)\b"
)


def statements(lines: Sequence[str]) -> tuple[str, ...]:
    """Codes that the lines state, in the order of the vocabulary. The longest phrase at a place counts."""
    pattern, codes = _phrases()
    found = set()
    for line in lines:
        for clause in re.split(r"[.;:,]|\s-+\s", line.lower()):
            text = _plain(clause)
            for match in pattern.finditer(text):
                if not DOUBT.search(text[: match.start()]):
                    found.add(codes[match.group()])
    return tuple(code for code in vocabulary.findings() if code in found)


def _plain(text: str) -> str:
    """Lower case, words only: "ST-T  changes" -> "st t changes"."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


@cache
def _phrases() -> tuple[re.Pattern[str], dict[str, str]]:
    codes: dict[str, str] = {}
    for finding in vocabulary.findings().values():
        if finding.kind != "superclass":
            for phrase in (finding.name, *finding.phrases):
                codes.setdefault(_plain(phrase), finding.code)
    longest_first = sorted(codes, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b"), codes
