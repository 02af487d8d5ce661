"""What a file is that no reader takes: people upload what shows an ECG, packs it or stands for it. Told by content."""

from __future__ import annotations

from ecgkt.readers.matlab import MATLAB_5, MATLAB_7
from ecgkt.readers.xml_tree import root_name

POINTER = "This is a pointer to a file that was not fetched (Git LFS or git-annex), not the recording itself."
SHORT = 1024  # bytes, beyond which no pointer goes
SNIFFED = 4096  # bytes

PICTURES = {
    b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF87a": "GIF", b"GIF89a": "GIF",
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"\0\0\0\x0cjP  ": "JPEG 2000",
}  # fmt: skip
# Brands of the ISO base media format (ISO/IEC 14496-12), bytes 8-12, that are pictures.
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
DOCUMENTS = {
    b"%PDF-": "a PDF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a Word, Excel or other Office document",
    b"{\\rtf": "a Word document (RTF)",
    b"%!PS": "a PostScript document",
}
ARCHIVES = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}  # fmt: skip
# MP3 with a tag, Ogg, FLAC, Matroska, MPEG, Flash, Windows Media.
SOUNDS = (
    b"ID3", b"OggS", b"fLaC", b"\x1a\x45\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV\1", b"0&\xb2u\x8ef\xcf\x11",
)  # fmt: skip
MP3_FRAMES = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
DATA = {b"\x89HDF\r\n\x1a\n": "an HDF5", b"PAR1": "a Parquet", MATLAB_5: "a MATLAB", MATLAB_7: "a MATLAB",
        b"SQLite format 3\0": "an SQLite", b"\x80\4\x95": "a pickle"}  # fmt: skip


def is_pointer(content: bytes) -> bool:
    """Is this the text that Git LFS or git-annex leaves in place of a file?"""
    if len(content) > SHORT:
        return False
    return content.startswith(b"version https://git-lfs.github.com/spec/") or (
        b"/annex/objects/" in content and b"\0" not in content and content.count(b"\n") <= 1
    )


def other_file(content: bytes) -> str:
    """One sentence that says what the file is; "" where it cannot be told."""
    if is_pointer(content):
        return POINTER
    picture = _picture(content)
    if picture:
        return f"This is a picture ({picture}); an ECG is read from its samples, not from a picture of it."
    for magic, name in DOCUMENTS.items():
        if magic in content[:SHORT] if magic == b"%PDF-" else content.startswith(magic):
            return f"This is {name}; an ECG is read from the recorder's data file, not from a document that shows it."
    if content[257:262] == b"ustar":
        return "This is a tar archive; unpack it, or give its files as a zip."
    for magic, name in ARCHIVES.items():
        if content.startswith(magic):
            return f"This is a packed file ({name}); unpack it, or give its files as a zip."
    if _is_sound(content):
        return "This is an audio or video file, not an ECG."
    for magic, name in DATA.items():
        if content.startswith(magic):
            return f"This is {name} file, which does not say how to find an ECG in it; it is not read."
    start = content[:SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "This is a web page (HTML), not an ECG."
    return ""


def text_kind(content: bytes) -> str:
    """ "an XML file" or "text"; "" for anything else."""
    if root_name(content):
        return "an XML file"
    start = content[:SNIFFED]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    # Control characters other than white space stand in no text.
    return "" if any(byte < 32 and byte not in b"\t\n\f\r\x1a" for byte in start) else "text"


def _picture(content: bytes) -> str:
    for magic, name in PICTURES.items():
        if content.startswith(magic):
            return name
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS:
        return "HEIC or AVIF"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content[:2] == b"BM" and int.from_bytes(content[2:6], "little") == len(content):
        return "BMP"
    return "SVG" if root_name(content) == "svg" else ""


def _is_sound(content: bytes) -> bool:
    return (
        content.startswith(SOUNDS)
        or content.startswith(MP3_FRAMES)
        or content[4:8] in (b"ftyp", b"moov")
        or (content[:4] == b"RIFF" and content[8:12] in (b"WAVE", b"AVI "))
        or (content[:4] == b"FORM" and content[8:12] in (b"AIFF", b"AIFC"))
    )
