"""PTB-XL's own layout: the real copy where it is at hand, and its special cases."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.cohort.signals.written_records import write_record
from training.cohort.ptbxl import prepare_ptbxl


@pytest.mark.slow
def test_a_part_of_the_real_set(shared: Path, tmp_path: Path) -> None:
    source = tmp_path / "ptbxl"
    source.mkdir()
    database = pd.read_csv(shared / "ptbxl" / "ptbxl_database.csv").iloc[::12].reset_index(drop=True)
    database.to_csv(source / "ptbxl_database.csv", index=False)
    (source / "records100").symlink_to(shared / "ptbxl" / "records100")
    cohort = prepare_ptbxl(source, tmp_path / "out")
    assert len(cohort) == len(database)
    fold = database.set_index("ecg_id")["strat_fold"].loc[cohort.ecgs["ecg_id"].astype(int)].to_numpy()
    expected = np.select([fold == 9, fold == 8], ["validation", "test"], "train")
    np.testing.assert_array_equal(cohort.ecgs["split"], expected)
    assert cohort.ecgs.groupby("patient")["split"].nunique().max() == 1
    codes = database.set_index("ecg_id")["scp_codes"].map(ast.literal_eval).loc[cohort.ecgs["ecg_id"].astype(int)]
    # Rhythm statements carry likelihood 0 and are present all the same.
    for code in ("SR", "NORM"):
        np.testing.assert_array_equal(cohort.findings[code], [code in given for given in codes])
    assert not cohort.findings.isna().any().any()
    assert cohort.diagnoses.shape == (len(cohort), 0)
    assert cohort.labs.shape == (len(cohort), 0)
    assert cohort.clinical.filter(like="lab:").isna().all().all()
    assert "amplitudes are modeled" in cohort.info["note"]


@pytest.mark.slow
def test_ages_sex_and_fold_ten(tmp_path: Path) -> None:
    source = tmp_path / "ptbxl"
    rows = []
    for i in range(12):
        write_record(source / "records500", f"{i:05d}_hr", seed=i)
        age = 300 if i == 0 else None if i == 1 else 40 + i
        rows.append(
            {
                "ecg_id": i,
                "patient_id": float(i),
                "age": age,
                "sex": i % 2,
                "height": 170,
                "weight": 7 if i == 0 else 70,
                "recording_date": "1990-01-01",
                "scp_codes": "{'IMI': 15.0, 'SR': 0.0}" if i != 11 else "{'XYZ': 100.0}",
                "strat_fold": 8 + i % 3,
                "filename_hr": f"records500/{i:05d}_hr",
            }
        )
    pd.DataFrame(rows).to_csv(source / "ptbxl_database.csv", index=False)
    cohort = prepare_ptbxl(source, tmp_path / "out")
    assert cohort.ecgs["split"].tolist() == ["train", "validation", "test"] * 4, (
        "fold 10 is the test where it is present"
    )
    assert cohort.ecgs["age"][0] == 90
    assert np.isnan(cohort.ecgs["age"][1])
    assert cohort.ecgs["sex"].tolist() == ["male", "female"] * 6
    np.testing.assert_array_equal(cohort.clinical["biometric:sex"], [1, 0] * 6)
    assert np.isnan(cohort.clinical["biometric:weight"][0]), "7 kg is an error"
    assert cohort.findings["IMI"].tolist() == [1] * 11 + [0]
    assert cohort.findings["MI"].tolist() == [1] * 11 + [0]
    assert "XYZ (1)" in (cohort.folder / "data_card.md").read_text()


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "ptbxl_database.csv").write_text("ecg_id,patient_id,age,sex\n")
    with pytest.raises(ValueError, match="height, weight, recording_date, scp_codes, strat_fold, filename_lr"):
        prepare_ptbxl(tmp_path, tmp_path / "out")
