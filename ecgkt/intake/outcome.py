"""What came of one record of an upload, and how it goes from process to process: JSON, and samples as they are.

No pickle: what a reading process says is held against its sizes before it is believed.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgkt.ecg import ECG, LEADS
from ecgkt.readers import MAX_SECONDS, TableLayout
from ecgkt.readers.format import MAX_RATE

MAX_MESSAGE = 16 * 1024 * 1024  # bytes of JSON; a list of files, or an ECG's notes
MAX_SIGNAL = 4 * len(LEADS) * int(MAX_SECONDS * MAX_RATE)  # bytes


@dataclass(frozen=True)
class Outcome:
    """One record. Either `ecg`, or in `refusal` one sentence that says why there is none.

    format: what it was read as ("DICOM ECG"), "" for none of the formats. is_table: is it a table of numbers, for which
    a `TableLayout` can be asked? digest: SHA-256 of its files, by which to know it again. files: which of those
    uploaded it is made of; empty for what lay in a zip.
    """

    format: str
    is_table: bool
    digest: str
    ecg: ECG | None = None
    refusal: str = ""
    files: tuple[str, ...] = ()


class Broken(Exception):
    """The other side is gone, or does not say what it should."""


def send_request(line: socket.socket, files: Mapping[str, bytes], layout: TableLayout | None, folder: str) -> None:
    """folder: where the reading process may put what a library must have on disk; the server removes it."""
    table = None if layout is None else [layout.rate, layout.units_per_mv, list(layout.leads)]
    sizes = [[name, len(content)] for name, content in files.items()]
    _send(line, {"files": sizes, "layout": table, "folder": folder})
    for content in files.values():
        line.sendall(content)


def receive_request(line: socket.socket) -> tuple[dict[str, bytes], TableLayout | None, str]:
    request = _receive(line)
    files = {name: bytes(_exactly(line, size)) for name, size in request["files"]}
    table = request["layout"]
    layout = None if table is None else TableLayout(table[0], table[1], tuple(table[2]))
    return files, layout, str(request["folder"])


def send_list(line: socket.socket, outcomes: list[Outcome]) -> None:
    """The records, before any is read."""
    _send(line, {"records": [[each.format, each.is_table, each.digest, each.files] for each in outcomes]})


def receive_list(line: socket.socket) -> list[Outcome]:
    records = _receive(line)["records"]
    return [
        Outcome(str(name), bool(is_table), str(digest), files=tuple(map(str, files)))
        for name, is_table, digest, files in records
    ]


def send_ecg(line: socket.socket, found: ECG | str) -> None:
    """The ECG of the next record, or the sentence that says why there is none."""
    if isinstance(found, str):
        _send(line, {"refusal": found})
        return
    said = {"rate": found.rate, "age": found.age, "sex": found.sex, "notes": found.notes, "samples": found.samples}
    _send(line, said)
    line.sendall(np.ascontiguousarray(found.signal, dtype="<f4").tobytes())


def receive_ecg(line: socket.socket) -> ECG | str:
    said = _receive(line)
    if "refusal" in said:
        return str(said["refusal"])
    size = 4 * len(LEADS) * int(said["samples"])
    if not 0 < size <= MAX_SIGNAL or said["sex"] not in ("female", "male", None):
        raise Broken
    signal = np.frombuffer(_exactly(line, size), dtype="<f4").reshape(len(LEADS), -1).astype(np.float32)
    age = None if said["age"] is None else float(said["age"])
    return ECG(signal, float(said["rate"]), age, said["sex"], tuple(map(str, said["notes"])))


def _send(line: socket.socket, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode()
    line.sendall(len(data).to_bytes(4, "big") + data)


def _receive(line: socket.socket) -> dict[str, Any]:
    size = int.from_bytes(_exactly(line, 4), "big")
    if size > MAX_MESSAGE:
        raise Broken
    message = json.loads(bytes(_exactly(line, size)))
    if not isinstance(message, dict):
        raise Broken
    return message


def _exactly(line: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        got = line.recv_into(view[done:])
        if not got:
            raise Broken
        done += got
    return data
