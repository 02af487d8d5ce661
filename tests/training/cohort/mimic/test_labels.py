"""Labels of a cohort in MIMIC's layout, held against what was written into it."""

from __future__ import annotations

import numpy as np
import pytest

from training.cohort.prepared import Prepared

pytestmark = pytest.mark.slow


def test_lab_labels_by_the_data_s_own_range(cohort: Prepared) -> None:
    limits = {label["code"]: label["limit"] for label in cohort.info["labels"]["labs"]}
    assert limits["potassium_low"] == 3.5
    assert limits["potassium_high"] == 5.0
    assert limits.get("sodium_low", 133) == 133, "without a range in the data the vocabulary's holds"
    value, label = cohort.clinical["lab:potassium"], cohort.labs["potassium_high"]
    assert (label.isna() == value.isna()).all()
    assert (label[value.notna()] == (value[value.notna()] > 5)).all()


def test_diagnoses(cohort: Prepared) -> None:
    subject = cohort.ecgs["ecg_id"].astype(int) // 100
    # I48.91 by ICD-10 or ICD-9; I48 has the same positives and goes, and I50 is everybody's, so no split has negatives.
    assert set(cohort.diagnoses) == {"I10", "I4891", "I5022", "I5032"}
    np.testing.assert_array_equal(cohort.diagnoses["I4891"], subject % 2 == 0)
    np.testing.assert_array_equal(cohort.diagnoses["I5032"], subject % 3 == 0)
    names = {label["code"]: label for label in cohort.info["labels"]["diagnoses"]}
    assert names["I10"] == {
        "code": "I10",
        "name": "Essential (primary) hypertension",
        "group": "Hypertensive diseases",
    }


def test_findings(cohort: Prepared) -> None:
    subject = cohort.ecgs["ecg_id"].astype(int) // 100
    np.testing.assert_array_equal(cohort.findings["AFIB"], subject % 2 == 0)
    infarct = np.select([subject == 1, subject == 2], [np.nan, 1.0], 0.0)
    np.testing.assert_array_equal(cohort.findings["IMI"], infarct)
    np.testing.assert_array_equal(cohort.findings["MI"], infarct)
    assert "AFLT" not in cohort.findings
