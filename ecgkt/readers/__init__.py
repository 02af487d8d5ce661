"""Files -> ECG. A format is one module here and one line in `FORMATS`.

Untrusted input: content is sniffed, sizes are capped, and no message quotes a file's content or name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecgkt.ecg import ECG, ECGError
from ecgkt.readers import dicom_reader, wfdb_reader
from ecgkt.readers.format import MAX_FILE_BYTES, MAX_SECONDS, Files, Format

__all__ = ["FORMATS", "MAX_FILE_BYTES", "MAX_SECONDS", "Format", "group_uploads", "read"]

FORMATS: tuple[Format, ...] = (
    wfdb_reader.FORMAT,
    dicom_reader.FORMAT,
)


def read(source: str | Path | bytes | Files) -> ECG:
    """An ECG in mV from a path, the bytes of one file, or the files of one record by name (an upload).

    A path may be any file of a WFDB record (.hea, .dat, .mat) or the record's name without extension; its siblings
    are found beside it. Raises ECGError, one clear sentence, for what cannot be read.
    """
    if isinstance(source, bytes):
        files: Files = {"": source}
    elif isinstance(source, Mapping):
        files = source
    else:
        files = _from_disk(Path(source))
    if any(len(content) > MAX_FILE_BYTES for content in files.values()):
        raise ECGError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.")
    if not any(files.values()):
        raise ECGError("The file is empty.")
    claims = [form for form in FORMATS if any(form.claims(content) for content in files.values())]
    if not claims:
        raise ECGError(_unknown(files))
    return claims[0].read(files)


def group_uploads(files: Files) -> list[dict[str, bytes]]:
    """Split uploaded files into records, in the order of their main files.

    What no record needs comes as a record of its own, so that `read` can say what is wrong with it.
    """
    records: list[dict[str, bytes]] = []
    used: set[str] = set()
    for name, content in files.items():
        form = next((f for f in FORMATS if f.claims(content)), None)
        if form is None:
            continue
        try:
            companions = form.companions(name, content)
        except ECGError:  # `read` will say it again, for this record
            companions = ()
        record = {name: content} | {other: files[other] for other in companions if other in files}
        records.append(record)
        used |= record.keys()
    return records + [{name: content} for name, content in files.items() if name not in used]


def _from_disk(path: Path) -> dict[str, bytes]:
    """The files of the record that `path` belongs to."""
    if path.is_dir():
        raise ECGError("This is a folder, not a file.")
    main = path if path.is_file() else None
    content = _load(path) if main else b""
    if main is None or not any(form.claims(content) for form in FORMATS):
        names = dict.fromkeys(name for form in FORMATS for name in form.main_names(path.name))
        found = next((p for p in (path.parent / name for name in names) if p.is_file()), None)
        if found is None and main is None:
            raise ECGError("There is no such file.")
        if found is not None:
            main, content = found, _load(found)
    assert main is not None
    files = {main.name: content}
    for form in FORMATS:
        if form.claims(content):
            for name in form.companions(main.name, content):
                if (main.parent / name).is_file():
                    files[name] = _load(main.parent / name)
            break
    return files


def _load(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ECGError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.")
        return path.read_bytes()
    except OSError as error:
        raise ECGError(f"The file cannot be opened ({error.strerror}).") from None


def _unknown(files: Files) -> str:
    known = "; ".join(f"{form.name}: {form.files}" for form in FORMATS)
    if any(name.lower().endswith((".dat", ".mat")) for name in files):
        return "A signal file alone cannot be read; give its WFDB header (.hea) together with it."
    return f"This is none of the formats read here ({known})."
