"""PTB-XL's table: its quirks by hand, and the real one against pandas."""

from __future__ import annotations

import ast
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from ecgkt.datasets.ptbxl import DATABASE, OLDEST, Recording, recordings
from ecgkt.ecg import ECGError

COLUMNS = "ecg_id,patient_id,age,sex,height,weight,recording_date,scp_codes,strat_fold,filename_lr,filename_hr"


def lines(folder: Path, *rows: str, columns: str = COLUMNS) -> list[Recording]:
    (folder / DATABASE).write_text("\n".join([columns, *rows, ""]))
    return list(recordings(folder / DATABASE, ("age", "sex")))


def test_a_line_with_everything_and_one_with_nothing(tmp_path: Path) -> None:
    full, empty = lines(
        tmp_path,
        "7,12.0,56.0,1,170.0,63.5,1984-11-09 09:17:34,\"{'NORM': 100.0, 'SR': 0.0}\",3.0,records100/a,records500/b",
        ",,,,,,,,,,",
    )
    assert full == Recording("7", "12", 56.0, "female", 170.0, 63.5, datetime(1984, 11, 9, 9, 17, 34),
                             ("NORM", "SR"), 3, "records100/a", "records500/b")  # fmt: skip
    assert empty == Recording("", "", None, None, None, None, None, None, None, "", "")


def test_hidden_ages_are_the_oldest_and_nonsense_is_unknown(tmp_path: Path) -> None:
    ages = [
        each.age for each in lines(tmp_path, *(f"1,1,{age},0,,,,,,a," for age in ("300", "89", "-1", "nan", "old")))
    ]
    assert ages == [OLDEST, 89, None, None, None]
    cells = ('"[1, 2]"', "NORM", "__import__('os')", "\"{'NORM': 100.0\"")
    assert all(each.statements is None for each in lines(tmp_path, *(f"1,1,50,0,,,,{c},,a," for c in cells)))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(ECGError, match="lacks the column sex, filename_lr"):
        lines(tmp_path, columns="ecg_id,age")


def test_the_real_table_says_the_same_to_pandas(shared: Path) -> None:
    file = shared / "ptbxl" / DATABASE
    table = pd.read_csv(file)
    found = list(recordings(file, ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold")))
    assert [int(each.ecg_id) for each in found] == table["ecg_id"].tolist()
    assert [int(each.patient) for each in found] == table["patient_id"].astype(int).tolist()
    assert [each.fold for each in found] == table["strat_fold"].tolist()
    assert [each.statements for each in found] == [tuple(ast.literal_eval(text)) for text in table["scp_codes"]]
    assert [each.sex == "female" for each in found] == (table["sex"] == 1).tolist()
    ages = pd.Series([each.age for each in found], dtype=float)
    pd.testing.assert_series_equal(ages, table["age"].clip(upper=OLDEST), check_names=False)
