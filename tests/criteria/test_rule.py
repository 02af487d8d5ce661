"""Rules: limits on either side, "not measurable" as a third answer, and what decides."""

from __future__ import annotations

import pytest

from ecgkt.criteria.rule import Quantity, decisive, judge, parse

KNOWN = {
    "pr": Quantity(206, "PR 206 ms", error=7.0),
    "qrs": Quantity(142, "QRS 142 ms", error=8.0),
    "t": Quantity(None, "", "no T wave found"),
}
RULES = {"LONG": parse("pr > 200"), "WIDE": parse("qrs >= 120")}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("pr > 200", True), ("pr > 206", False), ("pr >= 206", True), ("pr < 206", False), ("pr <= 206", True),
        ("pr > 200 and qrs < 120", False), ("qrs < 120 or pr > 200", True), ("pr > 300 or LONG and WIDE", True),
        ("not LONG", False), ("pr > 200 and not WIDE", False),
        ("t > 5", None), ("t > 5 and pr > 200", None), ("t > 5 and pr > 300", False), ("t > 5 or pr > 200", True),
    ],
)  # fmt: skip
def test_a_rule_is_met_not_met_or_not_to_be_told(text: str, answer: bool | None) -> None:
    assert judge(parse(text), KNOWN, RULES) is answer


def test_a_value_near_its_limit_is_neither_plainly_beyond_nor_plainly_within() -> None:
    for text in ("pr > 200", "not LONG", "pr <= 200"):
        assert judge(parse(text), KNOWN, RULES, 1) is not judge(parse(text), KNOWN, RULES, -1), text
    assert judge(parse("qrs >= 120"), KNOWN, RULES, 1) is True
    assert judge(parse("pr > 220"), KNOWN, RULES, -1) is False


def test_what_decides_is_told() -> None:
    assert decisive(parse("pr > 200 and qrs > 200"), KNOWN, RULES) == ["qrs"]
    assert decisive(parse("pr > 300 or WIDE"), KNOWN, RULES) == ["qrs"]
    assert decisive(parse("t > 5 and pr > 200"), KNOWN, RULES) == ["t"]


@pytest.mark.parametrize("text", ["pr", "pr >", "pr => 3", "pr > x", "pr > 1 2"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    if text == "pr":
        with pytest.raises(KeyError):
            judge(parse(text), KNOWN, RULES)
    else:
        with pytest.raises(ValueError, match=r"rule|float"):
            parse(text)
