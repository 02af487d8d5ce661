"""Typed JSON files: records that are read strictly (no unknown key, no missing key, no wrong type) and by version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

LARGEST = 8 * 2**20  # bytes; the largest that ships has less than one MB
LONGEST = 10_000  # characters of one text or key
MOST = 10_000  # entries of one list or object; a head of the largest network known has 1,500 labels
# What a terminal or a page obeys rather than shows: control characters but for tab and line end, and what turns the
# direction of writing.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A JSON object. Fields with a default are optional in the file, and left out of it where they equal the default.

    `None` stands for what could not be measured or does not apply.
    """


class RecordError(ValueError):
    """A file that is not what its format says; one clear sentence."""


class _Versioned(msgspec.Struct):
    version: int | None = None


R = TypeVar("R", bound=Record)


def decode(content: bytes, kind: type[R], version: int, name: str) -> R:
    """The record in a JSON file; `name` is the file's name in messages. Raises RecordError."""
    if len(content) > LARGEST:
        raise RecordError(f"{name} is larger than {LARGEST // 2**20} MB.")
    try:
        tree = msgspec.json.decode(content)
        if not all(len(part) <= MOST for part in _parts(tree)):
            raise RecordError(f"{name} holds a list of more than {MOST:,} entries.")
        if not all(len(text) <= LONGEST and not _HIDDEN.search(text) for text in _texts(tree)):
            raise RecordError(f"{name} holds text that is overlong, or of characters that are not shown.")
        found = msgspec.json.decode(content, type=_Versioned).version
        if found != version:
            said = "states no version" if found is None else f"is of version {found}"
            raise RecordError(f"{name} {said}; this ecgkt reads version {version}.")
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise RecordError(f"{name} does not follow version {version} of its format: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # the last: brackets a thousand deep
        raise RecordError(f"{name} is not valid JSON.") from error


def _parts(tree: Any) -> Iterator[list[Any] | dict[str, Any]]:
    """All lists and objects of what JSON holds."""
    left = [tree]
    while left:
        part = left.pop()
        if isinstance(part, list | dict):
            yield part
            left += part if isinstance(part, list) else part.values()


def _texts(tree: Any) -> Iterator[str]:
    """All its texts and keys."""
    for part in _parts([tree]):
        yield from (each for each in part if isinstance(each, str))
        if isinstance(part, dict):
            yield from (each for each in part.values() if isinstance(each, str))


def encode(record: Record) -> bytes:
    """Indented JSON; numbers come back from `decode` to the last bit. NaN becomes null, which `decode` refuses."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
