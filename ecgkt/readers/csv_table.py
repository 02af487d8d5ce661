"""CSV: a line a sample and a column a lead, or a line a lead. What such a file says of itself is in `csv_words`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.readers.arrays import ecg_of_table
from ecgkt.readers.csv_words import Said, clock_time, is_clock, is_number, rate_of_times, said_before
from ecgkt.readers.encodings import is_utf16, utf16
from ecgkt.readers.format import (
    HOW_TO_SAY,
    MAX_RATE,
    MAX_SECONDS,
    MAX_SIGNALS,
    NEEDED,
    TableLayout,
    incomplete,
    single_file,
)
from ecgkt.readers.lead_names import lead_name

SNIFFED = 64 * 1024  # characters
FEWEST_LEADS = len(NEEDED)
MAX_ROWS = int(MAX_SECONDS * MAX_RATE)
MAX_COLUMNS = 4 * MAX_SIGNALS  # of a table with a line a sample
MAX_NUMBERS = MAX_ROWS * (MAX_SIGNALS + 4)  # leads, times, an index
LOOKED_AT = MAX_COLUMNS + 2  # cells of a line that are looked at one by one before it is read
MAX_WORDS = 32  # lines before the first number: a heading, units, what an exporter says of the recording
SAME_RATE = 0.01  # share by which a rate may differ from a stated one
TIMES = 1000  # of a column of times that are looked at, spread over its length


@dataclass(frozen=True)
class Table:
    """Where a table's numbers are.

    start: character of the first line of numbers. mark: what parts columns, None for any white space. clock: columns
    at the left that hold a time of day or a lead's name. wide: a line is a lead. before: the lines of words above.
    """

    start: int
    mark: str | None
    clock: int
    wide: bool
    before: tuple[str, ...]


def is_csv(content: bytes) -> bool:
    """Do some lines, behind a heading and words about the recording, hold numbers as many as an ECG has leads?"""
    return _find(_text(content[: 2 * SNIFFED]), FEWEST_LEADS, len(content) > 2 * SNIFFED) is not None


def too_few(content: bytes) -> str:
    """A sentence for a table of fewer columns than an ECG needs; "" for anything else."""
    text = _text(content[: 2 * SNIFFED])
    table = _find(text, 1, len(content) > 2 * SNIFFED)
    if table is None:
        return ""
    heading = _heading(table, fewest=1)
    names = [lead_name(word) for word in heading]
    count = len(_split(text[table.start :].split("\n", 1)[0], table.mark))
    if count >= FEWEST_LEADS:
        return ""
    held = f": {incomplete(names)}" if any(names) else ""
    return f"This table has {count} {'columns' if count > 1 else 'column'}, too few for the leads of an ECG{held}."


def read_stated(content: bytes) -> ECG:
    """A CSV file that says itself what `TableLayout` says. Raises ECGError for one that does not."""
    text = _text(content)
    table = _found(text)
    said = _said(text, table)
    missing = [word for word, value in (("sampling rate", said.rate), ("unit", said.units_per_mv)) if value is None]
    if missing or said.rate is None:
        raise ECGError(f"This table of numbers does not say its {' and '.join(missing)}. {HOW_TO_SAY}")
    return _read(text, table, TableLayout(said.rate, said.units_per_mv or 1.0), said)


def read_csv(content: bytes, layout: TableLayout) -> ECG:
    """A CSV file -> ECG in mV.

    Columns are parted by comma, semicolon (then a comma may be the decimal sign), tab or spaces. What the file says of
    rate, unit and leads goes before `layout`, with a note where they differ; a column of times or of an index is passed
    over. Raises ECGError for lines of unequal length and for what is not a number.
    """
    text = _text(content)
    table = _found(text)
    return _read(text, table, layout, _said(text, table))


def _read(text: str, table: Table, layout: TableLayout, said: Said) -> ECG:
    notes = []
    if said.rate is not None and abs(said.rate - layout.rate) > SAME_RATE * said.rate:
        layout = replace(layout, rate=said.rate)
        notes.append(f"The table's own sampling rate of {said.rate:g} Hz is used")
    if said.units_per_mv is not None and said.units_per_mv != layout.units_per_mv:
        layout = replace(layout, units_per_mv=said.units_per_mv)
        notes.append(f"The table's own unit of {1 / said.units_per_mv:g} mV is used")
    lines = _lines(text, table)
    rows, labels = _wide_rows(lines, table) if table.wide else (_columns(lines, table), _heading(table)[table.clock :])
    named = tuple(map(lead_name, labels))
    leads = named if len([name for name in named if name]) >= FEWEST_LEADS else layout.leads
    if len(rows) == len(leads) + 1 and not table.wide and _is_index(rows[0]):
        rows = rows[1:]
        notes.append("The first column, which counts up evenly, is passed over")
    if len(leads) != len(rows):
        what = "lines" if table.wide else "columns"
        raise ECGError(f"The table has {len(rows)} {what}, but {len(leads)} leads are named.")
    return ecg_of_table(rows, leads, layout, notes)


def _text(content: bytes) -> str:
    """The text with \\n between lines and without quotation marks, a character a byte (`_word` makes words of them), so
    that no letter of a stranger's makes it four times as large; "" where the content is none."""
    if is_utf16(content):
        content = utf16(content).encode()
    elif b"\0" in content:
        return ""
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content.decode("latin-1")


