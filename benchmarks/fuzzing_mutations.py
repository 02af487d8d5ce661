"""Files changed with their format in mind: lengths, counts, pointers, numbers, tags, nesting, repeats; not only bytes.

`mutate` changes any content, a file as written or one changed before. What it takes for a field it finds in the content
itself: headers of DICOM elements, pointers of SCP-ECG, words and numbers of text.
"""

from __future__ import annotations

import contextlib
import random
import re
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from ecgkt.ecg import LEADS
from ecgkt.readers.dicom_elements import PREAMBLE
from tests.readers import written_files as written

ZIP = "zip"  # of files of any format
SAMPLES = 100  # of a seed: small files are read fast
LARGEST = 64 * 1024  # bytes of a changed file, so that a run has time for many
NUMBERS = (b"0", b"-1", b"1", b"2", b"65535", b"65536", b"2147483648", b"99999999999999999999", b"1e308", b"1e-320",
           b"1e400", b"nan", b"inf", b"-0", b"0.0000001", b"1_0", b"\xd9\xa3", b"0x10", b"", b" ", b"1,5", b"1e",
           b"+", b"12:00:00", b"9" * 500)  # fmt: skip
WORDS = (b"I", b"V1", b"aVR", b"V" * 300, b"I(" + b" " * 200, b"\xff\xfe", b"\xf0\x9f\x98\x80", b"\0", b"mV", b"uV",
         b"V", b"../x", b"&amp;", b"&#65;", b"&x;", b"<!DOCTYPE a []>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?",
         b'"', b"'", b"=", b">", b"<", b"/>", b"xmlns='u'", b"a:", b"\r", b"\n\n", b"#", b";", b"\t", b"%")  # fmt: skip
_TOKEN = re.compile(rb"[A-Za-z_{}:]+|[-+.\d][-+.\deE]*|<[^<>]*>|\s+|.", re.DOTALL)
_ELEMENT = re.compile(rb"<([A-Za-z]+)[^<>]*>.*?</\1>", re.DOTALL)


