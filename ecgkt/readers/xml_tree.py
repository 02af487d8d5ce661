"""XML from strangers: no document type of its own, no entities, bounded size; and numbers packed as base64."""

from __future__ import annotations

import binascii
import re
from xml.etree.ElementTree import Element, TreeBuilder

import numpy as np
from defusedxml import ElementTree

from ecgkt.ecg import ECGError

# A minute of 12 leads at 1,000 Hz as plain numbers (HL7 aECG, the longest) is below 5 MB.
MAX_XML_BYTES = 8 * 1024 * 1024
MAX_TAGS = 100_000  # opening and closing; bounds the memory of the tree. Real files have some thousands
MAX_DEPTH = 64  # the parser's time grows with the square of it
SNIFFED = 64 * 1024  # bytes; samples open with a page of comments

# What may stand before the root. A bare document type (MUSE's `<!DOCTYPE RestingECG SYSTEM "restecg.dtd">`) is passed
# over unread; one that declares anything matches nothing here and is refused.
_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[<>]*>", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding=["']([\w-]+)["']""")
# Only codecs known to take linear time; everything that is read from these files is ASCII in any of them.
_CODECS = {"utf-8", "utf-16", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "gb2312", "gbk", "gb18030",
           "big5", "shift_jis", "euc-kr"}  # fmt: skip


class _Tree(TreeBuilder):
    """Builds the tree unless it is too deep."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:  # type: ignore[override]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ECGError("The XML file is malformed.")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def root_name(content: bytes) -> str:
    """The root element's name without its namespace; "" where the content is no XML."""
    text = _text(content[:SNIFFED])
    found = _ROOT.match(text, _prolog(text))
    return found[1] if found else ""


def parse_xml(content: bytes) -> Element:
    """The root element. Raises ECGError for what is too large, malformed, or declares a document type or an entity."""
    if len(content) > MAX_XML_BYTES:
        raise ECGError(f"The XML file is larger than {MAX_XML_BYTES // 2**20} MB.")
    text = _text(content)
    if text.count("<") > MAX_TAGS:
        raise ECGError("The XML file has more elements than an ECG can need.")
    try:
        parser = ElementTree.DefusedXMLParser(target=_Tree(), forbid_dtd=True)
        parser.feed(text[_prolog(text) :])
        root: Element = parser.close()
    except Exception:  # the parser's words may quote the file
        raise ECGError("The XML file is malformed.") from None
    return root


def words(element: Element | None, path: str) -> str:
    """The text at `path` below `element`, "" if there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()


def int16_samples(text: str) -> np.ndarray:
    """[samples] int16 from the base64 of little-endian numbers. Raises ECGError where it is not that."""
    return np.frombuffer(base64_bytes(text, 2), dtype="<i2")


def base64_bytes(text: str, size: int = 1) -> bytes:
    """The bytes that base64 stands for, a multiple of `size` many, white space ignored. Raises ECGError."""
    try:
        raw = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError:
        raise ECGError("The samples of a lead are not valid base64.") from None
    if not raw or len(raw) % size:
        raise ECGError("A lead of the file holds no whole number of samples.")
    return raw


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec = "utf-16"
    else:
        declared = _DECLARED.match(content[:200])
        codec = declared[1].decode().lower() if declared else "utf-8"
        if codec not in _CODECS or codec == "utf-16":
            codec = "utf-8"
    return content.decode(codec, errors="replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def _prolog(text: str) -> int:
    """Where the root element begins."""
    position = 0
    while found := _PROLOG.match(text, position):
        position = found.end()
    return position
