"""Discharge codes: ICD-9 mapped to ICD-10-CM, ancestors, names and groups."""

from __future__ import annotations

import pytest
import simple_icd_10_cm as icd10cm

from training.cohort.labels import icd


def test_icd_ancestors() -> None:
    assert icd.cut_with_ancestors("I5022") == ["I5022", "I502", "I50"]
    assert icd.cut_with_ancestors("E1122") == ["E1122", "E112", "E11"]
    assert icd.cut_with_ancestors("S72001A") == ["S7200", "S720", "S72"]
    assert icd.cut_with_ancestors("W19XXXA") == ["W19"], "placeholders carry no meaning"
    assert icd.cut_with_ancestors("I10") == ["I10"]
    assert icd.cut_with_ancestors("QQQQQ") == []


@pytest.mark.parametrize(
    # From the General Equivalence Mappings of 2018 published by CMS (2018_I9gem.txt).
    ("nine", "ten"),
    [("42731", "I4891"), ("4280", "I509"), ("41401", "I2510"), ("25000", "E119"), ("5849", "N179"), ("0389", "A419")],
)
def test_icd9_is_mapped(nine: str, ten: str) -> None:
    assert icd.to_icd10(nine, 9) == ten


def test_icd_dots_blanks_and_nonsense() -> None:
    assert icd.to_icd10(" i50.22 ", 10) == "I5022"
    assert icd.to_icd10("99999X", 9) is None
    assert icd.to_icd10("", 10) is None


def test_icd_names_and_groups() -> None:
    assert icd.describe("I50") == {"code": "I50", "name": "Heart failure", "group": "Other heart disease"}


def test_groups_are_short() -> None:
    headings = [icd10cm.get_description(code) for code in icd10cm.get_all_codes() if "-" in code]
    groups = {icd.short_group(heading) for heading in headings}
    assert max(map(len, groups)) <= 40
    assert len(groups) == len({heading.rsplit(" (", 1)[0] for heading in headings}), "no two blocks share a name"
    assert icd.describe("Z95")["group"] == "Personal history and devices"
    assert icd.short_group("Ischemic heart diseases (I20-I25)") == "Ischemic heart disease"
    assert icd.short_group("Something else") == "Something else"


def test_redundant_ancestors() -> None:
    assert icd.redundant({"I50": 9, "I502": 9, "I5022": 5, "I10": 9}) == {"I50"}
    assert icd.redundant({"I48": 7, "I481": 3, "I482": 4}) == set()
