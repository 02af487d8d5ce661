"""groups.csv against the vocabulary, and what it does with labels that it does not know."""

from __future__ import annotations

from collections import Counter

import pytest

from ecgkt import vocabulary
from ecgkt.interpretation.groups import group_of, grouped, groups
from ecgkt.prediction import AGGREGATES, Score
from tests.stand_in import label


def test_no_code_stands_in_two_groups_and_every_group_named_is_one() -> None:
    counts = Counter(code for group in groups().values() for code in group.codes)
    assert [code for code, count in counts.items() if count > 1] == []
    assert {key for group in groups().values() for key in group.under} <= set(groups())


def test_every_statement_of_the_vocabulary_has_a_place_in_the_table() -> None:
    placed = {code for group in groups().values() for code in group.codes}
    assert set(vocabulary.findings()) - placed == {"NORM", *AGGREGATES}


@pytest.mark.parametrize(("code", "key"), [("I4819", "fibrillation"), ("I213", "acute_infarction"), ("N185", "kidney")])
def test_a_finer_code_goes_where_its_parent_does(code: str, key: str) -> None:
    assert group_of(label("diagnoses", code, "Something finer")).key == key


def test_an_unknown_label_is_a_group_of_its_own_by_its_name() -> None:
    group = group_of(label("diagnoses", "L40", "Psoriasis"))
    assert (group.codes, group.name, group.is_finding) == (("L40",), "psoriasis", False)


def test_a_finding_leads_its_group_whatever_the_diagnosis_scores() -> None:
    scores = [
        Score(label("diagnoses", "I48", "Atrial fibrillation and flutter"), 0.9),
        Score(label("findings", "AFIB", "Atrial fibrillation"), 0.6),
        Score(label("diagnoses", "I489", "Unspecified atrial fibrillation"), 0.95),
    ]
    (group, members) = grouped(scores)["fibrillation"]
    assert [score.label.code for score in members] == ["AFIB", "I489", "I48"]
    assert group.section == "rhythm"
