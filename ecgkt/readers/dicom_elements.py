"""The structure of a DICOM file (PS3.10 chapter 7, PS3.5 chapter 7): elements, sequences and their items.

One walk from front to back. Every length is held against what is left before it is used, every element, item and
delimiter is counted, and nothing is copied: a value is a view of the file. Only the elements that an ECG needs are kept
(`KEPT`); no name, identifier, date or institution among them. Compressed data sets are refused where their transfer
syntax is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ecgkt.ecg import ECGError
from ecgkt.readers.encodings import decoded

MAX_ELEMENTS = 50_000  # with items and delimiters. A 12-lead ECG has some hundreds, with annotations some thousands
MAX_DEPTH = 16
LONGEST_TEXT = 1024  # bytes of a value that are looked at
HEADER_GROUPS = frozenset((0x0008, 0x0010, 0x0012, 0x0020, 0x0032, 0x0038))  # of patient, study, visit and object
LONGEST_HEADER = 2**17  # bytes; some kilobytes are usual
PREAMBLE = 132
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
TRANSFER_SYNTAX = 0x00020010
IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})

# Tag -> keyword (PS3.6).
SEQUENCES = {
    0x54000100: "WaveformSequence",
    0x003A0200: "ChannelDefinitionSequence",
    0x003A0208: "ChannelSourceSequence",
    0x003A0211: "ChannelSensitivityUnitsSequence",
}
KEPT = {
    **SEQUENCES,
    0x00080005: "SpecificCharacterSet",
    0x00101010: "PatientAge",
    0x00100040: "PatientSex",
    0x003A0004: "WaveformOriginality",
    0x003A0005: "NumberOfWaveformChannels",
    0x003A0010: "NumberOfWaveformSamples",
    0x003A001A: "SamplingFrequency",
    0x003A0020: "MultiplexGroupLabel",
    0x003A0203: "ChannelLabel",
    0x003A0210: "ChannelSensitivity",
    0x003A0212: "ChannelSensitivityCorrectionFactor",
    0x003A0213: "ChannelBaseline",
    0x003A0214: "ChannelTimeSkew",
    0x003A0215: "ChannelSampleSkew",
    0x00080100: "CodeValue",
    0x00080102: "CodingSchemeDesignator",
    0x00080104: "CodeMeaning",
    0x54001004: "WaveformBitsAllocated",
    0x54001006: "WaveformSampleInterpretation",
    0x5400100A: "WaveformPaddingValue",
    0x54001010: "WaveformData",
}
# Character sets of one part (PS3.3 C.12.1.1.2) -> codec. Of the others, which change in the middle, ASCII is read.
CODECS = {
    "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk", "ISO_IR 101": "iso8859-2", "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4", "ISO_IR 144": "iso8859-5", "ISO_IR 127": "iso8859-6", "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8", "ISO_IR 148": "iso8859-9", "ISO_IR 13": "shift_jis",
}  # fmt: skip


@dataclass
class DataSet:
    """The elements kept of a data set or an item, by keyword."""

    little_endian: bool
    codec: str
    values: dict[str, memoryview] = field(default_factory=dict)
    sequences: dict[str, list[DataSet]] = field(default_factory=dict)

    def text(self, keyword: str) -> str:
        """The first of its values, "" where there is none."""
        words = decoded(bytes(self.values.get(keyword, b"")[:LONGEST_TEXT]), self.codec)
        return words.partition("\\")[0].strip(" \0")

    def number(self, keyword: str, default: float = 0.0) -> float:
        """A number written out (DS, IS); `default` where it is absent or empty. Raises ValueError."""
        words = self.text(keyword)
        return float(words) if words else default

    def count(self, keyword: str) -> int:
        """A whole number in 2 or 4 bytes (US, UL); 0 where it is absent. Raises ValueError."""
        value = bytes(self.values.get(keyword, b""))
        if len(value) not in (0, 2, 4):
            raise ValueError
        return int.from_bytes(value, "little" if self.little_endian else "big")


def read_elements(content: bytes) -> DataSet:
    """The elements of a DICOM file. Raises ECGError for a compressed, malformed or overlong one."""
    try:
        return _behind_meta_information(content).data_set(len(content), 0)
    except (struct.error, RecursionError):
        raise ECGError("The DICOM file is malformed.") from None


def header(content: bytes) -> bytes:
    """A DICOM file of what the one given says of patient, study and object (`HEADER_GROUPS`), unchanged
    and not looked into. Raises ECGError for a compressed, malformed or overlong one."""
    try:
        walk = _behind_meta_information(content)
        kept, size = [content[: walk.position]], walk.position
        while walk.position < len(content):
            begin = walk.position
            if walk.pass_over() >> 16 in HEADER_GROUPS:
                kept.append(content[begin : walk.position])
                size += walk.position - begin
            if size > LONGEST_HEADER:
                raise ECGError("The header of the DICOM file is longer than an ECG can need.")
        return b"".join(kept)
    except (struct.error, RecursionError):
        raise ECGError("The DICOM file is malformed.") from None


def _behind_meta_information(content: bytes) -> _Walk:
    """Where the data set begins, to be walked in its transfer syntax. Raises ECGError and struct.error."""
    meta = _Walk(memoryview(content), PREAMBLE, explicit=True, little_endian=True)
    syntax = meta.meta_information()
    if syntax == DEFLATED:
        raise ECGError("Compressed DICOM files are not read.")
    start = meta.position
    explicit = content[start + 4 : start + 6].isalpha() and content[start + 4 : start + 6].isupper()
    return _Walk(memoryview(content), start, explicit and syntax != IMPLICIT, syntax != BIG_ENDIAN)


class _Walk:
    def __init__(self, content: memoryview, position: int, explicit: bool, little_endian: bool) -> None:
        self.position = position
        self._content, self._explicit, self._little = content, explicit, little_endian
        order = "<" if little_endian else ">"
        self._tag, self._long, self._short = (struct.Struct(order + form) for form in ("HH", "I", "H"))
        self._left = MAX_ELEMENTS
        self._codec = "latin-1"

    def meta_information(self) -> str:
        """The transfer syntax; the walk then stands where the data set begins."""
        syntax = ""
        while self.position + 8 <= len(self._content):
            begin = self.position
            tag, _, length = self._header()
            if tag >> 16 != 2:
                self.position = begin
                break
            value = self._value(length, len(self._content))
            if tag == TRANSFER_SYNTAX:
                syntax = bytes(value[:64]).decode("latin-1").strip(" \0")
        return syntax

    def pass_over(self) -> int:
        """The tag of the element that was passed over."""
        tag, representation, length = self._header()
        if length == UNDEFINED:
            self._sequence(tag, representation, length, len(self._content), 0)
        else:
            self._value(length, len(self._content))
        return tag

    def data_set(self, end: int, depth: int, *, delimited: bool = False) -> DataSet:
        """Elements up to `end`, or up to the item's delimiter."""
        if depth > MAX_DEPTH:
            raise ECGError("The DICOM file is malformed.")
        found = DataSet(self._little, self._codec)
        while self.position < end:
            tag, representation, length = self._header()
            if tag == ITEM_END and delimited:
                return found
            if tag in SEQUENCES or representation == b"SQ" or length == UNDEFINED:
                if length != UNDEFINED and tag not in SEQUENCES:
                    self._value(length, end)
                    continue
                items = self._sequence(tag, representation, length, end, depth)
                if tag in SEQUENCES:
                    found.sequences[KEPT[tag]] = items
                continue
            value = self._value(length, end)
            if tag in KEPT:
                found.values[KEPT[tag]] = value
            if KEPT.get(tag) == "SpecificCharacterSet":
                self._codec = found.codec = CODECS.get(found.text("SpecificCharacterSet"), "latin-1")
        if delimited or self.position > end:
            raise ECGError("The DICOM file is malformed.")
        return found

    def _sequence(self, tag: int, representation: bytes, length: int, end: int, depth: int) -> list[DataSet]:
        if length != UNDEFINED:
            self._fits(length, end)
            end = self.position + length
        fragments = representation in (b"OB", b"OW")  # encapsulated pixels: their items hold no elements
        explicit, self._explicit = self._explicit, self._explicit and representation != b"UN"  # PS3.5 6.2.2, note 2
        items = []
        while self.position < end:
            begins, _, size = self._header()
            if begins == SEQUENCE_END and length == UNDEFINED:
                break
            if begins != ITEM:
                raise ECGError("The DICOM file is malformed.")
            if fragments:
                self._value(size, end)
            elif size == UNDEFINED:
                items.append(self.data_set(end, depth + 1, delimited=True))
            else:
                self._fits(size, end)
                if tag in SEQUENCES:
                    items.append(self.data_set(self.position + size, depth + 1))
                else:
                    self.position += size
        else:
            if length == UNDEFINED or self.position > end:
                raise ECGError("The DICOM file is malformed.")
        self._explicit = explicit
        return items

    def _header(self) -> tuple[int, bytes, int]:
        """Tag, value representation (empty where it is implicit) and length."""
        self._left -= 1
        if self._left < 0:
            raise ECGError("The DICOM file has more elements than an ECG can need.")
        group, element = self._tag.unpack_from(self._content, self.position)
        tag, place = group << 16 | element, self.position + 4
        if not self._explicit or group == 0xFFFE:
            self.position = place + 4
            return tag, b"", self._long.unpack_from(self._content, place)[0]
        representation = bytes(self._content[place : place + 2])
        if representation in LONG:
            self.position = place + 8
            return tag, representation, self._long.unpack_from(self._content, place + 4)[0]
        self.position = place + 4
        return tag, representation, self._short.unpack_from(self._content, place + 2)[0]

    def _value(self, length: int, end: int) -> memoryview:
        self._fits(length, end)
        begin, self.position = self.position, self.position + length
        return self._content[begin : self.position]

    def _fits(self, length: int, end: int) -> None:
        if length > end - self.position:
            raise ECGError("The DICOM file is malformed.")
