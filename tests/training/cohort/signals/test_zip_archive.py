"""Records read where they lie in a zip: the same as from files, beyond 4 GB, and damaged."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from tests.training.cohort.signals.written_records import LIMITS, write_record
from training.cohort.signals import convert as signals_convert
from training.cohort.signals import zip_archive
from training.cohort.signals.convert import RecordFiles


def test_a_zip_gives_what_its_files_give(zipped: tuple[Path, list[str]], tmp_path: Path) -> None:
    file, paths = zipped
    wanted = [*paths, paths[0], "files/p9/9"]
    records = zip_archive.zipped_records(file, "top-1.0/", wanted)
    data, reasons = signals_convert.convert(records, LIMITS)
    assert (data, reasons) == signals_convert.convert(RecordFiles(str(tmp_path), wanted), LIMITS)
    assert reasons == [""] * 6 + ["no header file"]


def test_a_zip_larger_than_4_gb(tmp_path: Path) -> None:
    file = tmp_path / "large.zip"
    record = write_record(tmp_path / "files", "a")
    with file.open("wb") as hole:
        hole.truncate(5 * 2**30)  # sparse: takes no room, but the entries lie beyond 32 bits
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as content:
        for suffix in (".hea", ".dat"):
            content.write(record.with_suffix(suffix), f"files/a{suffix}")
    records = zip_archive.zipped_records(file, "", ["files/a"])
    assert records.places[0, 0, 0] >= 5 * 2**30
    assert records.read(0) == RecordFiles(str(tmp_path), ["files/a"]).read(0)


def test_damage_in_a_zip_is_counted(zipped: tuple[Path, list[str]]) -> None:
    file, paths = zipped
    records = zip_archive.zipped_records(file, "top-1.0/", paths)
    content = bytearray(file.read_bytes())
    for i, where in ((1, 500), (4, 300)):  # deflated and stored
        content[int(records.places[i, 1, 0]) + where] ^= 0xFF
    # An entry that unpacks to more than it says.
    central = content.find(b"PK\1\2", int(records.places[-1, 1, 0]))
    at = content.find(b"top-1.0/files/p2/2.dat", central) - 46
    struct.pack_into("<L", content, at + 24, 1000)
    file.write_bytes(content)
    _, reasons = signals_convert.convert(zip_archive.zipped_records(file, "top-1.0/", paths), LIMITS)
    assert reasons == ["", "damaged in the zip", "damaged in the zip", "", "damaged in the zip"]
    file.write_bytes(content[:-40])
    with pytest.raises(ValueError, match="not a complete zip"):
        zip_archive.zipped_records(file, "top-1.0/", paths)
