"""The rules of criteria.csv: measured quantities against limits, with "not measurable" as a third answer.

    pr > 200
    qrs >= 120 and terminal_v1 > 0 or CLBBB
    rate > 100 and not AFIB

`and` binds closer than `or`. A term is a quantity with an operator and a number, or the code of another criterion.
Unknown and false is false, unknown or true is true, all else with an unknown is unknown (Kleene 1938).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Truth = bool | None


@dataclass(frozen=True)
class Quantity:
    """One measured thing. value: None where it is not measurable, then `reason` says why. words: as it is told.

    error: by how much a value beyond its limit may still be within it, in the value's unit.
    """

    value: float | None
    words: str
    reason: str = ""
    error: float = 0.0


@dataclass(frozen=True)
class Term:
    """A quantity against a limit, or a criterion by its code (then operator is "")."""

    name: str
    operator: str = ""
    limit: float = 0.0
    negated: bool = False


Rule = tuple[tuple[Term, ...], ...]  # any of these, each of which asks for all of its terms

COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
}


def parse(text: str) -> Rule:
    """Raises ValueError for what is no rule."""
    return tuple(tuple(_term(part.split()) for part in clause.split(" and ")) for clause in text.split(" or "))


def _term(words: list[str]) -> Term:
    if len(words) == 2 and words[0] == "not":
        return Term(words[1], negated=True)
    if len(words) == 1:
        return Term(words[0])
    if len(words) == 3 and words[1] in COMPARE:
        return Term(words[0], words[1], float(words[2]))
    raise ValueError(f"no term of a rule: {' '.join(words)!r}")


def judge(rule: Rule, known: Mapping[str, Quantity], rules: Mapping[str, Rule], harder: int = 0) -> Truth:
    """Is the rule met? rules: by code, for the terms that name one.

    harder: 1 asks for values beyond their limits by more than their errors, -1 lets them fall short by as much.
    """
    return _any([_all([_judge_term(term, known, rules, harder) for term in clause]) for clause in rule])


def _judge_term(term: Term, known: Mapping[str, Quantity], rules: Mapping[str, Rule], harder: int) -> Truth:
    if not term.operator:
        found = judge(rules[term.name], known, rules, -harder if term.negated else harder)
        return (not found if term.negated else found) if found is not None else None
    quantity = known[term.name]
    if quantity.value is None:
        return None
    side = {">": 1, "<": -1}.get(term.operator[0], 0)
    return bool(COMPARE[term.operator](quantity.value - side * harder * quantity.error, term.limit))


def _all(answers: list[Truth]) -> Truth:
    return False if False in answers else None if None in answers else True


def _any(answers: list[Truth]) -> Truth:
    return True if True in answers else None if None in answers else False


def quantities(rule: Rule, rules: Mapping[str, Rule]) -> list[str]:
    """Names of the quantities that a rule asks for, in its order, those of the criteria that it names included."""
    out: list[str] = []
    for clause in rule:
        for term in clause:
            out += [term.name] if term.operator else quantities(rules[term.name], rules)
    return list(dict.fromkeys(out))


def decisive(rule: Rule, known: Mapping[str, Quantity], rules: Mapping[str, Rule]) -> list[str]:
    """Names of the quantities that make the rule come out as it does: those of the clause that is met, of the terms
    that are not in clauses that fail, and of what is missing where it cannot be told."""
    verdict = judge(rule, known, rules)
    out: list[str] = []
    for clause in rule:
        answers = [_judge_term(term, known, rules, 0) for term in clause]
        if _all(answers) is not verdict:
            continue
        for term, answer in zip(clause, answers, strict=True):
            if answer is verdict:
                out += [term.name] if term.operator else decisive(rules[term.name], known, rules)
    return list(dict.fromkeys(out))
