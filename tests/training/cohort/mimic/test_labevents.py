"""The lab rows that are kept are those that DuckDB reads from the table itself, whatever stands in it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from ecgkt.datasets.mimic.tables import add_view, connect
from training.cohort.mimic import labevents
from training.cohort.mimic.labevents import FILE, keep_labs

HEADING = (
    "labevent_id,subject_id,hadm_id,itemid,charttime,value,valuenum,valueuom,ref_range_lower,ref_range_upper,comments"
)
ITEMS = [50971, 50983]
ODD = {
    "nothing odd": [],
    "no number": ["9001,7,,50971,2150-01-01 08:00:00,x,hemolyzed,mmol/L,3.3,5.1,"],
    "no time": ["9001,7,,50971,soon,4,4,mmol/L,3.3,5.1,"],
    "a broken line in quotes": ['9001,7,,50971,2150-01-01 08:00:00,4,4,mmol/L,,,"two\nlines, and a comma"'],
    "a day without a time": ["9001,7,,50971,2150-01-01,4,4,mmol/L,3.3,5.1,"],
    "quotes and blanks": ['9001,7,,50971,2150-01-01 08:00:00,"4","4.50"," mmol/L",,,"a ""word"""'],
}


def write(folder: Path, more: list[str], heading: str = HEADING, suffix: str = ".csv.gz") -> Path:
    lines = [heading]
    for n in range(400):
        item, unit = (ITEMS[n % 2], "mEq/L") if n % 3 else (51006, "mg/dL")
        value = "" if n % 11 == 0 else f"{4 + n / 100:.2f}"
        lines.append(f"{n},{n % 9},,{item},2150-01-{1 + n % 27:02} 08:00:00,{value},{value},{unit},3.3,,ROUTINE")
    file = folder / "hosp" / f"labevents{suffix}"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = ("\n".join([*lines, *more]) + "\n").encode()
    file.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    return file


def read(folder: Path, keep: bool, threads: int = 2) -> pd.DataFrame:
    with connect() as con:
        add_view(con, folder, "labevents")
        if keep:
            keep_labs(con, folder, ITEMS, folder, threads)
        return con.execute(f"SELECT * FROM labevents WHERE itemid IN {tuple(ITEMS)} ORDER BY labevent_id").df()


@pytest.mark.parametrize("more", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_the_rows_are_those_of_the_table(
    more: list[str], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labevents, "STRETCH", 3000)  # so that there are many
    write(tmp_path, more, suffix=suffix)
    pd.testing.assert_frame_equal(read(tmp_path, keep=True), read(tmp_path, keep=False), check_dtype=False)
    assert len(read(tmp_path, keep=True)) > 200


def test_a_heading_in_capitals_and_absent_columns_are_read_as_well(tmp_path: Path) -> None:
    write(tmp_path, [], HEADING.upper())
    pd.testing.assert_frame_equal(read(tmp_path, keep=True), read(tmp_path, keep=False), check_dtype=False)
    write(tmp_path, [], HEADING.replace("valueuom", "unit").replace("ref_range_lower", "low"))
    kept = read(tmp_path, keep=True)
    pd.testing.assert_frame_equal(kept, read(tmp_path, keep=False), check_dtype=False)
    assert kept["valueuom"].isna().all()


def test_the_file_is_the_same_whatever_the_threads_and_is_kept_until_the_table_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labevents, "STRETCH", 3000)
    table = write(tmp_path, [])
    made = []
    for threads in (1, 2, 5):
        (tmp_path / FILE).unlink(missing_ok=True)
        read(tmp_path, keep=True, threads=threads)
        made.append((tmp_path / FILE).read_bytes())
    assert made[0] == made[1] == made[2]
    before = (tmp_path / FILE).stat().st_mtime_ns
    read(tmp_path, keep=True)
    assert (tmp_path / FILE).stat().st_mtime_ns == before
    table.unlink()
    write(tmp_path, ["9001,7,,50971,2150-01-01 08:00:00,4,4,mmol/L,3.3,5.1,"])
    assert 9001 in read(tmp_path, keep=True)["labevent_id"].to_numpy()


def test_a_table_that_was_cut_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    table = write(tmp_path, [])
    table.write_bytes(table.read_bytes()[:-200])
    with connect() as con, pytest.raises(ValueError, match=r"labevents.csv.gz is not complete"):
        keep_labs(con, tmp_path, ITEMS, tmp_path, 2)
    assert not (tmp_path / FILE).exists()
