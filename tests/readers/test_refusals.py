"""What is no ECG is refused with the true cause, in one sentence, however it is given."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecgkt.ecg import LEADS, ECGError
from ecgkt.readers import TableLayout, group_uploads, read, record_files
from tests.readers import written_files as written
from tests.readers.test_zip_archive import packed
from tests.readers.written_files import NAME, counts, millivolts

SAID = NAME.encode()  # stands in every file, and in no message


def picture(form: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "pink").save(stream, form)
    return stream.getvalue()


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("ecg.xml")
        entry.size = len(SAID)
        archive.addfile(entry, io.BytesIO(SAID))
    return stream.getvalue()


def sound() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    return stream.getvalue()


def office() -> bytes:
    return packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>", "word/media/1.png": SAID})


def same_everywhere() -> np.ndarray:
    return np.tile(counts()[1], (12, 1))


def table(leads: tuple[str, ...], heading: bool = True) -> bytes:
    rows = millivolts()[[LEADS.index(lead) for lead in leads]]
    return written.csv(rows, ",", leads if heading else ())


BOX = b"\0\0\0\x18ftyp"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 120000\n"
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a.png": (lambda: picture("PNG"), r"a picture \(PNG\)"),
    "a.jpg": (lambda: picture("JPEG"), r"a picture \(JPEG\)"),
    "a.tif": (lambda: picture("TIFF"), r"a picture \(TIFF\)"),
    "a.gif": (lambda: picture("GIF"), r"a picture \(GIF\)"),
    "a.bmp": (lambda: picture("BMP"), r"a picture \(BMP\)"),
    "a.webp": (lambda: picture("WEBP"), r"a picture \(WebP\)"),
    "a.heic": (lambda: BOX + b"heic\0\0\0\0mif1heic" + SAID, r"a picture \(HEIC"),
    "a.svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', r"a picture \(SVG\)"),
    "ecg.xml": (lambda: picture("JPEG"), r"a picture \(JPEG\)"),  # content, not the name
    "a.pdf": (lambda: b"%PDF-1.7\n" + SAID, "a PDF document"),
    "a.docx": (office, "a Word, Excel or other Office document"),
    "a.xls": (lambda: OLE + bytes(500) + SAID, "a Word, Excel or other Office document"),
    "a.rtf": (lambda: b"{\\rtf1 " + SAID + b"}", "a Word document"),
    "a.wav": (sound, "audio or video"),
    "a.mp3": (lambda: b"ID3\4" + bytes(50) + SAID, "audio or video"),
    "a.mp4": (lambda: BOX + b"isom" + bytes(50) + SAID, "audio or video"),
    "a.mov": (lambda: BOX + b"qt  " + bytes(50), "audio or video"),
    "a.tar": (tar, "a tar archive"),
    "a.tar.gz": (lambda: gzip.compress(tar()), r"a packed file \(gzip\)"),
    "a.bz2": (lambda: bz2.compress(SAID), r"a packed file \(bzip2\)"),
    "a.html": (lambda: b"\n<!DOCTYPE html><html><body>" + SAID, "a web page"),
    "a.txt": (lambda: b"Sinus rhythm, normal ECG. " + SAID, "text, but none of the formats"),
    "a.xml": (lambda: b"<report><name>" + SAID + b"</name></report>", "an XML file, but none of the formats"),
    "a.h5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(500), "an HDF5 file"),
    "a.bin": (lambda: bytes(range(256)), "This is none of the formats"),
    "lost.dcm": (lambda: LFS, "a pointer to a file that was not fetched"),
    "annex.dat": (lambda: b"/annex/objects/SHA256E-s120000--00.dat\n", "a pointer to a file that was not fetched"),
    "alone.dat": (lambda: bytes(480), "A signal file alone"),
    "empty.dcm": (lambda: b"", "The file is empty"),
    "three.csv": (lambda: table(("I", "II", "III")), "3 columns.*: I, II, III are there, V1, V2, V3, V4, V5, V6 are m"),
    "three.txt": (lambda: table(("I", "II", "III"), heading=False), "This table has 3 columns, too few"),
    "three.xml": (
        lambda: written.cardiosoft(counts(), ("I", "II", "III")),
        "lacks leads V1, V2, V3, V4, V5, V6; it holds I, II, III",
    ),
    "chest.xml": (
        lambda: written.aecg(counts()).replace(b"LEAD_V3", b"LEAD_V9"),
        "I, II, III, aVR, aVL, aVF, V1, V2, V4, V5, V6 are there, V3 is missing",
    ),
    "same.xml": (lambda: written.mortara(same_everywhere()), "one and the same waveform"),
    "same.edf": (lambda: written.edf(same_everywhere()), "one and the same waveform"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_true_cause_is_told_in_one_sentence(tmp_path: Path, name: str) -> None:
    make, reason = CASES[name]
    content = make()
    (tmp_path / name).write_bytes(content)
    (group,) = group_uploads({name: content})
    for source in (tmp_path / name, group):
        with pytest.raises(ECGError, match=reason) as error:
            read(source)
        assert str(error.value).endswith(".")
        assert "\n" not in str(error.value)
        assert NAME not in str(error.value)
    if not name.endswith(".dat"):  # that one is told by its name
        with pytest.raises(ECGError, match=reason):
            read(content)


def test_what_lies_beside_a_record_is_refused_for_itself(tmp_path: Path) -> None:
    """One upload of a record, a picture of it, and a pointer: the record is read, the others say what they are."""
    records = group_uploads({"a.png": picture("PNG"), "b.xml": written.muse(counts()), "c.dcm": LFS})
    assert [set(record) for record in records] == [{"b.xml"}, {"a.png"}, {"c.dcm"}]
    np.testing.assert_allclose(read(records[0]).signal, millivolts(), atol=1e-5)


def test_a_name_to_which_no_extension_can_be_added_is_read_like_any_other(tmp_path: Path) -> None:
    """A signal file's header is sought under names made of its own, which the system may find too long to look for."""
    file = tmp_path / ("x" * 251 + ".dcm")
    file.write_bytes(b"no DICOM")
    assert list(record_files(file)) == [file.name]


