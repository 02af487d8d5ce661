"""Bytes -> text in time that grows with their number alone, whatever they are.

Python asks an error handler of its own for each byte that a character set leaves out, and for each half of a pair in
UTF-16: a third of a microsecond, and a stranger's file may hold eight million. Here nothing is left to be asked: what
means nothing is U+FFFD. All that readers look for is ASCII or within the first plane of Unicode.
"""

from __future__ import annotations

import codecs
from functools import cache

import numpy as np

UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks
# Python decodes these without asking: one step of C for a wrong byte.
TOTAL = frozenset({"utf-8", "gb18030", "gbk", "gb2312", "big5", "shift_jis", "euc-kr"})
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def is_utf16(content: bytes) -> bool:
    return content.startswith(UTF_16)


def utf16(content: bytes) -> str:
    """The text behind a byte order mark; letters beyond the first plane become U+FFFD."""
    order = "<u2" if content.startswith(UTF_16[0]) else ">u2"
    units = np.frombuffer(content, order, len(content) // 2 - 1, 2)
    return np.where((units & 0xF800) == 0xD800, 0xFFFD, units).astype("<u2").tobytes().decode("utf-16-le")


def decoded(content: bytes, codec: str) -> str:
    """The text in one of `TOTAL`, or in a character set of one byte a character."""
    if codec in TOTAL:
        return content.decode(codec, errors="replace")
    return codecs.charmap_decode(content, "strict", _characters(codec))[0]


@cache
def _characters(codec: str) -> str:
    """What each of the 256 bytes stands for."""
    return bytes(range(256)).decode(codec, errors="replace")
