"""Tables in files as DuckDB reads them: the one file that a path names, and the columns that stand in it."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ecgkt.readers.opening import open_file

OPEN_FILES = Path("/proc/self/fd")  # Linux: an open file by a name that nobody can make a link of


class Held:
    """Tables below a folder (as `Path.resolve` gives it), open until the block ends. DuckDB opens files by their path,
    and between the question where one leads and that it may become a link to anywhere."""

    def __init__(self, within: Path) -> None:
        self._within, self._open = within, ExitStack()

    def hold(self, path: Path) -> tuple[Path, int]:
        """What DuckDB is to open in place of `path`, and its bytes. Elsewhere than on Linux that is `path` itself.
        Raises OSError for what is no file, ECGError for a link that leads out."""
        file = self._open.enter_context(open_file(path, self._within))
        place = OPEN_FILES / str(file.fileno())
        return place if OPEN_FILES.is_dir() else path, os.fstat(file.fileno()).st_size

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def named(path: Path | str) -> str:
    """A path in SQL. DuckDB takes `*`, `?` and `[` for a pattern and reads all files that match, links followed."""
    return "'" + re.sub(r"[*?\[]", r"[\g<0>]", str(path)).replace("'", "''") + "'"


def parquet(path: Path | str) -> str:
    # Or a folder above it that is called `subject_id=7` would be a column, before the file's own.
    return f"read_parquet({named(path)}, hive_partitioning=false)"


def csv(path: Path | str, options: str = "") -> str:
    """Cells as text. options: more of DuckDB's, each after a comma."""
    return f"read_csv({named(path)}, header=true, all_varchar=true, hive_partitioning=false{options})"
