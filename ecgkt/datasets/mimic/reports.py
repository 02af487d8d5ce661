"""What a machine's report says, as SCP-ECG statements by the phrases of vocabulary/findings.csv."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from ecgkt import vocabulary

# A statement after one of these (up to the next comma) is neither present nor absent.
_DOUBT_BEFORE = (
    "possible|possibly|probable|probably|consider|cannot rule out|can not rule out|cannot exclude|suggests?|suggesting|"
    "suspect|suspected|questionable|borderline|may be|might be|could be|rule out|otherwise|no|not|without|absence of|"
    "no longer|versus|vs|or"
)
_DOUBT_AFTER = "cannot be ruled out|cannot be excluded|cannot be determined|is possible|no longer|except for|or"
_UNREAD = (
    "all 12 leads are missing|poor quality|data quality|uncertain interpretation|no interpretation|unsuitable|"
    "uninterpretable|cannot be analyzed|technical problems"
)


def normalize(text: str) -> str:
    """Lower case, one spelling for what machines spell in several ways; commas, semicolons, full stops stay as ','."""
    text = re.sub(r"\s-+\s|[.;:,]|\s-+$", " , ", text.lower())
    text = re.sub(r"\s+", " ", re.sub(r"[^a-z0-9,?]+", " ", text)).strip()
    text = re.sub(r"\bnon ?(specific|diagnostic)", r"non\1", text)
    text = text.replace("ischaemi", "ischemi").replace("electrocardiogram", "ecg")
    text = re.sub(r"\ba ?v block|\batrioventricular block", "av block", text)
    text = re.sub(r"\bq tc?\b", lambda match: match.group().replace(" ", ""), text)
    for ordinal, word in (("1st", "first"), ("2nd", "second"), ("3rd", "third")):
        text = re.sub(rf"\b{ordinal}\b", word, text)
    return text


@cache
def _phrases() -> tuple[re.Pattern[str], dict[str, str]]:
    codes = {normalize(p): f.code for f in vocabulary.findings().values() for p in f.phrases}
    longest_first = sorted(codes, key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b"), codes


def read_line(line: str) -> dict[str, float]:
    """The statements of one line of a report: code -> 1, or NaN where the line leaves it open or denies it.

    The longest phrase counts (an "incomplete right bundle branch block" is no complete one). Doubt and negation reach
    from their word to the next comma; both make a statement unknown, because a machine's "no" often compares with an
    earlier tracing.
    """
    pattern, codes = _phrases()
    text = normalize(line)
    found: dict[str, float] = {}
    for match in pattern.finditer(text):
        before = text[: match.start()].rsplit(",", 1)[-1]
        after = text[match.end() :].split(",", 1)[0]
        doubt = (
            re.search(rf"\b({_DOUBT_BEFORE})\b", before) or re.search(rf"\b({_DOUBT_AFTER})\b", after) or "?" in after
        )
        code = codes[match.group()]
        if not doubt or code not in found:
            found[code] = math.nan if doubt else 1.0
    return found


def statements(lines: Iterable[str]) -> tuple[str, ...]:
    """Codes that the lines of a report state without doubt, in the order of the vocabulary."""
    found = frozenset[str]().union(*map(_sure, lines))
    return tuple(code for code in vocabulary.findings() if code in found)


@lru_cache(maxsize=4096)  # reports repeat the same few hundred lines
def _sure(line: str) -> frozenset[str]:
    return frozenset(code for code, value in read_line(line).items() if value == 1)


def unread(line: str) -> bool:
    """Does the line say that the tracing could not be interpreted?"""
    return re.search(rf"\b({_UNREAD})\b", normalize(line)) is not None
