"""Files made by someone who had read the readers: what each asks of its reader is more than its size tells."""

from __future__ import annotations

import base64
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import numpy as np

from ecgkt.ecg import LEADS
from tests.intake.hostile_files import LONG, MB, SEQUENCE, SEQUENCE_END, Files, _dicom, flat, one, scp, zipped
from tests.readers import written_files as written

SIXTEEN = (*LEADS, "vx", "vy", "vz", "resp")
HALVES_OF_PAIRS = b"\x00\xd8"  # in UTF-16, without their other half: each is a mistake


# ---- zips -----------------------------------------------------------------------------------------------------------


def _entries(count: int, name: Callable[[int], str], extra: bytes) -> Files:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(count):
            entry = zipfile.ZipInfo(name(number))
            entry.extra = extra
            archive.writestr(entry, b"x")
    return one("a.zip", stream.getvalue())


def zip_of_entries_with_much_attached() -> Files:
    """The library takes an entry's attachments apart one by one, and copies the rest each time."""
    return _entries(125, lambda number: f"{number}.x", struct.pack("<HH", 9, 0) * 16_000)


def zip_of_long_paths() -> Files:
    return _entries(125, lambda number: "a/" * 30_000 + f"{number}.x", b"")


def zip_of_broken_utf16() -> Files:
    return zipped({f"{k}.txt": b"\xff\xfe" + HALVES_OF_PAIRS * 64_000 for k in range(255)})


def zip_of_headers_that_share_their_signals() -> Files:
    lines = [f"s{j}.dat 16 200 16 0 0 0 0 {name}" for j, name in enumerate(SIXTEEN)]
    headers = {f"r{k}.hea": "\n".join([f"r{k} 16 2000 200000", *lines]).encode() for k in range(235)}
    # Not packed so small that it is refused for that.
    signal = np.random.default_rng(1).integers(0, 2, 3 * MB, dtype=np.uint8).tobytes()
    return zipped(headers | {f"s{j}.dat": signal for j in range(16)})


