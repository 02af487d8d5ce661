"""Rows to a table on disk, so that a run that was killed goes on where it was: parts beside it, merged at the end.

A part is a Parquet file of some hundred rows that is written whole or not at all (`durable`); which records are done is
read from the parts themselves, so no list of what is done can contradict them. DuckDB does the writing; of
a large table only some row groups are in memory at a time.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from ecgkt.batch.durable import UNFINISHED, whole
from ecgkt.batch.rows import Column, Row
from ecgkt.datasets import table_files

FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192",
    ".csv": "FORMAT csv, HEADER, FORCE_QUOTE (file)",  # or `a;=1+1.dcm` would be two cells where `;` is the separator
    ".jsonl": "FORMAT json",
}
MEMORY = "1GB"  # that merging may use; beyond it DuckDB sorts on disk
LIST_IN_CSV = " | "  # between sentences, since CSV knows no lists
KEY = "ecgkt"  # of the metadata in a Parquet file


class OtherRun(Exception):
    """The parts that lie there are those of another run; one sentence."""


class Table:
    """The table that is to become `out`, with the parts that there are. metadata: what is told of the table in itself.

    run: what the rows depend on; parts of a run with another one are refused. Raises OtherRun.
    """

    def __init__(self, out: Path, columns: Sequence[Column], metadata: dict[str, Any], run: dict[str, Any]) -> None:
        self.out, self.columns, self.metadata = out, columns, metadata
        self.parts = parts_folder(out)
        self.parts.mkdir(exist_ok=True)
        for left in self.parts.glob(f"*{UNFINISHED}"):
            left.unlink()
        job = self.parts / "run.json"
        same = job.is_file() and _json(job) == run
        if not same and self._files():
            raise OtherRun(
                f"{self.parts} holds parts of another run (another folder, model, version of ecgkt, or other columns): "
                "remove it, or name another file."
            )
        if not same:
            with whole(job) as path:
                path.write_text(json.dumps(run), encoding="utf-8")
        self._next = 1 + max((int(path.stem) for path in self._files()), default=0)

    def _files(self) -> list[Path]:
        return sorted(path for path in self.parts.glob("*.parquet") if path.stem.isascii() and path.stem.isdigit())

    def done(self) -> set[str]:
        """The files that have a row; a part that cannot be read is removed, so that its rows are made again."""
        found: set[str] = set()
        with duckdb.connect() as connection:
            for part in self._files():
                try:
                    rows = connection.execute(f"SELECT file FROM {table_files.parquet(part)}").fetchall()
                except duckdb.Error:
                    part.unlink()
                else:
                    found |= {name for (name,) in rows}
        return found

    def write(self, rows: Sequence[Row]) -> None:
        """One more part. Raises OSError or duckdb.Error where it cannot be written; then there is nothing of it."""
        types = ", ".join(f"{_quoted(each.name)}: '{each.type}'" for each in self.columns)
        lines = self.parts / f"rows.jsonl{UNFINISHED}"
        source = f"read_json({table_files.named(lines)}, format='newline_delimited', columns={{{types}}}"
        source += ", hive_partitioning=false)"
        try:
            lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            with whole(self.parts / f"{self._next:08d}.parquet") as path, duckdb.connect() as connection:
                copy = f"COPY (SELECT * FROM {source}) TO {_text(path)} ({FORMATS['.parquet']})"
                connection.execute(copy)
        finally:
            lines.unlink(missing_ok=True)
        self._next += 1

    def merge(self) -> None:
        """All parts as one table, sorted by file, in place of whatever is at `out`.

        Beside a CSV or JSON table, which has no place for it, the metadata are a file of their own.
        """
        form = self.out.suffix.lower()
        names = [_in_csv(each) if form == ".csv" else _quoted(each.name) for each in self.columns]
        more = f", KV_METADATA {{{KEY}: {_text(json.dumps(self.metadata))}}}" if form == ".parquet" else ""
        if form != ".parquet":
            with whole(self.out.with_name(self.out.name + ".schema.json")) as path:
                path.write_text(json.dumps(self.metadata, indent=1) + "\n", encoding="utf-8")
        with whole(self.out) as path, duckdb.connect() as connection:
            connection.execute(f"SET memory_limit = '{MEMORY}'; SET temp_directory = {_text(self.parts / 'sorting')}")
            query = f"SELECT {', '.join(names)} FROM {self._rows()} ORDER BY file"
            connection.execute(f"COPY ({query}) TO {_text(path)} ({FORMATS[form]}{more})")

    def remove_parts(self) -> None:
        """Under another name first, so that a kill in the middle leaves no half of them to go on from."""
        merged = self.out.with_name(self.out.name + ".merged")
        shutil.rmtree(merged, ignore_errors=True)
        self.parts.rename(merged)
        shutil.rmtree(merged)

    def counts(self) -> tuple[int, int, Counter[str]]:
        """(read, of which abstained, refused by reason) over the parts that there are."""
        with duckdb.connect() as connection:
            query = f"SELECT status, abstained, reason, count(*) FROM {self._rows()} GROUP BY ALL"
            found = connection.execute(query).fetchall() if self._files() else []
        read = sum(count for status, _, _, count in found if status == "read")
        abstained = sum(count for _, abstained, _, count in found if abstained)
        return read, abstained, Counter({reason: count for status, _, reason, count in found if status != "read"})

    def _rows(self) -> str:
        return f"read_parquet([{', '.join(map(table_files.named, self._files()))}], hive_partitioning=false)"


def parts_folder(out: Path) -> Path:
    return out.with_name(out.name + ".parts")


def _json(file: Path) -> Any:
    """None for what is none."""
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: Path | str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _in_csv(column: Column) -> str:
    """A list as one text. And a path that a spreadsheet would take for a formula ("=1+1.dcm") as the same path with a
    folder in front of it: the names of files come from strangers."""
    name = _quoted(column.name)
    if column.type.endswith("[]"):
        return f"array_to_string({name}, '{LIST_IN_CSV}') AS {name}"
    if column.name == "file":
        return f"CASE WHEN regexp_matches({name}, '^[-=+@\\s]') THEN './' || {name} ELSE {name} END AS {name}"
    return name
