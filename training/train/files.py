"""Files that a killed run leaves whole: written beside their place, put on the disk, and only then renamed to it.

Tensors carry the SHA-256 of their values and JSON records can be parsed or not, so what a full disk, a failing one or a
stranger's hand has done to a file is noticed when it is read, and said by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from secrets import token_hex
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

ABOUT, CHECKSUM = "about", "sha256"
Metadata = dict[str, Any]


class Damaged(ValueError):
    """A file that is not what was written; one clear sentence."""


def write(path: Path, content: bytes) -> None:
    """Put `content` in `path`, all of it or nothing. Raises OSError (a full disk) and leaves what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes side by side may write the same file, and nobody can have made a link of this name.
    partial = path.with_name(f".{path.name}.{token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    settle(path.parent)


def remove_partial(path: Path) -> None:
    """What writers of `path` that were killed have left of it. For a file that nobody writes any more."""
    for partial in path.parent.glob(f".{path.name}.*.partial"):
        partial.unlink(missing_ok=True)


def settle(folder: Path) -> None:
    """Put the names in a folder on the disk, so that a rename outlives a loss of power."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def lock(folder: Path) -> FileLock:
    """Held by the process that makes what belongs in `folder`; the system releases it when the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "made.lock")


def is_locked(folder: Path) -> bool:
    try:
        with lock(folder).acquire(blocking=False):
            return False
    except Timeout:
        return True


def write_json(path: Path, record: object) -> None:
    write(path, (json.dumps(record, indent=1) + "\n").encode())


def read_json(path: Path) -> Any:
    """Raises FileNotFoundError, and Damaged for what is no JSON."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path} is damaged: it is no JSON.") from error


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: Metadata | None = None) -> None:
    """safetensors with the values' checksum and `metadata` (anything that JSON holds)."""
    ready = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    # Under one key: safetensors writes several in any order, and equal files should have equal bytes.
    said = json.dumps({"metadata": metadata or {}, CHECKSUM: checksum(ready)})
    write(path, save(ready, {ABOUT: said}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], Metadata]:
    """Tensors and metadata. Raises FileNotFoundError, and Damaged for a cut or an altered file."""
    content = path.read_bytes()
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header["__metadata__"][ABOUT])
        metadata, stated = about["metadata"], about[CHECKSUM]
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} is damaged: it is cut or no safetensors file of this program.") from error
    if checksum(tensors) != stated:
        raise Damaged(f"{path} is damaged: its values are not those that were written.")
    return tensors, metadata


def checksum(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of names and values, whatever else a file holds."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        value = tensors[key].contiguous()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
