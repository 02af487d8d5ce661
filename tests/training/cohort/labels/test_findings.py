"""Statements of reports -> labels of findings and their superclasses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.cohort.labels.findings import findings_table, with_superclasses


def test_unknown_is_not_absent() -> None:
    said = pd.DataFrame({"row": [0, 1, 2, 2], "code": ["IMI", "IMI", "IMI", "IMI"], "value": [1, np.nan, np.nan, 1]})
    table = findings_table(5, said, known=np.array([True, True, True, True, False]))
    np.testing.assert_array_equal(table["IMI"], [1, np.nan, 1, 0, np.nan])
    assert list(table) == ["IMI"], "a statement that the reports never make is unknown, so it has no column"


def test_superclasses() -> None:
    nan = np.nan
    findings = pd.DataFrame({"IMI": [0, 1, 0, nan], "AMI": [0, nan, nan, nan], "SR": [1, 1, 1, 1]}, dtype="float32")
    table = with_superclasses(findings)
    np.testing.assert_array_equal(table["MI"], [0, 1, nan, nan])
    assert "CD" not in table