def _word(text: str) -> str:
    """What was written: UTF-8 where it is that."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _found(text: str) -> Table:
    table = _find(text, FEWEST_LEADS, cut=False)
    if table is None:
        raise ECGError("The table holds no lines of numbers.")
    return table


def _find(text: str, fewest: int, cut: bool) -> Table | None:
    """The table whose first two lines of numbers, `fewest` and more to a line, stand in the text's first part.

    cut: is there more of the file than this text?
    """
    start = text[:SNIFFED]
    if start.lstrip()[:1] in ("<", "{", "["):  # samples within XML or JSON
        return None
    lines = start.split("\n")
    # The last line may go on behind what is looked at.
    last = len(lines) if len(text) <= SNIFFED and not cut else len(lines) - 1
    before: list[str] = []
    place = 0
    for number, line in enumerate(lines):
        if line.strip():
            mark, cells, clock = _numbers(line, fewest, whole=number < last)
            if clock is not None and not _is_counting(cells[clock:]):
                count = _count(line, mark) - (number == last)
                wide = count > MAX_COLUMNS
                after = next((k for k in range(number + 1, len(lines)) if lines[k].strip()), last)
                following = lines[after] if after < last else ""
                alike = bool(following) and _count(following, mark) == count
                alike = alike and _numbers_from(_split(following, mark, LOOKED_AT), fewest) == clock
                if alike or (wide and after >= last):
                    return Table(place, mark, clock, wide, tuple(before))
            before.append(_word(line))
            if len(before) > MAX_WORDS:
                return None
        place += len(line) + 1
    return None


def _numbers(line: str, fewest: int, whole: bool) -> tuple[str | None, list[str], int | None]:
    """The mark that parts a line into numbers, its first cells, and what `_numbers_from` says of them.

    whole: False where the line may go on, so that its last cell is not known.
    """
    cells: list[str] = []
    if not line.startswith("#"):
        for mark in (";", "\t", ",", None):
            if mark is None or line.count(mark) >= max(1, fewest - 1):
                cells = _split(line, mark, LOOKED_AT)
                if not whole and len(cells) < LOOKED_AT:
                    cells = cells[:-1]
                if (clock := _numbers_from(cells, fewest)) is not None:
                    return mark, cells, clock
    return None, cells, None


def _is_counting(cells: list[str]) -> bool:
    """Is this "0,1,2,..." (or from 1), the heading that pandas gives to columns without names?"""
    first = cells[0] if cells else ""
    return first in ("0", "1") and cells == [str(int(first) + k) for k in range(len(cells))]


def _split(line: str, mark: str | None, most: int = -1) -> list[str]:
    """Cells (the first `most`), without the empty one that a mark at the end of a line makes."""
    parts = line.strip(" ").split(mark, most)
    cells = [cell.strip() for cell in (parts[:most] if most > 0 else parts)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] and len(cells) != most else cells


def _count(line: str, mark: str | None) -> int:
    """How many cells `_split` makes of a line."""
    line = line.strip(" ")
    if mark is None:
        return len(line.split())
    count = line.count(mark) + 1
    return count - (count > 1 and not line.rpartition(mark)[2].strip())


def _numbers_from(cells: list[str], fewest: int) -> int | None:
    """How many times of day or names of a lead stand before `fewest` or more numbers; None for other lines."""
    clock = 0
    while clock < min(2, len(cells)) and not is_number(cells[clock]) and (is_clock(cells[clock]) or _label(cells)):
        clock += 1
    numbers = cells[clock:]
    return clock if len(numbers) >= fewest and all(map(is_number, numbers)) else None


def _label(cells: list[str]) -> bool:
    return len(cells) > MAX_COLUMNS and bool(lead_name(_word(cells[0])))


def _lines(text: str, table: Table) -> list[str]:
    most = MAX_ROWS
    if text.count("\n", table.start) > most + len(LEADS):
        raise ECGError(f"The table has more than {most} lines.")
    lines = (line.strip(" ") for line in text[table.start :].split("\n"))
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _columns(lines: list[str], table: Table) -> np.ndarray:
    """[columns, samples] of a table with a line a sample."""
    import pandas as pd

    mark = table.mark
    if mark is not None and all(line.endswith(mark) for line in lines):
        lines = [line[:-1] for line in lines]
    counts = {line.count(mark) + 1 if mark is not None else len(line.split()) for line in lines}
    columns = max(counts)
    if len(counts) != 1 or columns > MAX_COLUMNS:
        raise ECGError("The lines of the table are not equally long.")
    if len(lines) * columns > MAX_NUMBERS:
        raise ECGError(f"The table holds more numbers than an ECG of {MAX_SECONDS:.0f} s.")
    joined = "\n".join(lines)
    if mark != ",":
        joined = joined.replace(",", ".")
    used = list(range(table.clock, columns))
    try:
        return (
            pd.read_csv(
                BytesIO(joined.encode()), sep=mark or r"\s+", header=None, usecols=used,
                dtype=dict.fromkeys(used, np.float64), skip_blank_lines=False,
            )
            .to_numpy()
            .T
        )  # fmt: skip
    except ValueError:
        raise ECGError("The table holds what is not a number.") from None


def _wide_rows(lines: list[str], table: Table) -> tuple[np.ndarray, list[str]]:
    """[leads, samples] of a table with a line a lead, and what stands before the numbers of each line."""
    if len(lines) > MAX_SIGNALS:
        raise ECGError(f"The table has a line a lead, but more than {MAX_SIGNALS} lines.")
    rows, labels = [], []
    for line in lines:
        if (line.count(table.mark) if table.mark is not None else len(line) // 2) > MAX_ROWS:
            raise ECGError(f"The table has more than {MAX_ROWS} columns.")
        cells = _split(line, table.mark)
        labels.append(_word(" ".join(cells[: table.clock])))
        numbers = cells[table.clock :]
        if table.mark != ",":
            numbers = [number.replace(",", ".") for number in numbers]
        try:
            rows.append(np.array([number or "nan" for number in numbers], dtype=np.float64))
        except ValueError:
            raise ECGError("The table holds what is not a number.") from None
    if len(set(map(len, rows))) != 1:
        raise ECGError("The lines of the table are not equally long.")
    table_rows = np.stack(rows)
    if _is_index(table_rows[0]) and not labels[0]:
        table_rows, labels = table_rows[1:], labels[1:]
    return table_rows, labels


def _is_index(row: np.ndarray) -> bool:
    """Does it go up in even steps, as a count or a time does?"""
    steps = np.diff(row)
    return bool(len(steps) and (steps > 0).all() and np.ptp(steps) <= 0.6 * np.median(steps))


def _heading(table: Table, fewest: int = FEWEST_LEADS) -> list[str]:
    """The cells of the last line above the numbers that names leads; none where there is no such line."""
    for line in reversed(table.before):
        cells = [cell.strip("' ") for cell in _split(line, table.mark)]
        if len([cell for cell in cells if lead_name(cell)]) >= fewest:
            return cells
    return []


def _said(text: str, table: Table) -> Said:
    """Rate and unit as far as words, units of the heading and a column of times tell them."""
    said = said_before(table.before, _heading(table), table.mark)
    if table.wide or not (table.clock or said.seconds_per_time):
        return said
    lines = _lines(text, table)
    places = np.linspace(0, len(lines) - 1, min(len(lines), TIMES)).astype(int)
    cells = [_split(lines[place], table.mark, LOOKED_AT) for place in places]
    times = [_time(of_line, table, said) for of_line in cells]
    rate = rate_of_times(times, places, bool(table.clock))
    if rate is None:
        return said
    if said.rate is not None and abs(said.rate - rate) > SAME_RATE * rate:
        raise ECGError("The times in the table do not fit the sampling rate that it states.")
    return said if said.rate is not None else replace(said, rate=rate)


def _time(cells: list[str], table: Table, said: Said) -> float | None:
    """s; None for what is none."""
    if table.clock:
        return clock_time(" ".join(cells[: table.clock]))
    cell = cells[said.time_column] if said.time_column < len(cells) else ""
    return float(cell.replace(",", ".")) * said.seconds_per_time if is_number(cell) else None


CSV = single_file("CSV", "one .csv or .txt file", ("csv", "txt"), is_csv, read_stated, read_csv)
