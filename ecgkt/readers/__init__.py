"""Files -> ECG. A format is one module here and one line in `FORMATS`.

Untrusted input: content is sniffed, sizes are capped, and no message quotes a file's content or name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers import (
    aecg,
    arrays,
    cardiosoft,
    csv_table,
    dicom,
    edf,
    ishne,
    mortara,
    muse,
    scp,
    sierra,
    wfdb,
    zip_archive,
)
from ecgkt.readers.checks import checked
from ecgkt.readers.format import MAX_FILE_BYTES, MAX_SECONDS, Files, Format, TableLayout
from ecgkt.readers.opening import content_of
from ecgkt.readers.other_files import POINTER, is_pointer, other_file, text_kind

__all__ = [
    "FORMATS",
    "MAX_FILE_BYTES",
    "MAX_SECONDS",
    "Format",
    "Record",
    "TableLayout",
    "group_uploads",
    "needs_table_layout",
    "read",
    "read_record",
    "record_files",
    "records",
]

# In the order in which they are asked. A table of whole numbers has a first line like a WFDB header's, which in turn is
# never followed by lines of nothing but numbers.
FORMATS: tuple[Format, ...] = (
    csv_table.CSV,
    wfdb.FORMAT,
    dicom.FORMAT,
    muse.FORMAT,
    aecg.FORMAT,
    sierra.FORMAT,
    cardiosoft.FORMAT,
    scp.FORMAT,
    edf.FORMAT,
    ishne.FORMAT,
    mortara.FORMAT,
    arrays.NPY,
)


def read(source: str | Path | bytes | Files, layout: TableLayout | None = None) -> ECG:
    """An ECG in mV from a path, the bytes of one file, or the files of one record by name (an upload).

    A path may be any file of a WFDB record (.hea, .dat, .mat) or the record's name without extension; its siblings
    are found beside it. A zip is read if it holds one record. `layout` says what a CSV or .npy file does not; other
    formats say it themselves and pass it over. Raises ECGError, one clear sentence, for what cannot be read.
    """
    if isinstance(source, bytes):
        files: Files = {"": source}
    elif isinstance(source, Mapping):
        files = source
    else:
        files = record_files(Path(source))
    if any(len(content) > MAX_FILE_BYTES for content in files.values()):
        raise ECGError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.")
    if not any(files.values()):
        raise ECGError("The file is empty.")
    packed = next((content for content in files.values() if zip_archive.is_zip(content)), None)
    if packed is not None:
        records = _unpacked(packed)
        if len(records) != 1:
            raise ECGError(f"The zip holds {len(records)} records; one can be read at a time.")
        return read_record(records[0], layout)
    return read_record(Record(dict(files), _form(files)), layout)


@dataclass(frozen=True)
class Record:
    """The files of one record, by name, and their format: None where they are of none. A zip that cannot be opened is
    a record of its own."""

    files: dict[str, bytes]
    form: Format | None

    @property
    def format_name(self) -> str:
        """What the record is read as ("DICOM ECG"); empty where it is none of the formats."""
        return "" if self.form is None else self.form.name

    @property
    def is_table(self) -> bool:
        """Is the record a table of numbers, which as a rule is read only with a `TableLayout`?"""
        return self.form is not None and self.form.read_as is not None


def read_record(record: Record, layout: TableLayout | None = None) -> ECG:
    """The ECG of one of `records`, in mV. Raises ECGError, one clear sentence, and MemoryError."""
    form, files = record.form, record.files
    if form is None:
        if any(map(zip_archive.is_zip, files.values())):
            return read(files, layout)
        raise ECGError(_unknown(files))
    if any(len(content) > MAX_FILE_BYTES for content in files.values()):
        raise ECGError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.")
    try:
        with np.errstate(all="ignore"):
            return checked(form.read_as(files, layout) if form.read_as and layout else form.read(files))
    except (ECGError, MemoryError):
        raise
    except Exception:  # what no reader foresaw; the words of libraries may quote the file
        raise ECGError(f"The {form.name} file is malformed.") from None


def needs_table_layout(files: Files) -> bool:
    """Is the record a table of numbers, which `read` reads only with a `TableLayout`?"""
    return Record(dict(files), _form(files)).is_table


def group_uploads(files: Files) -> list[dict[str, bytes]]:
    """The files of each of `records`."""
    return [record.files for record in records(files)]


def records(files: Files) -> list[Record]:
    """Split uploaded files into records, in the order of their main files.

    What no record needs comes as a record of its own, so that `read_record` can say what is wrong with it. A zip stands
    for the records in it; one that cannot be opened is a record of its own.
    """
    packed = {name: content for name, content in files.items() if zip_archive.is_zip(content)}
    found = _group({name: content for name, content in files.items() if name not in packed})
    for name, content in packed.items():
        try:
            found += _unpacked(content)
        except ECGError:  # `read_record` will say it again
            found.append(Record({name: content}, None))
    return found


def _unpacked(content: bytes) -> list[Record]:
    """The records of a zip; what belongs to none (a license, a list) is passed over where there is any."""
    found = [record for folder in zip_archive.unpack(content) for record in _group(folder)]
    return [record for record in found if record.form] or found[:1]


def _form(files: Files) -> Format | None:
    return next((form for form in FORMATS if any(form.claims(content) for content in files.values())), None)


def _group(files: Files) -> list[Record]:
    found: list[Record] = []
    used: set[str] = set()
    for name, content in files.items():
        form = next((f for f in FORMATS if f.claims(content)), None)
        if form is None:
            continue
        try:
            companions = form.companions(name, content)
        except ECGError:  # `read_record` will say it again, for this record
            companions = ()
        record = {name: content} | {other: files[other] for other in companions if other in files}
        found.append(Record(record, form))
        used |= record.keys()
    return found + [Record({name: content}, None) for name, content in files.items() if name not in used]


def record_files(path: Path, within: Path | None = None) -> dict[str, bytes]:
    """The files of the record that `path` belongs to by name, the main file first.

    within: a folder, as `Path.resolve` gives it; no file is opened that lies outside of it, links followed. Raises
    ECGError.
    """
    try:
        if path.is_dir():
            raise ECGError("This is a folder, not a file.")
        main = path if path.is_file() else None
    except OSError as error:
        raise ECGError(f"The file cannot be opened ({error.strerror}).") from None
    content = _load(path, within) if main else b""
    if main is None or not any(form.claims(content) for form in FORMATS):
        names = dict.fromkeys(name for form in FORMATS for name in form.main_names(path.name))
        found = next((p for p in (path.parent / name for name in names) if _is_there(p)), None)
        if found is None and main is None:
            raise ECGError("There is no such file.")
        if found is not None:
            main, content = found, _load(found, within)
    assert main is not None
    files = {main.name: content}
    for form in FORMATS:
        if form.claims(content):
            for name in form.companions(main.name, content):
                if _is_there(main.parent / name):
                    files[name] = _load(main.parent / name, within)
            break
    return files


def _is_there(path: Path) -> bool:
    """Is there a file of a name that was made of another's? It may be longer than any name can be."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _load(path: Path, within: Path | None) -> bytes:
    try:
        return content_of(path, within)
    except ECGError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # the last two: links in a circle, a name that can be none
        reason = getattr(error, "strerror", None)
        raise ECGError(f"The file cannot be opened{f' ({reason})' if reason else ''}.") from None


def _unknown(files: Files) -> str:
    """Why files that no reader takes cannot be read."""
    known = "; ".join(f"{form.name}: {form.files}" for form in FORMATS)
    name, content = next(((name, content) for name, content in files.items() if content), ("", b""))
    if is_pointer(content):
        return POINTER
    if name.lower().endswith((".dat", ".mat")):
        return "A signal file alone cannot be read; give its WFDB header (.hea) together with it."
    found = other_file(content) or csv_table.too_few(content)
    if found:
        return found
    kind = text_kind(content)
    return f"This is {f'{kind}, but ' if kind else ''}none of the formats read here ({known})."