def zip_of_long_headers(size: int = 16 * 1024, comment: bytes = b"#age") -> Files:
    lines = [f"s{j}.dat 16 200 16 0 0 0 0 {name}" for j, name in enumerate(SIXTEEN)]
    header = "\n".join(["r 16 2000 200000", *lines, ""]).encode()
    return zipped({f"r{k}.hea": header + comment * ((size - len(header)) // len(comment)) for k in range(255)})


def zip_of_one_minute_250_times() -> Files:
    """One signal file, 250 headers: each a tracing of a minute at 2,000 Hz, 1.4 GB in all."""
    lines = [f"s.dat 16 200 16 0 0 0 0 {name}" for name in LEADS]
    headers = {f"r{k}.hea": "\n".join([f"r{k} 12 2000 {LONG}", *lines]).encode() for k in range(250)}
    steps = np.random.default_rng(1).integers(-50, 50, (LONG, 12))
    return zipped(headers | {"s.dat": (steps.cumsum(axis=0) % 400).astype("<i2").tobytes()})


# ---- text -----------------------------------------------------------------------------------------------------------


def csv_of_broken_utf16() -> Files:
    good = ((",".join(["0.125"] * 12) + "\n") * 200).encode("utf-16")
    return one("a.csv", good + HALVES_OF_PAIRS * (8 * MB - len(good)))


def xml_of_broken_utf16() -> Files:
    return one("a.xml", "<RestingECG>".encode("utf-16") + HALVES_OF_PAIRS * (4 * MB - 100))


def xml_that_is_no_windows_1252() -> Files:
    head = b'<?xml version="1.0" encoding="windows-1252"?><ECG>'
    return one("a.xml", head + b"\x81" * (8 * MB - 80) + b"</ECG>")


def xml_of_one_long_comment() -> Files:
    return one("a.xml", b"<RestingECG><!--" + b"x" * (8 * MB - 100) + b"--></RestingECG>")


def xml_of_one_long_value() -> Files:
    return one("a.xml", b'<RestingECG a="' + b"&lt;" * (2 * MB - 100) + b'"/>')


def cardiosoft_of_many_leads() -> Files:
    facts = '<SampleRate units="Hz">500</SampleRate><Resolution units="uVperLsb">5</Resolution>'
    lead = '<WaveformData lead="I">1,1</WaveformData>'
    return one("a.xml", f"<CardiologyXML><StripData>{facts}{lead * 49_980}</StripData></CardiologyXML>".encode())


def muse_of_base64_in_short_words() -> Files:
    content = written.muse(flat(4))
    return one("a.xml", content.replace(base64.b64encode(bytes(8)), b"AA " * (7 * MB // 27)))


def sierra_of_base64_in_short_words() -> Files:
    content = written.sierra(flat(2), b"\0\0").decode("utf-16")
    return one("a.xml", content.replace("AAA=", "AA " * (8 * MB // 3 - 1000)).encode())


def sierra_of_one_long_chunk() -> Files:
    """Six megabytes of codes for a lead that is full after a part of them."""
    size = 6 * MB - 6000
    content = written.sierra(flat(2), (size - 8).to_bytes(4, "little") + bytes(size - 4), "XLI").decode("utf-16")
    content = content.replace('durationperchannel="4"', 'durationperchannel="60000"').replace(">500<", ">2000<")
    return one("a.xml", content.encode())


def sierra_of_many_labels() -> Files:
    content = written.sierra(flat(2)).decode("utf-16")
    labels = "ab " * (7 * MB // 3)
    return one("a.xml", content.replace("<parsedwaveforms ", f'<parsedwaveforms leadlabels="{labels}" ').encode())


# ---- binary formats -------------------------------------------------------------------------------------------------


def scp_of_many_tags() -> Files:
    """A valid recording, and five million empty entries about its patient."""
    leads = b"".join(struct.pack("<IIB", 1, 600, code) for code in written.SCP_CODES.values())
    rhythm = struct.pack("<HHBB", 5000, 2000, 0, 0) + struct.pack("<12H", *[1200] * 12) + bytes(12 * 1200)
    tags = struct.pack("<BH", 1, 0) * (16 * MB // 3 - 8000)
    return scp({3: bytes([12, 0x64]) + leads, 6: rhythm, 1: tags})


def scp_that_is_decoded_twice() -> Files:
    leads = b"".join(struct.pack("<IIB", 0, LONG - 1, code) for code in (*written.SCP_CODES.values(), 90, 91, 92, 93))
    data = [bytes(LONG // 8) + b"\xff" * (65_535 - LONG // 8)] * 16
    rhythm = struct.pack("<HHBB", 5000, 500, 2, 0) + struct.pack("<16H", *map(len, data)) + b"".join(data)
    return scp({2: struct.pack("<H", 19_999), 3: bytes([16, 0x64]) + leads, 6: rhythm})


def dicom_of_labels_beyond_their_character_set(name: bytes = b"ISO_IR 127") -> Files:
    """Each byte of 14 MB is one that ISO 8859-6 leaves out."""
    label = struct.pack("<HH2sH", 0x3A, 0x203, b"SH", 1024) + b"\xff" * 1024
    items = (struct.pack("<HHI", 0xFFFE, 0xE000, len(label)) + label) * 14_000
    channels = struct.pack("<HH2sHI", 0x3A, 0x200, b"SQ", 0, len(items)) + items
    group = struct.pack("<HHI", 0xFFFE, 0xE000, len(channels)) + channels
    return _dicom(struct.pack("<HH2sH", 8, 5, b"CS", len(name)) + name + SEQUENCE + group + SEQUENCE_END)


MAKERS: dict[str, Callable[[], Files]] = {
    made.__name__: made
    for made in (
        zip_of_entries_with_much_attached, zip_of_long_paths, zip_of_broken_utf16, zip_of_long_headers,
        zip_of_headers_that_share_their_signals, zip_of_one_minute_250_times, csv_of_broken_utf16, xml_of_broken_utf16,
        xml_that_is_no_windows_1252, xml_of_one_long_comment, xml_of_one_long_value, cardiosoft_of_many_leads,
        muse_of_base64_in_short_words, sierra_of_base64_in_short_words, sierra_of_one_long_chunk, sierra_of_many_labels,
        scp_of_many_tags, scp_that_is_decoded_twice, dicom_of_labels_beyond_their_character_set,
    )
} | {
    "zip_of_headers_of_many_lines": lambda: zip_of_long_headers(64 * 1024, b"#\n"),
    "zip_of_headers_of_2000_lines": lambda: zip_of_long_headers(6 * 1024, b"#\n"),
}  # fmt: skip
