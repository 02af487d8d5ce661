"""Figures of explanations are told as they were measured, and of no other bundle."""

from __future__ import annotations

import msgspec
import pytest

from ecgkt.json_records import decode
from ecgkt.results import explained
from ecgkt.results.explained import Explained


@pytest.fixture
def shipped() -> Explained:
    return decode(explained.FILE.read_bytes(), Explained, explained.VERSION, "explanations.json")


def test_they_are_shown_beside_the_bundle_that_they_were_measured_on_alone(shipped: Explained) -> None:
    assert explained.of_bundle(shipped.model) == shipped
    assert explained.of_bundle(shipped.model[::-1]) is None


def test_the_sentence_and_the_tables_say_what_was_measured(shipped: Explained) -> None:
    told = explained.in_words(shipped)
    held_out = shipped.real["PTB-XL, folds 8 to 10"]
    assert f"right in {held_out.right} of {held_out.right + held_out.wrong} where" in told
    assert f"{100 * shipped.methods[explained.PAGES].inside:.0f}% of the relevance that the pages" in told
    table = explained.methods(shipped)
    inside = [float(row[1].rstrip("%")) for row in table.rows]
    assert inside == sorted(inside, reverse=True)
    assert [table.rows[place][0] for place in table.marked] == ["What the pages show"]
    assert {row[0].split(" (")[0] for row in explained.real(shipped).rows} == set(shipped.real)


def test_no_way_of_explaining_is_far_above_the_true_one(shipped: Explained) -> None:
    """Who knows the cause's effect cannot be beaten: a mixed-up column would be seen here."""
    best = shipped.methods["integrated gradients, from the true counterfactual"]
    assert all(
        each.inside <= best.inside + 0.02 and each.cells <= best.cells + 0.02 for each in shipped.methods.values()
    )
    assert shipped.methods["abs(x)"].above_size == 0


def test_what_is_drawn_is_told_where_it_was_measured(shipped: Explained) -> None:
    measured = {name: msgspec.structs.replace(each, drawn=0.61) for name, each in shipped.methods.items()}
    told = explained.in_words(msgspec.structs.replace(shipped, methods=measured))
    assert "61% of the strongest half, which is drawn unless another share is chosen" in told
    untold = {name: msgspec.structs.replace(each, drawn=0.0) for name, each in shipped.methods.items()}
    assert "strongest half" not in explained.in_words(msgspec.structs.replace(shipped, methods=untold))


def test_no_difference_has_no_sign(shipped: Explained) -> None:
    cells = [cell for row in explained.methods(shipped).rows for cell in row]
    assert "0 points" in cells
    assert not {"+0 points", "−0 points"} & set(cells)
