"""A zip of ECG files, opened in memory: names only tell files apart, nothing is written anywhere."""

from __future__ import annotations

import stat
import zipfile
from io import BytesIO
from pathlib import PurePosixPath

from ecgkt.ecg import ECGError
from ecgkt.readers.format import MAX_FILE_BYTES

MAX_MEMBERS = 256
MAX_NAME, MAX_EXTRA = 1024, 4096  # bytes of a path in the zip, and of what is attached to it (times, rights)
MAX_TOTAL_BYTES = 64 * 1024 * 1024  # unpacked
MAX_RATIO = 200  # unpacked to packed bytes of one member; text of numbers comes to 5, a flat line beyond 1,000
RATIO_FROM = 1024 * 1024  # bytes unpacked, below which any ratio is harmless
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others may ask for much memory before the first byte
OFFICE = {"[Content_Types].xml", "mimetype"}  # in every file of Office Open XML, of OpenDocument
CENTRAL = b"PK\x01\x02"  # begins a member's entry of the directory


def is_zip(content: bytes) -> bool:
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def unpack(content: bytes) -> list[dict[str, bytes]]:
    """Files by name, a mapping for each folder of the zip (files of one record lie together).

    Raises ECGError for a damaged or encrypted zip, links, a zip within, and whatever is beyond the limits above.
    """
    _check_directory(content)
    folders: dict[str, dict[str, bytes]] = {}
    total = 0
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if any(member.filename in OFFICE for member in members):
                raise ECGError(
                    "This is a Word, Excel or other Office document; an ECG is read from the recorder's data file."
                )
            for member in members:
                path = PurePosixPath(member.filename)
                if member.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts:
                    continue
                _check(member)
                with archive.open(member) as stream:
                    data = stream.read(MAX_FILE_BYTES + 1)
                total += len(data)
                if len(data) > MAX_FILE_BYTES or total > MAX_TOTAL_BYTES:
                    raise ECGError("The zip unpacks to more than is read.")
                if is_zip(data):
                    raise ECGError("A zip within a zip is not read.")
                folder = folders.setdefault(str(path.parent), {})
                if path.name in folder:
                    raise ECGError("The zip holds two files of one name.")
                folder[path.name] = data
    except (ECGError, MemoryError):
        raise
    except Exception:  # the library stumbles in many ways, over a member without a name by an IndexError
        raise ECGError("The zip is damaged.") from None
    if not folders:
        raise ECGError("The zip holds no files.")
    return list(folders.values())


def _check_directory(content: bytes) -> None:
    """Before the library makes an object of each entry, looks through what is attached to it (once for each of its
    parts, each time by a copy of the rest) and takes its name apart. Raises ECGError."""
    count, place = 0, content.find(CENTRAL)
    while place >= 0:
        count += 1
        if count > MAX_MEMBERS:
            raise ECGError(f"The zip holds more than {MAX_MEMBERS} files.")
        name, extra = (int.from_bytes(content[place + at : place + at + 2], "little") for at in (28, 30))
        if name > MAX_NAME or extra > MAX_EXTRA:
            raise ECGError("The zip has longer names than are read.")
        place = content.find(CENTRAL, place + len(CENTRAL))


def _check(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise ECGError("An encrypted zip is not read.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ECGError("A zip that holds links is not read.")
    if member.compress_type not in METHODS:
        raise ECGError("The zip is packed in a way that is not read.")
    if member.file_size > MAX_FILE_BYTES or (
        member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * max(1, member.compress_size)
    ):
        raise ECGError("The zip unpacks to more than is read.")
