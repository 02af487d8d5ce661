"""Patterns that what strangers wrote is held against cannot go back on themselves: no unbounded repeat gives anything
up again, and none is searched for from every character."""

from __future__ import annotations

import ast
import re
import re._constants as names
import re._parser as parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What sees uploads, and the listing of folders. MIMIC's tables come from the one who runs the server.
FILES = sorted(file for room in ("readers", "intake", "datasets") for file in (ROOT / "ecgkt" / room).glob("*.py"))
BOUNDED = 64  # repeats, beyond which a repeat counts as one without end
WAYS = 1000  # in which a pattern of bounded repeats may be tried at one place
ANCHORED = {"fullmatch", "match"}
SEARCHING = {"search", "findall", "finditer", "sub", "subn", "split"}


def faults(pattern: str, *, searched: bool) -> list[str]:
    """What is risky in a pattern."""
    found: list[str] = []

    def walk(items: parser.SubPattern | list[object], atomic: bool) -> int:
        ways = 1
        for operation, argument in items:  # type: ignore[misc]
            if operation in (names.MAX_REPEAT, names.MIN_REPEAT, names.POSSESSIVE_REPEAT):
                fewest, most, inner = argument
                possessive = atomic or operation is names.POSSESSIVE_REPEAT
                inside = walk(inner, possessive)
                if most > BOUNDED and (searched or not possessive):
                    found.append("a repeat without end that is searched for or can be given up again")
                if most > BOUNDED and inside > 1 and not possessive:
                    found.append("a repeat within a repeat")
                ways *= 1 if possessive else max(1, min(most, BOUNDED) - fewest + 1)
                ways *= max(1, inside)
            elif operation is names.BRANCH:
                ways *= sum(walk(branch, atomic) for branch in argument[1])
            elif operation is names.SUBPATTERN:
                ways *= walk(argument[-1], atomic)
            elif operation in (names.ATOMIC_GROUP, names.ASSERT, names.ASSERT_NOT):
                walk(argument if operation is names.ATOMIC_GROUP else argument[1], True)
        return ways

    if walk(parser.parse(pattern), False) > WAYS:
        found.append(f"more than {WAYS} ways to be tried")
    return found


def patterns(path: Path) -> dict[str, tuple[str, bool]]:
    """Each `re` call of a file by its place: the pattern, and whether it is searched for from every character."""
    tree = ast.parse(path.read_text())
    compiled: dict[str, str] = {}
    found: dict[str, tuple[str, bool]] = {}
    uses: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, method = node.func.value, node.func.attr
        if isinstance(owner, ast.Name) and owner.id == "re" and method in ANCHORED | SEARCHING | {"compile"}:
            text = node.args[0]
            assert isinstance(text, ast.Constant), f"{path.name}: the pattern is not written out"
            words = text.value if isinstance(text.value, str) else text.value.decode("latin-1")
            found[f"{path.name}:{node.lineno}"] = words, method in SEARCHING
        elif isinstance(owner, ast.Name) and method in ANCHORED | SEARCHING:
            uses.setdefault(owner.id, set()).add(method)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            compiled[node.targets[0].id] = f"{path.name}:{node.value.lineno}"
    for name, place in compiled.items():
        if place in found and uses.get(name, set()) & SEARCHING:
            found[place] = found[place][0], True
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pattern_can_take_long(path: Path) -> None:
    for place, (pattern, searched) in patterns(path).items():
        assert not faults(pattern, searched=searched), place


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        (r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?", False),  # what a number once was held against
        (r"(?:lead)?\s*I\s*\(.*\)", False),  # what a lead's name was
        (r"(a{1,9})*b", False),
        (r"(?:a|a)+b", False),
        (r"\s++$", True),
        (r"a{1,40}a{1,40}a{1,40}b", False),
    ],
)
def test_the_patterns_that_once_froze_the_server_are_seen(pattern: str, searched: bool) -> None:
    assert faults(pattern, searched=searched)


@pytest.mark.parametrize(
    ("pattern", "searched"), [(r"[\w.-]++(?P<a>/\S*+)?+\s++\d{1,9}", False), (r"age\s{0,3}:", True)]
)
def test_patterns_without_a_way_back_pass(pattern: str, searched: bool) -> None:
    assert not faults(pattern, searched=searched)
    assert re.compile(pattern)
