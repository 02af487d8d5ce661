"""What a source does not tell is unknown: hand-made cases, and the tables against the vocabulary and real folders."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from ecgkt import vocabulary
from training.cohort.labels import masked
from training.cohort.labels.masked import Said, challenge_source, challenge_sources, masked_findings, said_in_challenge

FIBRILLATION, SINUS, LBBB, RBBB, INFARCTION, FLUTTER = (
    "164889003", "426783006", "164909002", "59118001", "164865005", "164890007",
)  # fmt: skip


def values(record: str, *codes: str) -> dict[str, float]:
    """Finding -> 1, 0 or NaN; NaN too where there is no column."""
    source = challenge_source(record)
    assert source is not None
    table = masked_findings([said_in_challenge(source, codes)])
    return {code: float(table[code].iloc[0]) if code in table else math.nan for code in vocabulary.findings()}


def unknown(found: dict[str, float], *codes: str) -> bool:
    return all(math.isnan(found[code]) for code in codes)


def test_the_tables_name_findings_and_sources_that_there_are() -> None:
    sources = {source.code for source in challenge_sources()}
    for name in ("challenge.csv", "ludb.csv", "challenge_sources.csv"):
        for row in masked._rows(name):
            codes = frozenset().union(*(masked._set(row.get(column, "")) for column in ("present", "open", "tells")))
            assert codes <= set(vocabulary.findings()), row
            assert masked._set(row.get("only_in", "")) | masked._set(row.get("used_by", "")) <= sources, row


@pytest.mark.parametrize(
    ("record", "source"),
    [("A0001", "cpsc"), ("Q3581", "cpsc_extra"), ("E10344", "georgia"), ("S0001", "ptb"),
     ("JS10646", "chapman_shaoxing"), ("JS10647", "ningbo"), ("HR00001", "ptb_xl")],
)  # fmt: skip
def test_a_record_is_known_by_its_name(record: str, source: str) -> None:
    found = challenge_source(record)
    assert found is not None
    assert found.code == source


@pytest.mark.parametrize("record", ["A0", "E10345", "JS", "X1", "123", "A1b"])
def test_other_names_are_nobodys(record: str) -> None:
    assert challenge_source(record) is None


def test_a_statement_that_a_source_does_not_use_is_unknown_in_it() -> None:
    cpsc = values("A0001", FIBRILLATION)
    assert cpsc["AFIB"] == 1
    assert cpsc["CLBBB"] == cpsc["1AVB"] == 0, "classes of CPSC 2018"
    assert unknown(cpsc, "LAFB", "LVH", "IMI", "MI", "HYP", "CD"), "of which it says nothing"
    georgia = values("E00001", FIBRILLATION)
    assert georgia["LAFB"] == georgia["LVH"] == georgia["CD"] == georgia["HYP"] == georgia["STTC"] == 0
    assert unknown(georgia, "MI", "IMI")


def test_a_superclass_is_present_with_any_member_and_makes_the_ecg_not_normal() -> None:
    found = values("A0001", LBBB)
    assert found["CLBBB"] == found["CD"] == 1
    assert found["NORM"] == 0
    assert unknown(found, "MI", "SR")


def test_a_normal_ecg_has_no_superclass_where_normal_is_a_class() -> None:
    found = values("A0001", SINUS)
    assert found["NORM"] == found["SR"] == 1
    assert all(found[code] == 0 for code in ("MI", "STTC", "CD", "HYP", "IMI", "LVH", "LAFB"))
    assert unknown(values("E00001", SINUS), "NORM"), "sinus rhythm is not a normal ECG elsewhere"


def test_a_code_that_means_several_statements_leaves_them_open() -> None:
    found = values("A0001", RBBB)
    assert found["CD"] == 1
    assert unknown(found, "CRBBB", "IRBBB")
    assert values("E00001", RBBB)["CRBBB"] == 1, "there, the incomplete block has its own code"
    ningbo = values("JS20000", FLUTTER)
    assert unknown(ningbo, "AFIB", "AFLT")
    assert values("JS20000", SINUS)["AFIB"] == 0
    assert values("JS00001", FLUTTER)["AFLT"] == 1


def test_where_the_patients_diagnosis_is_known_no_infarction_is_none_of_any_wall() -> None:
    assert values("S0001", SINUS)["IMI"] == values("S0001", SINUS)["MI"] == 0
    found = values("S0001", INFARCTION)
    assert found["MI"] == 1
    assert unknown(found, "IMI", "ASMI")


def test_an_open_member_leaves_its_superclass_open() -> None:
    (row,) = masked_findings([Said(frozenset({"SR"}), frozenset({"IMI"}), frozenset({"MI", "CD"}))]).to_dict("records")
    assert "MI" not in row, "unknown throughout: no column"
    assert "IMI" not in row
    assert row["CD"] == row["CLBBB"] == 0


def test_every_text_of_ludb_has_a_row(shared: Path) -> None:
    with (shared / "ludb" / "ludb.csv").open(newline="", encoding="utf-8") as file:
        said = {
            (column, text.strip())
            for row in csv.DictReader(file)
            for column in {column for column, _ in masked.ludb()}
            for text in row[column].split("\n")
            if text.strip()
        }
    assert said == set(masked.ludb())
