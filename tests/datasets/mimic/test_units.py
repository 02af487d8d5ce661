"""Units of laboratory values: spellings of the same, conversions, and what is unknown."""

from __future__ import annotations

import pytest

from ecgkt.datasets.mimic.units import factors, same_spelling


@pytest.mark.parametrize(
    ("lab", "units"),
    [
        ("potassium", ["mEq/L", "mmol/L", "MEQ/L", " mmol / l ", ""]),
        ("platelets", ["K/uL", "K/mcL", "10^3/uL", "x10(3)/\N{MICRO SIGN}L", "10*9/L", "k/\N{GREEK SMALL LETTER MU}l"]),
        ("rbc", ["m/uL", "10^6/uL", "10^12/L"]),
        ("alt", ["IU/L", "U/L", "u/l"]),
        ("troponin_t", ["ng/mL", "ug/L", "mcg/L"]),
        ("pt", ["sec", "s", "seconds", "sec."]),
        ("pco2", ["mm Hg", "mmHg"]),
        ("tsh", ["uIU/mL", "mIU/L", "uU/mL"]),
        ("inr", ["", "ratio"]),
    ],
)
def test_spellings_of_the_same_unit(lab: str, units: list[str]) -> None:
    assert {factors()[lab, same_spelling(unit)] for unit in units} == {1.0}


@pytest.mark.parametrize(
    # Round pairs from everyday tables (100 mg/dL of glucose is 5.55 mmol/L), which owe nothing to units.csv.
    ("lab", "unit", "value", "expected"),
    [
        ("glucose", "mmol/L", 5.55, 100),
        ("creatinine", "umol/L", 88.4, 1),
        ("urea_nitrogen", "mmol/L", 3.57, 10),
        ("calcium", "mmol/L", 2.5, 10),
        ("magnesium", "mEq/L", 2, 2.43),
        ("phosphate", "mmol/L", 1, 3.1),
        ("bilirubin", "umol/L", 17.1, 1),
        ("lactate", "mg/dL", 9, 1),
        ("haemoglobin", "g/L", 150, 15),
        ("crp", "mg/dL", 1, 10),
    ],
)
def test_other_units_are_converted(lab: str, unit: str, value: float, expected: float) -> None:
    assert value * factors()[lab, same_spelling(unit)] == pytest.approx(expected, rel=0.01)


def test_a_unit_that_means_something_else_is_unknown() -> None:
    for lab, unit in (("potassium", "mg/dL"), ("glucose", "%"), ("wbc", "#/uL"), ("haemoglobin", "fL")):
        assert (lab, same_spelling(unit)) not in factors()
