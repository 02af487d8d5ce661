"""XML from strangers, by the one parser that every format of XML goes through; and numbers packed as base64.

No document type of its own, no entities, bounded size, and bounded numbers of elements, attributes and levels. Names
are taken without their prefix and namespaces are not expanded: a long one would be copied into every name.
"""

from __future__ import annotations

import binascii
import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from ecgkt.ecg import ECGError
from ecgkt.readers.encodings import decoded, is_utf16, utf16

# A minute of 12 leads at 1,000 Hz as plain numbers (HL7 aECG, the longest) is below 5 MB.
MAX_XML_BYTES = 8 * 1024 * 1024
MAX_MARKS = 100_000  # tags, opening and closing; and attributes. Real files have some thousands
MAX_DEPTH = 64
MAX_NAME = 256  # characters
MAX_PROLOG = 256  # comments and instructions before the root
SNIFFED = 64 * 1024  # bytes; samples open with a page of comments
BOM = b"\xef\xbb\xbf".decode("latin-1")  # a byte order mark, a character a byte
# Characters given to the parser at once. It begins an unfinished tag, comment or value anew with each piece (mended in
# expat 2.6), so these are few.
CHUNK = 1024 * 1024
WHITE_SPACE = b" \t\n\r\f\v"

# Everything that is read from these files is ASCII in any of them.
_CODECS = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "gb2312", "gbk", "gb18030",
           "big5", "shift_jis", "euc-kr"}  # fmt: skip
_SPACE = re.compile(r"\s*+")
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:")


class _Tree:
    """Builds the tree as long as it is an ECG's."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        parser = expat.ParserCreate()  # without a separator: no namespaces
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.StartDoctypeDeclHandler = _refuse  # before any entity can be declared in it
        self._parser = parser

    def parse(self, text: str, start: int) -> Element:
        for place in range(start, len(text), CHUNK):
            self._parser.Parse(text[place : place + CHUNK], False)
        self._parser.Parse("", True)
        return self._builder.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH or len(name) > MAX_NAME:
            raise ECGError("The XML file is malformed.")
        self._builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_local(name))


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse(name: str, system: str | None, public: str | None, has_internal: int) -> None:
    raise ECGError("The XML file is malformed.")


def root_name(content: bytes) -> str:
    """The root element's name without its prefix; "" where the content is no XML."""
    # In every codec that is read but UTF-16, these marks and names are the bytes of ASCII and nothing else is.
    start_of_file = content[:SNIFFED]
    text = (utf16(start_of_file) if is_utf16(content) else start_of_file.decode("latin-1")).removeprefix(BOM)
    start = _prolog(text)
    if text[start : start + 1] != "<":
        return ""
    end = start + 1
    while end < len(text) and text[end] in _NAME and end - start <= MAX_NAME:
        end += 1
    return _local(text[start + 1 : end])


def parse_xml(content: bytes) -> Element:
    """The root element, names without prefixes.

    Raises ECGError for what is too large, malformed, or declares a document type or an entity.
    """
    if len(content) > MAX_XML_BYTES:
        raise ECGError(f"The XML file is larger than {MAX_XML_BYTES // 2**20} MB.")
    # Each tag takes one of the first, each attribute one of the second: counted before the parser allots anything.
    if content.count(b"<") > MAX_MARKS or content.count(b"=") > MAX_MARKS:
        raise ECGError("The XML file has more elements than an ECG can need.")
    text = _text(content)
    try:
        return _Tree().parse(text, _prolog(text))
    except (expat.ExpatError, ECGError, AssertionError, ValueError):  # the parser's words may quote the file
        raise ECGError("The XML file is malformed.") from None


def words(element: Element | None, path: str) -> str:
    """The text at `path` below `element`, "" if there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()


def int16_samples(text: str) -> np.ndarray:
    """[samples] int16 from the base64 of little-endian numbers. Raises ECGError where it is not that."""
    return np.frombuffer(base64_bytes(text, 2), dtype="<i2")


def base64_bytes(text: str, size: int = 1) -> bytes:
    """The bytes that base64 stands for, a multiple of `size` many, white space ignored. Raises ECGError."""
    try:
        raw = binascii.a2b_base64(text.encode("ascii").translate(None, WHITE_SPACE), strict_mode=True)
    except ValueError:
        raise ECGError("The samples of a lead are not valid base64.") from None
    if not raw or len(raw) % size:
        raise ECGError("A lead of the file holds no whole number of samples.")
    return raw


def _text(content: bytes) -> str:
    if is_utf16(content):
        return utf16(content)
    return decoded(content, _declared(content[:200])).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def _declared(start: bytes) -> str:
    """The encoding that the XML declaration names, if it is one of those that are read; else UTF-8."""
    if not start.startswith(b"<?xml"):
        return "utf-8"
    behind = start.partition(b">")[0].partition(b"encoding=")[2]
    codec = behind[1:].partition(behind[:1])[0].decode("latin-1").lower() if behind[:1] in (b'"', b"'") else ""
    return codec if codec in _CODECS else "utf-8"


def _prolog(text: str) -> int:
    """Where the root element begins.

    A bare document type (MUSE's `<!DOCTYPE RestingECG SYSTEM "restecg.dtd">`) is passed over unread; one that declares
    anything is not, and is refused by the parser.
    """
    position = 0
    for _ in range(MAX_PROLOG):
        if found := _SPACE.match(text, position):
            position = found.end()
        if text.startswith("<?", position):
            end = text.find("?>", position)
        elif text.startswith("<!--", position):
            end = text.find("-->", position) + 1
        elif text.startswith("<!DOCTYPE", position):
            end = text.find(">", position) - 1
            declared = text[position + 1 : max(position + 1, end)]
            if "[" in declared or "<" in declared:
                return position
        else:
            return position
        if end < position:  # it does not end
            return position
        position = end + 2
    return position
