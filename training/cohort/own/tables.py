"""The tables that a `Description` names, as text: CSV (packed or not) or parquet, and what its cells mean as SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ecgkt.datasets import table_files
from training.cohort.own.description import Description

SHOWN = 20  # column names in a message


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def text(column: str) -> str:
    """SQL: a cell's text without blanks around it, NULL for nothing. "" as the column's name: NULL throughout."""
    if not column:
        return "CAST(NULL AS VARCHAR)"
    name = column.replace('"', '""')
    return f"""nullif(trim(CAST("{name}" AS VARCHAR)), '')"""


def key(column: str) -> str:
    """SQL: a cell that names something; 17.0, as a column of numbers with gaps may have it, is 17."""
    return f"regexp_replace({text(column)}, '^(\\d+)\\.0+$', '\\1')"


def number(column: str, decimal: str = ".") -> str:
    """SQL: a cell as DOUBLE, NULL for what is no finite number."""
    point = text(column) if decimal == "." else f"replace({text(column)}, ',', '.')"
    cast = f"TRY_CAST({point} AS DOUBLE)"
    return f"CASE WHEN isfinite({cast}) THEN {cast} END"


def moment(column: str, form: str = "") -> str:
    """SQL: a cell as TIMESTAMP, NULL for what is no time. form: as strptime has it; "": ISO 8601."""
    return f"try_strptime({text(column)}, {quoted(form)})" if form else f"TRY_CAST({text(column)} AS TIMESTAMP)"


@dataclass(frozen=True)
class Table:
    """A table of the description: the name that the YAML gives it, and SQL that reads it."""

    name: str
    reader: str
    columns: tuple[str, ...]
    first_row: int  # what the first line of data is called: a spreadsheet counts the header

    def need(self, columns: Iterable[str]) -> None:
        """Raises ValueError naming the columns that the table lacks."""
        lost = [f"`{column}`" for column in dict.fromkeys(columns) if column and column not in self.columns]
        if lost:
            held = ", ".join(self.columns[:SHOWN]) + (", ..." if len(self.columns) > SHOWN else "")
            plural = "s" * (len(lost) > 1)
            raise ValueError(f"{self.name} has no column{plural} {', '.join(lost)}; its columns are {held}.")


def open_table(described: Description, name: str) -> Table:
    """Raises ValueError for a table that is not there or cannot be read."""
    path = described.path(name)
    if not path.is_file():
        raise ValueError(f"{described.file.name} names the table {name}, which is not there.")
    return _opened(name, path)


def _opened(name: str, path: Path) -> Table:
    parquet = path.suffix == ".parquet"
    # Read as text, so that one odd cell does not end the run.
    reader = table_files.parquet(path) if parquet else table_files.csv(path)
    try:
        columns = [row[0] for row in duckdb.connect().execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()]
    except duckdb.Error:  # its message may quote the data
        raise ValueError(f"{name} cannot be read as {'parquet' if parquet else 'CSV'}.") from None
    return Table(name, reader, tuple(columns), 1 if parquet else 2)


def unread(con: duckdb.DuckDBPyConnection, table: Table, column: str, read: str) -> list[str]:
    """A sentence on the cells of a column that hold something, of which `read` (SQL) makes nothing; none if there are
    none. Raises ValueError where that is so of every cell."""
    if not column:
        return []
    full = f"{text(column)} IS NOT NULL"
    rows = in_order(con, f"""
        SELECT count(*) FILTER ({full}), count(*) FILTER ({full} AND made IS NULL),
               min(place) FILTER ({full} AND made IS NULL)
        FROM (SELECT *, {read} AS made, row_number() OVER () AS place FROM {table.reader})""")  # fmt: skip
    held, lost, first = rows[0]
    if not lost:
        return []
    row = first - 1 + table.first_row
    if lost == held:
        raise ValueError(f"No cell of the column `{column}` of {table.name} can be read as it should, from row {row}.")
    return [f"{table.name}: {lost} of {held} cells of the column `{column}` cannot be read, the first in row {row}."]


def in_order(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[int, ...]]:
    """The rows of a query that numbers the lines of a file."""
    con.execute("SET preserve_insertion_order = true")
    try:
        return con.execute(query).fetchall()
    except duckdb.Error:
        raise ValueError("A table cannot be read to its end; is a line of it broken?") from None
    finally:
        con.execute("SET preserve_insertion_order = false")
