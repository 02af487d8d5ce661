"""Tables of numbers as exporters write them: what they say of themselves goes before what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import LEADS, ECGError
from ecgkt.readers import FORMATS, TableLayout, needs_table_layout, read
from tests.readers import written_files as written
from tests.readers.written_files import millivolts

TABLE = TableLayout(500.0)
ROWS = written.csv(millivolts()).decode().split("\r\n")
HEADING = ",".join(LEADS)


def lines(*before: str, rows: list[str] = ROWS) -> bytes:
    return "\n".join([*before, *rows]).encode()


def timed(make: str, rows: list[str] = ROWS) -> list[str]:
    return [make.format(k=k, s=k / 500, ms=2 * k, m=k // 30000) + "," + row for k, row in enumerate(rows)]


WIDE = [",".join(f"{value:.3f}" for value in row) for row in millivolts()]
SAME: dict[str, bytes] = {
    "pandas without names": lines(",".join(map(str, range(12)))),
    "counted from 1": lines(",".join(map(str, range(1, 13)))),
    "pandas with its index": lines("," + HEADING, rows=timed("{k}")),
    "index and no names": lines("," + ",".join(map(str, range(12))), rows=timed("{k}")),
    "index and no heading": lines(rows=timed("{k}")),
    "a trailing comma": lines(HEADING + ",", rows=[row + "," for row in ROWS]),
    "quoted": lines(*(f'"{row}"'.replace(",", '","') for row in (HEADING, *ROWS)), rows=[]),
    "metadata": lines("Patient: x", "Sampling rate: 500 Hz", "Units: mV", "", HEADING),
    "metadata in cells": lines("Sample Rate,500", "Unit,mV", HEADING),
    "time of day": lines("timestamp," + HEADING, rows=timed("12:00:{s:06.3f}")),
    "date and time": lines("t," + HEADING, rows=timed("2020-01-31T12:00:{s:06.3f}Z")),
    "over midnight": lines("t," + HEADING, rows=timed("23:59:{s:06.3f}")),
    "as rdsamp writes": lines(
        "'Elapsed time','" + "','".join(LEADS).lower() + "'", "'hh:mm:ss.mmm'," + ",".join(["'mV'"] * 12),
        rows=timed("'0:{s:06.3f}'"),
    ),
    "seconds": lines("time [s]," + HEADING, rows=timed("{s:.3f}")),
    "twelve lines": lines(rows=WIDE),
    "twelve named lines": lines(rows=[f"{lead},{row}" for lead, row in zip(LEADS, WIDE, strict=True)]),
    "named lines in another order": lines(rows=[f"{lead},{row}" for lead, row in zip(LEADS, WIDE, strict=True)][::-1]),
    "twelve lines under a count": lines(",".join(map(str, range(600))), rows=WIDE),
    "twelve lines, semicolons": lines(rows=[row.replace(",", ";").replace(".", ",") for row in WIDE]),
    "decimal commas and spaces": "\n".join(ROWS).replace(",", " ").replace(".", ",").encode(),
    "UTF-16": lines(HEADING).decode().encode("utf-16"),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + lines(HEADING),
    "old line ends": lines(HEADING).replace(b"\n", b"\r"),
    "tabs and a trailing tab": "\n".join(row.replace(",", "\t") + "\t" for row in ROWS).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_a_table_of_any_maker_is_read(name: str) -> None:
    content = SAME[name]
    assert [form.name for form in FORMATS if form.claims(content)] == ["CSV"]
    assert needs_table_layout({"": content})
    ecg = read(content, TABLE)
    assert ecg.rate == 500
    np.testing.assert_allclose(ecg.signal, millivolts(), atol=1e-5)


def test_twelve_long_lines_of_which_the_first_part_shows_one() -> None:
    long = np.tile(millivolts(), 20)
    ecg = read(lines(rows=[",".join(f"{value:.3f}" for value in row) for row in long]), TABLE)
    np.testing.assert_allclose(ecg.signal, long, atol=1e-5)


@pytest.mark.parametrize(
    "content",
    [
        SAME["metadata"],
        SAME["time of day"],
        SAME["as rdsamp writes"],
        SAME["seconds"],
        lines("time (ms)," + HEADING, rows=timed("{ms}")),
        lines("Sampling frequency = 500", HEADING),
    ],
)
def test_a_rate_that_the_table_states_goes_before_another(content: bytes) -> None:
    ecg = read(content, TableLayout(360.0))
    assert ecg.rate == 500
    assert any("own sampling rate of 500 Hz" in note for note in ecg.notes)
    np.testing.assert_allclose(ecg.signal, millivolts(), atol=1e-5)


@pytest.mark.parametrize(
    "before",
    [
        (",".join(f"{lead} (uV)" for lead in LEADS),),
        (",".join(f"{lead} [\N{MICRO SIGN}V]" for lead in LEADS),),
        ("Units: uV", HEADING),
        (HEADING, ",".join(["uV"] * 12)),
    ],
)
def test_a_unit_that_the_table_states_goes_before_another(before: tuple[str, ...]) -> None:
    rows = written.csv(millivolts() * 1000).decode().split("\r\n")
    ecg = read("\n".join([*before, *rows]).encode(), TABLE)
    np.testing.assert_allclose(ecg.signal, millivolts(), atol=1e-5)
    assert any("own unit of 0.001 mV" in note for note in ecg.notes)


def test_a_table_that_states_rate_and_unit_needs_no_layout() -> None:
    for name in ("metadata", "metadata in cells", "as rdsamp writes"):
        np.testing.assert_allclose(read(SAME[name]).signal, millivolts(), atol=1e-5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lines("Sampling rate: 500", HEADING), "does not say its unit\\."),
        (lines("Units: mV", HEADING), "does not say its sampling rate\\."),
        (lines(HEADING), "does not say its sampling rate and unit\\."),
        (lines("Sampling rate: 500", "Units: V", HEADING), "neither mV nor uV"),
        (lines(HEADING.replace(",", " (mV),") + " (uV)"), "several units"),
    ],
)  # fmt: skip
def test_what_a_table_leaves_unsaid_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(ECGError, match=reason):
        read(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lines(rows=WIDE[:11]), "11 lines, but 12 leads"),
        (lines(rows=[*WIDE[:11], WIDE[11] + ",0"]), "equally long"),
        (lines(rows=[*WIDE[:11], WIDE[11] + "x"]), "not a number"),
        (lines(rows=WIDE * 2), "more than 16 lines"),
        (lines(HEADING, rows=[*ROWS[:-1], ROWS[-1] + ",7"]), "equally long"),
        (lines(HEADING, rows=[*ROWS, "12:00," + ROWS[0].partition(",")[2]]), "not a number"),
        (lines(rows=timed("{k}", timed("7"))), "14 columns, but 12"),
        (lines(rows=["1e999" + row[5:] for row in ROWS]), "none of the formats|not a number|beyond all measure"),
    ],
)
def test_tables_that_are_not_whole_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ECGError, match=reason):
        read(content, TABLE)


def test_an_empty_cell_is_a_lost_sample() -> None:
    cells = ROWS[300].split(",")
    ecg = read(lines(rows=[*ROWS[:300], ",".join([*cells[:7], "", *cells[8:]]), *ROWS[301:]]), TABLE)
    assert np.argwhere(np.isnan(ecg.signal)).tolist() == [[7, 300]]


def test_numbers_within_xml_and_json_are_no_table() -> None:
    assert not needs_table_layout({"": b"<a>\n" + lines() + b"</a>"})
    assert not needs_table_layout({"": b'[{"I":\n' + lines() + b"}]"})
