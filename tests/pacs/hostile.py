"""A DICOMweb server that answers as it is told to, byte by byte, in a thread; and what it can say."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"  # 12-lead ECG waveform storage
STUDY, SERIES, INSTANCE = "1.2", "1.2.9", "1.2.3"

Talk = Callable[[socket.socket, str], None]  # (connection, first line of the question)


@contextmanager
def serving(talk: Talk) -> Iterator[tuple[str, list[str]]]:
    """(root of the service, first lines of what it was asked)."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[str] = []
    open_: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with suppress(OSError):
            content = b""
            while b"\r\n\r\n" not in content:
                content += connection.recv(2**16) or b"\r\n\r\n"
            first = content.split(b"\r\n", 1)[0].decode("latin-1")
            asked.append(first)
            connection.settimeout(0.3)
            while first.startswith("POST") and not content.endswith((b"--", b"0\r\n\r\n")):
                try:
                    content += connection.recv(2**20)
                except TimeoutError:
                    break
            connection.settimeout(None)
            talk(connection, first)
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                open_.append(connection)
                Thread(target=one, args=(connection,), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/dicom-web", asked
    finally:
        for each in (listening, *open_):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def answer(body: bytes, kind: str = "application/dicom+json", status: str = "200 OK", more: str = "") -> bytes:
    """more: lines of the header, each with its end."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return f"{head}{more}\r\n".encode() + body


def listing(*entries: dict[str, Any]) -> bytes:
    return answer(json.dumps(entries).encode())


def uid(value: str | None) -> dict[str, Any]:
    return {"vr": "UI", "Value": [value]}


def study(instance_uid: str = STUDY, **more: Any) -> dict[str, Any]:
    return {"0020000D": uid(instance_uid), "00100020": {"vr": "LO", "Value": ["P1"]}} | more


def instance(study: str = STUDY, series: str = SERIES, own: str | None = INSTANCE) -> dict[str, Any]:
    return {"00080016": uid(ECG), "00080018": uid(own), "0020000D": uid(study), "0020000E": uid(series)}


def envelope(file: bytes, end: bytes = b"\r\n--B--", boundary: str = "B") -> bytes:
    body = b"\r\n--B\r\nContent-Type: application/dicom\r\n\r\n" + file + end
    return answer(body, f'multipart/related; type="application/dicom"; boundary={boundary}')


def always(content: bytes) -> Talk:
    return lambda connection, first: connection.sendall(content)


def endless(head: bytes, piece: bytes) -> Talk:
    def talk(connection: socket.socket, first: str) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return talk


def silent(head: bytes) -> Talk:
    """Begins an answer and says no more until the other side hangs up."""

    def talk(connection: socket.socket, first: str) -> None:
        connection.sendall(head)
        connection.recv(1)

    return talk


def pacs(
    file: Talk | bytes,
    stored: Talk | bytes = b"",
    listed: bytes = listing(instance()),
    studies: bytes = listing(study()),
) -> Talk:
    """A PACS with one ECG: what it sends for the file, says to what is stored, and lists."""

    def talk(connection: socket.socket, first: str) -> None:
        says: Talk | bytes = studies
        if first.startswith("POST"):
            says = stored
        elif "/instances/" in first:
            says = file
        elif "/instances" in first:
            says = listed
        (always(says) if isinstance(says, bytes) else says)(connection, first)

    return talk