def wfdb() -> bytes:
    """A WFDB record as one content: the header, a mark, the signal file."""
    lines = [f"r.dat 16 200(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    return "\n".join([f"r 12 500 {SAMPLES}", *lines, "# Age: 71 Sex: F"]).encode() + MARK + _little().T.tobytes()


MARK = b"\n#signal\n"


def _little() -> np.ndarray:
    return written.counts(SAMPLES).astype("<i2")


def dicom() -> bytes:
    channels = []
    for lead in LEADS:
        source, unit, channel = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator = f"2:{written.SCP_CODES[lead]}", "MDC"
        source.CodeMeaning = f"Lead {lead}"
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
        channel.ChannelSourceSequence = Sequence([source])
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = "5", "1"
        channel.ChannelBaseline, channel.ChannelSampleSkew = "0", "0"
        channel.ChannelSensitivityUnitsSequence = Sequence([unit])
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group, dataset = Dataset(), Dataset()
    group.WaveformOriginality, group.NumberOfWaveformChannels = "ORIGINAL", 12
    group.NumberOfWaveformSamples, group.SamplingFrequency = SAMPLES, "500"
    group.ChannelDefinitionSequence = Sequence(channels)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.add_new("WaveformData", "OW", _little().T.tobytes())
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.PatientName, dataset.PatientAge, dataset.PatientSex = written.NAME, "061Y", "F"
    dataset.WaveformSequence = Sequence([group])
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def seeds(name: str) -> list[bytes]:
    """Whole files to begin with."""
    if name == "WFDB":
        return [wfdb()]
    if name == "DICOM ECG":
        return [dicom()]
    if name == ZIP:
        return [zipped(zipfile.ZIP_STORED), zipped(zipfile.ZIP_DEFLATED)]
    table = written.counts(SAMPLES)
    more = {
        "SCP-ECG": [written.scp(table, None), written.scp(table, written.own_table())],
        "CSV": [written.csv(table * 0.005, mark, LEADS) for mark in (";", "\t", " ")] + [_wide(table)],
        "NumPy": [written.npy(table.T), written.npy(table.astype(">f4"))],
        "Philips Sierra XML": [_sierra_packed()],
    }
    return [written.BY_FORMAT[name](table), *more.get(name, [])]


def zipped(method: int) -> bytes:
    """A record of two files, and one of one file in a folder."""
    header, _, samples = wfdb().partition(MARK)
    files = {"r.hea": header, "r.dat": samples, "b/a.scp": written.scp(written.counts(SAMPLES))}
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def _wide(table: np.ndarray) -> bytes:
    rows = (f"{lead}," + ",".join(map(str, row)) for lead, row in zip(LEADS, np.tile(table, 2), strict=True))
    return "\n".join(rows).encode()


def _sierra_packed() -> bytes:
    bits = "".join(format(code, "010b") for code in [0] * SAMPLES + [64] * SAMPLES)
    chunk = int(bits, 2).to_bytes(len(bits) // 8, "big")
    content = b"".join(len(chunk).to_bytes(4, "little") + bytes(4) + chunk for _ in LEADS)
    return written.sierra(written.counts(SAMPLES), content, "XLI")


def mutate(name: str, content: bytes, dice: random.Random) -> bytes:
    """One to four changes of a file of that format, and as a rule its checksum put right."""
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        change = dice.choice(_changes(name))
        content = change(content, dice)[:LARGEST]
    if name in ("SCP-ECG", "ISHNE") and dice.random() < 0.9 and len(content) > 16:
        with contextlib.suppress(struct.error, OverflowError):
            content = written.mended(content)
    return content


Change = Callable[[bytes, random.Random], bytes]


def _changes(name: str) -> tuple[Change, ...]:
    if "XML" in name or name == "HL7 aECG":
        return (_token, _token, _repeated_element, _nested, _moved, _without, _repeated, _cut, _byte, _encoded)
    if name in ("CSV", "WFDB"):
        return (_token, _token, _token, _repeated, _without, _cut, _byte, _number)
    if name == "DICOM ECG":
        return (_dicom_field, _dicom_field, _dicom_part, _token, _number, _cut, _byte, _nested_items)
    if name == ZIP:
        return (_zip_field, _zip_field, _zip_field, _number, _token, _repeated, _without, _cut, _byte)
    return (_number, _number, _number, _token, _repeated, _without, _cut, _byte)


def _token(content: bytes, dice: random.Random) -> bytes:
    """A word or number of the text for another."""
    place = dice.randrange(max(1, min(len(content), 4096) if dice.random() < 0.7 else len(content)))
    found = _TOKEN.search(content, place)
    if found is None:
        return content
    is_number = found[0][:1] in b"+-.0123456789"
    new = dice.choice(NUMBERS if is_number and dice.random() < 0.8 else WORDS)
    if dice.random() < 0.1:
        new *= dice.choice((2, 50, 1000))
    return content[: found.start()] + new + content[found.end() :]


def _span(content: bytes, dice: random.Random) -> tuple[int, int]:
    begin = dice.randrange(len(content) + 1)
    return begin, min(len(content), begin + dice.choice((1, 2, 4, 8, 10, 16, 100, 1000)))


def _repeated(content: bytes, dice: random.Random) -> bytes:
    begin, end = _span(content, dice)
    return content[:end] + content[begin:end] * dice.choice((1, 2, 20, 300)) + content[end:]


def _without(content: bytes, dice: random.Random) -> bytes:
    begin, end = _span(content, dice)
    return content[:begin] + content[end:]


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _byte(content: bytes, dice: random.Random) -> bytes:
    if not content:
        return content
    changed = bytearray(content)
    changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _number(content: bytes, dice: random.Random) -> bytes:
    """A number of 1, 2 or 4 bytes for one at the edges, or near the file's length; most often near the beginning."""
    size = dice.choice((1, 2, 2, 4, 4))
    if len(content) < size:
        return content
    most = min(len(content), 600) if dice.random() < 0.8 else len(content)
    place = dice.randrange(max(1, most - size + 1))
    value = dice.choice((0, 1, 2, 12, 16, 17, 127, 255, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1,
                         len(content), len(content) - 1, len(content) + 1, len(content) // 2, place))  # fmt: skip
    new = (value % 256**size).to_bytes(size, dice.choice(("little", "little", "big")))
    return content[:place] + new + content[place + size :]


def _zip_field(content: bytes, dice: random.Random) -> bytes:
    """A number of a member's header, of the directory or of its end, for one at the edges or of another field."""
    places = [found.start() for found in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", content)]
    if not places:
        return content
    place, size = dice.choice(places) + dice.randrange(4, 46, 2), dice.choice((2, 2, 4))
    value = dice.choice((0, 1, 8, 9, 0xFFFF, 2**31, 2**32 - 1, len(content), dice.choice(places), 0xA1FF0000, 4096))
    return content[:place] + (value % 256**size).to_bytes(size, "little") + content[place + size :]


def _element(content: bytes, dice: random.Random) -> tuple[int, int] | None:
    found = _ELEMENT.search(content, dice.randrange(max(1, len(content))))
    return None if found is None else found.span()


def _repeated_element(content: bytes, dice: random.Random) -> bytes:
    span = _element(content, dice)
    if span is None:
        return content
    return content[: span[1]] + content[slice(*span)] * dice.choice((1, 2, 30, 500)) + content[span[1] :]


def _nested(content: bytes, dice: random.Random) -> bytes:
    span = _element(content, dice)
    if span is None:
        return content
    inner = content[slice(*span)]
    tag = re.match(rb"<([A-Za-z]+)", inner)
    depth = dice.choice((1, 2, 60, 70))
    assert tag is not None
    return content[: span[0]] + b"<%s>" % tag[1] * depth + inner + b"</%s>" % tag[1] * depth + content[span[1] :]


def _moved(content: bytes, dice: random.Random) -> bytes:
    span = _element(content, dice)
    if span is None:
        return content
    inner, rest = content[slice(*span)], content[: span[0]] + content[span[1] :]
    place = rest.find(b"<", dice.randrange(max(1, len(rest))))
    return rest[:place] + inner + rest[place:]


def _encoded(content: bytes, dice: random.Random) -> bytes:
    """Another encoding, declared or not."""
    codec = dice.choice(("utf-16", "gb18030", "big5", "shift_jis", "latin-1", "utf-8-sig"))
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", errors="replace")
    if dice.random() < 0.5:
        text = f'<?xml version="1.0" encoding="{codec}"?>' + text.partition("?>")[2]
    return text.encode(codec, errors="replace")


def _dicom_headers(content: bytes) -> list[int]:
    """Where elements and items may begin: at a group that DICOM waveforms have, in little-endian order."""
    pattern = re.compile(rb"(?:\x02\0|\x08\0|\x10\0|\x3a\0|\x00\x54|\xfe\xff)..", re.DOTALL)
    return [found.start() for found in pattern.finditer(content, PREAMBLE)]


def _dicom_field(content: bytes, dice: random.Random) -> bytes:
    """Tag, value representation or length of an element for another."""
    places = _dicom_headers(content)
    if not places:
        return content
    place = dice.choice(places)
    if dice.random() < 0.3:
        other = dice.choice(places)
        return content[:place] + content[other : other + 4] + content[place + 4 :]
    if dice.random() < 0.3:
        kind = dice.choice((b"SQ", b"UN", b"OB", b"OW", b"US", b"DS", b"\0\0", b"UL", b"LO"))
        return content[: place + 4] + kind + content[place + 6 :]
    size, at = dice.choice(((2, 6), (4, 8), (4, 4)))
    value = dice.choice(
        (0, 1, 2, 0xFFFF, 2**32 - 1, 2**31, len(content), len(content) - place, len(content) - place - 8)
    )
    new = (value % 256**size).to_bytes(size, "little")
    return content[: place + at] + new + content[place + at + size :]


def _dicom_part(content: bytes, dice: random.Random) -> bytes:
    """From one header to another: left out, repeated or moved."""
    places = _dicom_headers(content)
    if len(places) < 2:
        return content
    begin, end = sorted(dice.sample(places, 2))
    part = content[begin:end]
    kind = dice.randrange(3)
    if kind == 0:
        return content[:begin] + content[end:]
    if kind == 1:
        return content[:end] + part * dice.choice((1, 2, 50)) + content[end:]
    place = dice.choice(places)
    return content[:place] + part + content[place:]


def _nested_items(content: bytes, dice: random.Random) -> bytes:
    sequence = struct.pack("<HH2sHI", 0x5400, 0x100, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 2**32 - 1
    )
    places = _dicom_headers(content) or [min(PREAMBLE, len(content))]
    place = dice.choice(places)
    return content[:place] + sequence * dice.choice((1, 3, 20, 3000)) + content[place:]
