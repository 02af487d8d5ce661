"""What is drawn of words that nobody expected."""

from __future__ import annotations

import warnings
from io import BytesIO

from ecgkt.report.drawing import Page, drawable


def test_letters_that_no_font_has_are_marked_and_not_warned_of() -> None:
    """matplotlib's warning has paths of the machine in it."""
    words = "Bed 4 \N{WOMAN} \N{CJK UNIFIED IDEOGRAPH-65E5}"
    assert drawable(words) == "Bed 4 \N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}"
    known = "QTc ≥ 500 ms, ±5 µV, 18–29 years · Müller, \N{HEBREW LETTER ALEF}"
    assert drawable(known).replace("\N{REPLACEMENT CHARACTER}", "\N{HEBREW LETTER ALEF}") == known
    page = Page()
    with warnings.catch_warnings(action="error"):
        page.words(words, 50, 50, side="right")
        for form in ("pdf", "png"):
            page.figure.savefig(BytesIO(), format=form)
