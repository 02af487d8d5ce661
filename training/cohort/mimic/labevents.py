"""MIMIC's labevents in one pass: the rows of the vocabulary's labs, kept as parquet for the next preparation.

The table is 2.5 GB packed, 18 GB of text; nearly all of the time goes into unpacking and parsing it. ISA-L (package
isal) unpacks three times as fast as zlib, and stretches of whole lines are parsed by all cores. The order of the rows
does not depend on how many there are.
"""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet
from isal import igzip_threaded

from ecgkt.datasets import table_files
from ecgkt.datasets.mimic.tables import TABLES, find_table

NAME = "labevents"
FILE = "labevents.parquet"
STRETCH, BLOCK = 1 << 22, 1 << 20  # bytes of text that one thread parses, and that it parses at once
TYPES = {
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
    "VARCHAR": pa.dictionary(pa.int32(), pa.string()),
}
SCHEMA = pa.schema([(column, TYPES[kind]) for column, kind in TABLES[NAME].columns.items()])


def keep_labs(con: duckdb.DuckDBPyConnection, source: Path, items: Sequence[int], out: Path, threads: int) -> None:
    """Let the view `labevents` (`tables.add_views`) read OUT/labevents.parquet, which is made first unless it is there
    from the same file and of the same `items` (itemids). A table that is parquet already stays as it is. Raises
    ValueError for one that was cut off.
    """
    file = find_table(source, NAME, TABLES[NAME].folder)
    if file is None or file.suffix == ".parquet":
        return
    stat, target = file.stat(), out / FILE
    key = json.dumps([file.name, stat.st_size, stat.st_mtime_ns, sorted(items)])
    if not (target.is_file() and parquet.read_schema(target).metadata.get(b"from") == key.encode()):
        part = target.with_suffix(".part")
        schema = SCHEMA.with_metadata({"from": key})
        try:
            _write(_parsed(file, items, threads), part, schema)
        except pa.ArrowInvalid:
            # A cell that is no number or no time, an odd heading: DuckDB casts what can be cast.
            _write(_cast(con, items), part, schema)
        except (EOFError, gzip.BadGzipFile):
            raise ValueError(f"{file.name} is not complete or damaged; was the download cut off?") from None
        part.replace(target)
    con.execute(f"CREATE OR REPLACE VIEW {NAME} AS SELECT * FROM {table_files.parquet(target)}")


def _write(tables: Iterator[pa.Table], file: Path, schema: pa.Schema) -> None:
    options = {"compression": "lz4", "use_dictionary": ["valueuom"], "write_statistics": False}
    with parquet.ParquetWriter(file, schema, **options) as writer, closing(cast(BinaryIO, tables)):
        for table in tables:
            writer.write_table(table.cast(schema))


def _parsed(file: Path, items: Sequence[int], threads: int) -> Iterator[pa.Table]:
    """The rows of `items`, stretch by stretch in the order of the file. Raises ArrowInvalid where a cell is not of its
    column's type."""
    wanted = pa.array(sorted(items), pa.int64())
    stretches = _stretches(file)
    heading = next(stretches, b"").decode("utf-8-sig").strip().split(",")
    if any(column not in heading for column in SCHEMA.names if column not in TABLES[NAME].optional):
        raise pa.ArrowInvalid("a heading of another spelling")
    reading = csv.ReadOptions(column_names=heading, block_size=BLOCK, use_threads=False)
    columns = [column for column in SCHEMA.names if column in heading]
    types = csv.ConvertOptions(
        column_types=SCHEMA, include_columns=columns, null_values=[""], strings_can_be_null=True
    )  # fmt: skip

    def parse(text: bytes) -> pa.Table:
        table = csv.read_csv(pa.BufferReader(text), reading, convert_options=types)
        table = table.filter(pc.is_in(table["itemid"], wanted))
        for place, column in enumerate(SCHEMA.names):
            if column not in columns:
                table = table.add_column(place, column, pa.nulls(len(table), SCHEMA.field(column).type))
        return table.unify_dictionaries()

    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[object] = deque()
        for text in stretches:
            waiting.append(pool.submit(parse, text))
            if len(waiting) > threads + 1:  # what bounds the memory
                yield waiting.popleft().result()  # type: ignore[attr-defined]
        while waiting:
            yield waiting.popleft().result()  # type: ignore[attr-defined]


def _stretches(file: Path) -> Iterator[bytes]:
    """The first line, then the rest in stretches of whole lines."""
    unpacked = igzip_threaded.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[no-untyped-call]
    with unpacked as opened:
        yield opened.readline()
        left = b""
        while block := opened.read(STRETCH):
            end = block.rfind(b"\n") + 1
            if end:
                yield left + block[:end]
                left = block[end:]
            else:
                left += block
        if left:
            yield left


def _cast(con: duckdb.DuckDBPyConnection, items: Sequence[int]) -> Iterator[pa.Table]:
    """The same rows by the view, where what cannot be cast is NULL."""
    chosen = ", ".join(map(str, items)) or "NULL"
    columns = ", ".join(SCHEMA.names)
    reader = con.sql(f"SELECT {columns} FROM {NAME} WHERE itemid IN ({chosen})").to_arrow_reader(1 << 17)
    for batch in reader:
        yield pa.Table.from_batches([batch])
