"""Labs, vitals and biometrics near an ECG, held against pandas and against what was written."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from ecgkt.datasets.mimic import clinical as mimic_clinical
from ecgkt.datasets.mimic.clinical import near, nearest
from tests.training.cohort.mimic.written_cohort import START, T
from training.cohort.prepared import Prepared

pytestmark = pytest.mark.slow


def test_nearest_labs_against_pandas(cohort: Prepared, source: Path) -> None:
    events = pd.read_csv(source / "mimic-iv/hosp/labevents.csv.gz", parse_dates=["charttime"])
    potassium = events[(events["itemid"] == 50971) & events["valuenum"].between(1.5, 10)]
    sodium = events[(events["itemid"] == 77777) & events["valuenum"].between(95, 185)]
    ties = 0
    for row, ecg in cohort.ecgs.iterrows():
        subject, second = divmod(int(ecg["ecg_id"]), 100)
        time = START + T(minutes=30 + 60 * second)
        for lab, all_events in (("lab:potassium", potassium), ("lab:sodium", sodium)):
            near = all_events[all_events["subject_id"] == subject].copy()
            near["dt"] = (near["charttime"] - time).abs()
            near = near[near["dt"] <= T("60min")].sort_values(["dt", "charttime", "labevent_id"])
            expected = near["valuenum"].iloc[0] if len(near) else np.nan
            np.testing.assert_allclose(cohort.clinical.loc[row, lab], expected, rtol=1e-6)
            ties += len(near) > 1 and near["dt"].iloc[0] == near["dt"].iloc[1]
    assert ties > 5, "the fixture must hold ties"
    assert cohort.clinical["lab:potassium"].notna().sum() > len(cohort) / 2


def test_tie_order() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE ecg AS SELECT 0 AS row, 1 AS subject_id, TIMESTAMP '2180-01-01 12:00:00' AS ecg_time")
    rows = [("12:10", 1, 1.0), ("11:50", 9, 2.0), ("11:50", 8, 3.0), ("11:49", 0, 4.0), ("13:00", 0, 5.0)]
    values = ", ".join(f"(1, TIMESTAMP '2180-01-01 {at}:00', {tie}, 'k', {value})" for at, tie, value in rows)
    query = f"""SELECT *, NULL AS low, NULL AS high, '' AS note
                FROM (VALUES {values}) AS v(subject_id, moment, tie, item, value)"""
    assert con.execute(nearest(near(query, 3600))).fetchall()[0][:4] == (0, "k", -600.0, 3.0)
    late = f"SELECT * FROM ({query}) WHERE value = 5"
    assert len(con.execute(near(late, 3600)).fetchall()) == 1, "the edge belongs to the window"
    assert con.execute(near(late, 3599)).fetchall() == []


def test_units_are_checked_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    con = duckdb.connect()
    con.execute("""CREATE TABLE ecg AS SELECT i AS row, i AS subject_id, TIMESTAMP '2180-01-01 12:00:00' AS ecg_time
                   FROM range(7) t(i)""")
    con.execute("""CREATE TABLE labevents AS SELECT *, 0 AS labevent_id, 50931 AS itemid FROM (VALUES
        (0, TIMESTAMP '2180-01-01 12:05:00', 90.0, 'mg/dL', 70.0, 105.0),
        (1, TIMESTAMP '2180-01-01 12:05:00', 5.0, 'mmol/L', 3.9, 5.8),
        (2, TIMESTAMP '2180-01-01 12:05:00', 90.0, 'cups', 70.0, 105.0),
        (2, TIMESTAMP '2180-01-01 12:30:00', 91.0, NULL, NULL, NULL),
        (3, TIMESTAMP '2180-01-01 12:05:00', 5.0, 'mg/dl', 70.0, 105.0),
        (5, TIMESTAMP '2180-01-01 16:00:00', 90.0, 'cups', 70.0, 105.0)
        ) v(subject_id, charttime, valuenum, valueuom, ref_range_lower, ref_range_upper)""")
    expected = [(0, 90.0, 70.0), (1, 90.08, 70.26), (2, 91.0, None)]
    for size in (50_000, 2):  # all ECGs at once, and two at a time
        monkeypatch.setattr(mimic_clinical, "SLICE", size)
        mimic_clinical.add_nearest_labs(con, {"glucose": 50931})
        found = con.execute("SELECT row, round(value, 2), round(low, 2) FROM nearest_lab ORDER BY row").fetchall()
        assert found == expected
    counts = con.execute("SELECT note, factor, measurements, implausible FROM measured_lab ORDER BY note").fetchall()
    assert counts == [("", 1.0, 1, 0), ("cups", None, 1, 0), ("mg/dL", 1.0, 1, 0), ("mg/dl", 1.0, 1, 1),
                      ("mmol/L", 18.016, 1, 0)]  # fmt: skip


def test_d_labitems_decides(cohort: Prepared) -> None:
    # 50983 is in urine here, 77777 is sodium in blood; 51003 is not troponin.
    assert cohort.clinical["lab:troponin_t"].isna().all()
    assert "troponin_t" in (cohort.folder / "data_card.md").read_text()


def test_vitals_and_biometrics(cohort: Prepared) -> None:
    first = cohort.ecgs["ecg_id"].astype(int) % 100 == 0
    np.testing.assert_allclose(cohort.clinical.loc[first, "vital:temperature"], 38, atol=1e-4)
    assert (cohort.clinical.loc[first, "vital:heartrate"] == 90).all(), "5 min after the ECG beats 30 min before"
    assert cohort.clinical.loc[~first, "vital:heartrate"].isna().all(), "55 min is outside the window"
    assert cohort.clinical["vital:dbp"].isna().all(), "9000 mmHg is an error"
    np.testing.assert_allclose(cohort.clinical["biometric:weight"], 90.718474, rtol=1e-6)
    np.testing.assert_allclose(cohort.clinical["biometric:height"], 177.8, rtol=1e-6)
    assert cohort.clinical["biometric:bmi"].isna().all(), "a year ago is outside the window"
    subject = cohort.ecgs["ecg_id"].astype(int) // 100
    np.testing.assert_array_equal(cohort.clinical["biometric:age"], 52 + subject)
    np.testing.assert_array_equal(cohort.clinical["biometric:sex"], subject % 2)
    assert (cohort.ecgs["sex"] == np.where(subject % 2, "male", "female")).all()
