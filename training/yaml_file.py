"""YAML files of a user's: read within limits, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ecgkt.readers.opening import open_file

LARGEST = 200_000  # bytes; of some thousands that a file of settings has, each costs 10 us


class _Loader(yaml.SafeLoader):
    """Without `<<`, by which a page of text becomes more keys than memory holds."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, "merged keys are not read", key.start_mark)
        super().flatten_mapping(node)


def content_of(file: Path) -> Any:
    """What the YAML holds. Raises ValueError."""
    with open_file(file) as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"{file.name} is larger than {LARGEST:,} bytes.")
    try:
        return yaml.load(content.decode("utf-8"), _Loader)
    except UnicodeDecodeError:
        raise ValueError(f"{file.name} is no text in UTF-8.") from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:  # the last three of a date, a number, of depth
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"{file.name} is no YAML" + (f" (line {mark.line + 1})." if mark else ".")) from None