def test_a_signal_file_that_is_a_pointer_is_told(tmp_path: Path) -> None:
    lines = [f"rec.dat 16 200(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    header = "\n".join(["rec 12 500 2000", *lines]).encode()
    for content, reason in ((LFS, "not fetched"), (b"", "empty"), (bytes(100), "shorter")):
        with pytest.raises(ECGError, match=reason):
            read({"rec.hea": header, "rec.dat": content})


def test_three_leads_of_wfdb_name_what_is_missing() -> None:
    header = "rec 3 500 2000\n" + "\n".join(f"rec.dat 16 200/mV 16 0 0 0 0 {lead}" for lead in ("II", "V1", "V5"))
    with pytest.raises(ECGError, match=r"lacks leads I, III, .*V2, V3, V4, V6; it holds II, V1, V5\."):
        read({"rec.hea": header.encode(), "rec.dat": bytes(12_000)})


@pytest.mark.parametrize(
    "literal",
    [b"-" * 9000 + b"1", b"~" * 9000 + b"1", b"9" + b"**9" * 3000, b"(" * 9000, b"1if 1else " * 900 + b"1"],
    ids=["signs", "tildes", "powers", "brackets", "conditions"],
)
def test_a_header_that_is_more_than_pythons_parser_bears_is_refused_like_any_other(literal: bytes) -> None:
    content = b"\x93NUMPY\1\0" + len(literal).to_bytes(2, "little") + literal
    with pytest.raises(ECGError, match="something else than real numbers"):
        read(content, TableLayout(500.0))


@pytest.mark.parametrize("codec", ["utf-16", "windows-1252", "us-ascii", "iso-8859-15", "shift_jis"])
def test_a_byte_that_its_character_set_leaves_out_costs_no_more_than_itself(codec: str) -> None:
    """It means nothing, and what stands around it is read."""
    content = written.muse(counts()).decode("ascii").replace("ISO-8859-1", codec)
    before, _, behind = content.partition(NAME)
    broken = b"\x00\xd8" if codec == "utf-16" else b"\x81\xff"
    middle = before.encode(codec) + broken + behind.encode(codec)[2 * (codec == "utf-16") :]
    np.testing.assert_array_equal(read(middle).signal, read(written.muse(counts())).signal)
