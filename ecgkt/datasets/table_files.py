"""Tables in files as DuckDB reads them: the one file that a path names, and the columns that stand in it."""

from __future__ import annotations

import re
from pathlib import Path


def named(path: Path | str) -> str:
    """A path in SQL. DuckDB takes `*`, `?` and `[` for a pattern and reads all files that match, links followed."""
    return "'" + re.sub(r"[*?\[]", r"[\g<0>]", str(path)).replace("'", "''") + "'"


def parquet(path: Path | str) -> str:
    # Or a folder above it that is called `subject_id=7` would be a column, before the file's own.
    return f"read_parquet({named(path)}, hive_partitioning=false)"


def csv(path: Path | str, options: str = "") -> str:
    """Cells as text. options: more of DuckDB's, each after a comma."""
    return f"read_csv({named(path)}, header=true, all_varchar=true, hive_partitioning=false{options})"
