"""The list of ECGs: whose they are, when they were recorded, and in which file each lies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from ecgkt.readers.format import years
from training.cohort.data_card import Step
from training.cohort.own.description import Description
from training.cohort.own.tables import Table, in_order, key, moment, number, open_table, text, unread

COLUMNS = ("place", "ecg_id", "subject_id", "stay", "ecg_time", "age", "sex", "path")


def listed_ecgs(con: duckdb.DuckDBPyConnection, described: Description) -> tuple[pd.DataFrame, list[Step], list[str]]:
    """The ECGs that can be looked for (ecg_id, subject_id, stay, ecg_time, age, gender M or F, path), in an order that
    does not depend on the file's own; the steps that led there; remarks on cells that could not be read.

    Raises ValueError naming the column, or the row.
    """
    section = described.content.ecgs
    table, columns = open_table(described, section.table), section.columns
    table.need(getattr(columns, field) for field in columns.__struct_fields__)
    time = moment(columns.time, section.time_format)
    born = moment(columns.born, section.time_format)
    age = number(columns.age) if columns.age else f"date_diff('day', {born}, {time}) / 365.25"
    read = {columns.time: time, columns.born: born, columns.age: number(columns.age)}
    remarks = [said for column, as_what in read.items() for said in unread(con, table, column, as_what)]
    chosen = (
        f"{key(columns.id or columns.file)}, {key(columns.patient)}, {key(columns.stay)}, {time}, {age}, "
        f"{text(columns.sex)}, {text(columns.file)}"
    )
    rows = in_order(con, f"SELECT row_number() OVER (), {chosen} FROM {table.reader}")
    ecgs = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"age": "float64", "ecg_time": "datetime64[us]"})
    _refuse_paths(ecgs, table, columns.file)
    ecgs["age"] = [np.nan if np.isnan(age) or years(str(age)) is None else age for age in ecgs["age"]]
    ecgs["gender"] = _genders(ecgs["sex"], described, table)
    steps = [Step("listed", len(ecgs), ecgs["subject_id"].nunique(), {})]
    reasons = {
        "no patient, ECG or file": ecgs["subject_id"].isna() | ecgs["ecg_id"].isna() | ecgs["path"].isna(),
        "listed more than once": ecgs.duplicated("ecg_id"),
        "no time": ecgs["ecg_time"].isna() if columns.time else pd.Series(False, index=ecgs.index),
    }
    why = np.select(list(reasons.values()), list(reasons), default="")
    ecgs = ecgs[why == ""].sort_values(["subject_id", "ecg_time", "ecg_id"], kind="stable").reset_index(drop=True)
    left_out = Counter(why[why != ""].tolist())
    steps.append(Step("with patient, file and time", len(ecgs), ecgs["subject_id"].nunique(), left_out))
    return ecgs.drop(columns=["place", "sex"]), steps, remarks


def _refuse_paths(ecgs: pd.DataFrame, table: Table, column: str) -> None:
    """Raises ValueError for the first file that would lie outside the folder of ECGs."""
    for place, path in zip(ecgs["place"], ecgs["path"], strict=True):
        if path and (Path(path).is_absolute() or ".." in Path(path.replace("\\", "/")).parts):
            row = place - 1 + table.first_row
            raise ValueError(f"{table.name}, row {row}: the column `{column}` names a path outside the folder of ECGs.")


def _genders(words: pd.Series, described: Description, table: Table) -> pd.Series:
    """ "M", "F" or None by row. Raises ValueError where there are words, none of which is known."""
    sex = described.content.ecgs.sex
    known = {str(word).lower(): letter for letter, said in (("F", sex.female), ("M", sex.male)) for word in said}
    letters = words.str.lower().str.replace(r"^(\d+)\.0+$", r"\1", regex=True).map(known).astype("object")
    if words.notna().any() and letters.isna().all():
        column = described.content.ecgs.columns.sex
        raise ValueError(
            f"The column `{column}` of {table.name} holds none of the words {', '.join(known)}; say yours in `sex`."
        )
    return letters.where(letters.notna(), None)
