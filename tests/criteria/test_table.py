"""criteria.csv and lead_limits.csv: every row can be computed, names a label that exists, and says who says so."""

from __future__ import annotations

import pytest

from ecgkt.criteria.check import check
from ecgkt.criteria.quantities import quantities as measured_quantities
from ecgkt.criteria.rule import quantities
from ecgkt.criteria.table import Criterion, criteria, lead_limit, rules
from ecgkt.ecg import LEADS
from ecgkt.measurements.intervals import measure
from ecgkt.model.model import Model
from ecgkt.vocabulary import findings, labs
from tests.criteria.made import ecg

ROWS = list(criteria().values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_row_has_words_and_a_source_and_asks_for_what_is_measured(row: Criterion) -> None:
    assert len(row.words) > 10
    assert len(row.source) > 5
    known = measured_quantities(ecg(), measure(ecg()))
    assert {*quantities(row.rule, rules()), *row.told} <= set(known)
    found = check(row.code, known)
    assert found is not None
    assert bool(found.reason) == (found.verdict == "not measurable")


def test_every_code_is_a_label_of_the_vocabulary_or_of_the_model(shipped_model: Model) -> None:
    sides = {f"{lab}_{side}" for lab in labs() for side in ("low", "high")}
    diagnoses = {label.code for label in shipped_model.labels["diagnoses"]}
    assert set(criteria()) <= {*findings(), *diagnoses, *sides}


def test_the_statements_that_medicine_defines_have_a_criterion(shipped_model: Model) -> None:
    without = {label.code for label in shipped_model.labels["findings"]} - set(criteria())
    assert without == {"ABQRS", "SVARR"}  # "abnormal" and "arrhythmia" of any kind


def test_the_limit_of_st_elevation_goes_by_lead_sex_and_age() -> None:
    """Fourth Universal Definition of MI 2018, V2 and V3: 2 mm in men from 40 years, 2.5 mm below, 1.5 mm in women."""
    assert [lead_limit("st_up", "V2", "male", age) for age in (60, 40, 39)] == [2, 2, 2.5]
    assert lead_limit("st_up", "V2", "female", 30) == 1.5
    assert lead_limit("st_up", "V3", None, None) == 2
    assert {lead_limit("st_up", lead, "female", 50) for lead in LEADS if lead not in ("V2", "V3")} == {1}
