"""A zip of records, for conversion from a zip and for being killed in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.training.cohort.signals.written_records import write_record


@pytest.fixture
def zipped(tmp_path: Path) -> tuple[Path, list[str]]:
    """Five records below a folder in a zip, the last one stored; and their paths."""
    paths = [f"files/p{i}/{i}" for i in range(5)]
    file = tmp_path / "ecg.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as content:
        for i, path in enumerate(paths):
            record = write_record((tmp_path / path).parent, str(i), seed=i)
            for suffix in (".hea", ".dat"):
                how = zipfile.ZIP_STORED if i == 4 else zipfile.ZIP_DEFLATED
                content.write(record.with_suffix(suffix), f"top-1.0/{path}{suffix}", how)
        content.writestr("../../evil.txt", "x")
    return file, paths
